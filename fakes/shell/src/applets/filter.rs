//! Commands that pick and make text.

mod awk;
mod compute;

use super::Done;
use super::options::{Options, usage};
use super::plain::{contents, lines};
use crate::escapes::unescape_c;
use crate::process::Process;

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    match name {
        "cut" => cut(process, args).await,
        "tr" => tr(process, args).await,
        "seq" => seq(process, args).await,
        "awk" => awk::awk(process, args).await,
        "expr" => compute::expr(process, args).await,
        _ => {
            let word = if args.is_empty() { "y".to_owned() } else { args.join(" ") };
            let block = format!("{word}\n").repeat(512);
            for turn in 0_u64.. {
                process.out(&block).await?;
                if turn.is_multiple_of(64) {
                    process.clock().sleep(std::time::Duration::from_millis(1)).await;
                }
            }
            Ok(0)
        }
    }
}

/// `1,3-5,7-`
fn ranges(text: &str) -> Option<Vec<(usize, usize)>> {
    text.split(',')
        .map(|part| {
            let range = match part.split_once('-') {
                None => {
                    let only = part.parse().ok()?;
                    (only, only)
                }
                Some((low, high)) => (
                    if low.is_empty() { 1 } else { low.parse().ok()? },
                    if high.is_empty() { usize::MAX } else { high.parse().ok()? },
                ),
            };
            (range.0 > 0).then_some(range)
        })
        .collect()
}

async fn cut(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "cut", "b:c:f:d:snD", args).await?;
    let Some(text) = options.value('f').or(options.value('c')).or(options.value('b')) else {
        process.complain("cut: expected a list of bytes, characters, or fields").await;
        return Ok(1);
    };
    let Some(chosen) = ranges(text) else {
        process.complain(&format!("cut: invalid number '{text}'")).await;
        return Ok(1);
    };
    let is_in = |at: usize| chosen.iter().any(|(low, high)| (*low..=*high).contains(&at));
    let separator = options.value('d').unwrap_or("\t");
    let (files, status) = contents(process, "cut", &options.rest_or("-")).await?;
    let mut out = String::new();
    for line in files.iter().flat_map(|(_, bytes)| lines(bytes)) {
        if !options.has('f') {
            out.extend(line.chars().enumerate().filter(|(at, _)| is_in(at + 1)).map(|(_, c)| c));
        } else if line.contains(separator) {
            let parts: Vec<&str> = line
                .split(separator)
                .enumerate()
                .filter(|(at, _)| is_in(at + 1))
                .map(|(_, part)| part)
                .collect();
            out.push_str(&parts.join(separator));
        } else if options.has('s') {
            continue;
        } else {
            out.push_str(&line);
        }
        out.push('\n');
    }
    process.out(out).await?;
    Ok(status)
}

/// The characters of a set such as `a-z[:digit:]\n`.
fn set(text: &str) -> Vec<char> {
    let mut text = text.to_owned();
    for (class, members) in [
        ("[:lower:]", "a-z"),
        ("[:upper:]", "A-Z"),
        ("[:digit:]", "0-9"),
        ("[:alpha:]", "A-Za-z"),
        ("[:alnum:]", "0-9A-Za-z"),
        ("[:space:]", " \\t\\n\\r\\f\\v"),
        ("[:blank:]", " \\t"),
        ("[:xdigit:]", "0-9A-Fa-f"),
        ("[:punct:]", "!-/:-@[-`{-~"),
    ] {
        text = text.replace(class, members);
    }
    let chars: Vec<char> = unescape_c(&text).chars().collect();
    let mut members = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if at + 2 < chars.len() && chars[at + 1] == '-' {
            members.extend(chars[at]..=chars[at + 2]);
            at += 3;
        } else {
            members.push(chars[at]);
            at += 1;
        }
    }
    members
}

async fn tr(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "tr", "+cdsC", args).await?;
    let Some(first) = options.rest.first() else { return Err(usage(process, "tr").await) };
    let (from, to) = (set(first), options.rest.get(1).map(|text| set(text)).unwrap_or_default());
    let complement = options.has('c') || options.has('C');
    let squeezed = if to.is_empty() || options.rest.len() < 2 { &from } else { &to };
    let mut buffer = vec![0; 8192];
    let mut last = None;
    let mut passed = 0_usize;
    loop {
        let length = process.read(&mut buffer).await?;
        if length == 0 {
            return Ok(0);
        }
        passed = passed.wrapping_add(length);
        super::plain::pace(process, passed, length).await;
        let mut out = String::new();
        for c in String::from_utf8_lossy(&buffer[..length]).chars() {
            let place = from.iter().position(|own| *own == c);
            let is_in = place.is_some() != complement;
            if is_in && options.has('d') {
                continue;
            }
            let made = match (is_in, to.last()) {
                (true, Some(end)) if !options.has('d') => match place {
                    Some(place) => *to.get(place).unwrap_or(end),
                    None => *end,
                },
                _ => c,
            };
            let squeezes =
                options.has('s') && squeezed.contains(&made) != (complement && options.rest.len() < 2);
            if squeezes && last == Some(made) {
                continue;
            }
            last = Some(made);
            out.push(made);
        }
        process.out(out).await?;
    }
}

async fn seq(process: &Process, args: &[String]) -> Done {
    let negative = |arg: &String| {
        arg.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let (mut separator, mut wide, mut numbers) = ("\n".to_owned(), false, Vec::new());
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-w" => wide = true,
            "-s" => separator = rest.next().cloned().unwrap_or_default(),
            _ if arg.starts_with('-') && !negative(arg) => return Err(usage(process, "seq").await),
            _ => numbers.push(arg.clone()),
        }
    }
    let mut parsed = Vec::new();
    for text in &numbers {
        match text.parse::<f64>() {
            Ok(number) => parsed.push(number),
            Err(_) => {
                process.complain(&format!("seq: invalid number '{text}'")).await;
                return Ok(1);
            }
        }
    }
    let (from, step, to) = match parsed[..] {
        [to] => (1.0, 1.0, to),
        [from, to] => (from, 1.0, to),
        [from, step, to] => (from, step, to),
        _ => return Err(usage(process, "seq").await),
    };
    let digits =
        numbers.iter().filter_map(|text| text.split_once('.')).map(|(_, f)| f.len()).max().unwrap_or(0);
    let width = if wide { numbers.iter().map(String::len).max().unwrap_or(0) } else { 0 };
    let mut shown = Vec::new();
    let mut at = from;
    for turn in 0_u32..10_000_000 {
        if (step >= 0.0 && at > to + 1e-9) || (step < 0.0 && at < to - 1e-9) {
            break;
        }
        shown.push(format!("{at:0width$.digits$}"));
        at = from + step * f64::from(turn + 1);
    }
    if !shown.is_empty() {
        process.out(format!("{}\n", shown.join(&separator))).await?;
    }
    Ok(0)
}
