//! `head` and `tail`.

use std::time::Duration;

use super::Done;
use super::options::{Options, size};
use super::plain::{open, pace};
use crate::descriptor::Descriptor;
use crate::process::Process;

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    // `-5` is `-n 5`.
    let args: Vec<String> = args
        .iter()
        .map(|arg| match arg.strip_prefix('-') {
            Some(digits) if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) => {
                format!("-n{digits}")
            }
            _ => arg.clone(),
        })
        .collect();
    let options = Options::read(process, name, "n:c:qvfFs:", &args).await?;
    let count = options.value('c').or(options.value('n')).unwrap_or("10");
    let (sign, digits) = match count.chars().next() {
        Some(sign @ ('+' | '-')) => (sign, &count[1..]),
        _ => (' ', count),
    };
    let Some(count) = size(digits).and_then(|n| usize::try_from(n).ok()) else {
        process.complain(&format!("{name}: invalid number '{count}'")).await;
        return Ok(1);
    };
    let paths = options.rest_or("-");
    let mut status = 0;
    let mut followed = None;
    for (number, path) in paths.iter().enumerate() {
        let Some(file) = open(process, name, path).await else {
            status = 1;
            continue;
        };
        if paths.len() > 1 && !options.has('q') {
            let gap = if number > 0 { "\n" } else { "" };
            let title = if *path == "-" { "standard input" } else { path };
            process.out(format!("{gap}==> {title} <==\n")).await?;
        }
        let by_bytes = options.has('c');
        if name == "head" {
            head(process, &file, count, sign == '-', by_bytes).await?;
        } else {
            tail(process, &file, count, sign == '+', by_bytes).await?;
        }
        followed = Some(file);
    }
    if name == "tail" && (options.has('f') || options.has('F')) {
        let Some(file) = followed else { return Ok(status) };
        let pause = options.value('s').and_then(super::time::duration).unwrap_or(Duration::from_secs(1));
        let mut buffer = vec![0; 8192];
        loop {
            let length = file.read(&mut buffer).await?;
            if length > 0 {
                process.out(&buffer[..length]).await?;
            } else {
                process.clock().sleep(pause).await;
            }
        }
    }
    Ok(status)
}

async fn head(process: &Process, file: &Descriptor, count: usize, but: bool, by_bytes: bool) -> Done {
    if but {
        let all = super::plain::slurp(process, file).await?;
        let end = if by_bytes {
            all.len().saturating_sub(count)
        } else {
            let ends: Vec<usize> = line_ends(&all);
            ends.len().checked_sub(count + 1).map_or(0, |last| ends[last])
        };
        process.out(&all[..end]).await?;
        return Ok(0);
    }
    let mut left = count;
    let mut buffer = vec![0; 8192];
    let mut passed = 0_usize;
    while left > 0 {
        let length = file.read(&mut buffer).await?;
        if length == 0 {
            break;
        }
        passed = passed.wrapping_add(length);
        pace(process, passed, length).await;
        let mut end = length;
        if by_bytes {
            end = length.min(left);
            left -= end;
        } else {
            for (at, _) in buffer[..length].iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
                left -= 1;
                if left == 0 {
                    end = at + 1;
                    break;
                }
            }
        }
        process.out(&buffer[..end]).await?;
    }
    Ok(0)
}

/// Where lines end; the last one may do so without a line end.
fn line_ends(bytes: &[u8]) -> Vec<usize> {
    let mut ends: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    if ends.last().copied().unwrap_or(0) < bytes.len() {
        ends.push(bytes.len());
    }
    ends
}

/// The end of a file. What has no line end has to be kept, however long it is.
async fn tail(process: &Process, file: &Descriptor, count: usize, from: bool, by_bytes: bool) -> Done {
    let mut kept = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let mut passed = 0_usize;
    loop {
        let length = file.read(&mut buffer).await?;
        if length == 0 {
            break;
        }
        passed = passed.wrapping_add(length);
        pace(process, passed, length).await;
        process.grow(length as u64)?;
        if !matches!(file, Descriptor::Zero) {
            kept.extend_from_slice(&buffer[..length]);
        }
        if !from && kept.len() > 1 << 20 {
            let ends = line_ends(&kept);
            let cut = if by_bytes {
                kept.len().saturating_sub(count)
            } else {
                ends.len().checked_sub(count + 2).map_or(0, |last| ends[last])
            };
            kept.drain(..cut);
            process.memory.shrink(cut as u64);
        }
    }
    let ends = line_ends(&kept);
    let start = match (from, by_bytes) {
        (true, true) => count.saturating_sub(1).min(kept.len()),
        (true, false) => match count {
            0 | 1 => 0,
            count => ends.get(count - 2).copied().unwrap_or(kept.len()),
        },
        (false, true) => kept.len().saturating_sub(count),
        (false, false) if count == 0 => kept.len(),
        (false, false) => ends.len().checked_sub(count + 1).map_or(0, |last| ends[last]),
    };
    process.out(&kept[start..]).await?;
    Ok(0)
}
