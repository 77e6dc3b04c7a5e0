//! Commands that pass text on.

use std::fmt::Write as _;

use super::options::Options;
use super::{Done, Fault};
use crate::descriptor::{Descriptor, strerror};
use crate::files::Open;
use crate::memory::Exhausted;
use crate::process::Process;
use crate::shell_descriptor;

const BLOCK: usize = 64 << 10;

/// Opens a file for reading; `-` is the standard input. Says why when it cannot.
pub(super) async fn open(process: &Process, name: &str, path: &str) -> Option<Descriptor> {
    let opened =
        if path == "-" { process.descriptor(0) } else { shell_descriptor(process, path, Open::Read) };
    match opened {
        Ok(found) => Some(found),
        Err(error) => {
            process.complain(&format!("{name}: can't open '{path}': {}", strerror(&error))).await;
            None
        }
    }
}

/// More than this is not read at once, whatever a container may use: a bound for the machine's sake.
const MOST_AT_ONCE: usize = 256 << 20;

/// Reads all of something, as memory of the process.
pub(super) async fn slurp(process: &Process, from: &Descriptor) -> Result<Vec<u8>, Fault> {
    let all = read_all(process, from, |length| process.grow(length)).await?;
    Ok(all)
}

async fn read_all(
    process: &Process,
    from: &Descriptor,
    account: impl Fn(u64) -> Result<(), Exhausted>,
) -> Result<Vec<u8>, Fault> {
    let mut all = Vec::new();
    let mut buffer = vec![0; BLOCK];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(all);
        }
        account(length as u64)?;
        all.extend_from_slice(&buffer[..length]);
        if all.len() > MOST_AT_ONCE {
            return Err(Fault::Memory);
        }
        pace(process, all.len(), length).await;
    }
}

/// Big amounts take time: a second for a gigabyte. `passed` is the sum with the last `step`.
pub(super) async fn pace(process: &Process, passed: usize, step: usize) {
    const UNIT: usize = 1 << 20;
    if passed / UNIT != passed.wrapping_sub(step) / UNIT {
        process.clock().sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// All of the files, or of the standard input; the status tells whether one was missing. For commands that really
/// read piece by piece: it is not counted as their memory.
pub(super) async fn contents(
    process: &Process,
    name: &str,
    paths: &[&str],
) -> Result<(Vec<(String, Vec<u8>)>, i32), Fault> {
    let mut all = Vec::new();
    let mut status = 0;
    for path in paths {
        match open(process, name, path).await {
            Some(file) => match read_all(process, &file, |_| Ok(())).await {
                Ok(bytes) => all.push(((*path).to_owned(), bytes)),
                Err(Fault::Output(error)) => {
                    process.complain(&format!("{name}: {path}: {}", strerror(&error))).await;
                    status = 1;
                }
                Err(fault) => return Err(fault),
            },
            None => status = 1,
        }
    }
    Ok((all, status))
}

/// Lines of a text, without their ends.
pub(super) fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::to_owned).collect()
}

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    match name {
        "cat" => cat(process, args).await,
        "tee" => tee(process, args).await,
        _ => transform(process, name, args).await,
    }
}

async fn cat(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "cat", "nbvteAu", args).await?;
    let mut status = 0;
    let mut number = 0;
    let marks = options.has('A') || options.has('e');
    let numbers = options.has('n') || options.has('b');
    for path in options.rest_or("-") {
        let Some(file) = open(process, "cat", path).await else {
            status = 1;
            continue;
        };
        let mut buffer = vec![0; BLOCK];
        let mut passed = 0_usize;
        let mut at_start = true;
        loop {
            let length = match file.read(&mut buffer).await {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) => {
                    process.complain(&format!("cat: read error: {}", strerror(&error))).await;
                    status = 1;
                    break;
                }
            };
            if !marks && !numbers {
                process.out(&buffer[..length]).await?;
                passed = passed.wrapping_add(length);
                pace(process, passed, length).await;
                continue;
            }
            let mut shown = String::new();
            for c in String::from_utf8_lossy(&buffer[..length]).chars() {
                if at_start && numbers && !(options.has('b') && c == '\n') {
                    number += 1;
                    let _ = write!(shown, "{number:6}\t");
                }
                at_start = c == '\n';
                match c {
                    '\n' if marks => shown.push_str("$\n"),
                    '\t' if options.has('A') || options.has('t') => shown.push_str("^I"),
                    c => shown.push(c),
                }
            }
            process.out(shown).await?;
        }
    }
    Ok(status)
}

async fn tee(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "tee", "ai", args).await?;
    let mut outputs = Vec::new();
    let mut status = 0;
    for path in &options.rest {
        let how = if options.has('a') { Open::Append } else { Open::Write };
        match shell_descriptor(process, path, how) {
            Ok(file) => outputs.push(file),
            Err(error) => {
                process.complain(&format!("tee: {path}: {}", strerror(&error))).await;
                status = 1;
            }
        }
    }
    let mut buffer = vec![0; BLOCK];
    let mut passed = 0_usize;
    loop {
        let length = process.read(&mut buffer).await?;
        if length == 0 {
            return Ok(status);
        }
        passed = passed.wrapping_add(length);
        pace(process, passed, length).await;
        process.out(&buffer[..length]).await?;
        for output in &outputs {
            output.write(&buffer[..length]).await?;
        }
    }
}

async fn transform(process: &Process, name: &str, args: &[String]) -> Done {
    let options = Options::read(process, name, "w:sd:b:t:A:x:c", args).await?;
    let (files, status) = contents(process, name, &options.rest_or("-")).await?;
    let mut out = String::new();
    match name {
        "paste" => {
            let columns: Vec<Vec<String>> = files.iter().map(|(_, bytes)| lines(bytes)).collect();
            let separator = options.value('d').unwrap_or("\t");
            if options.has('s') {
                for column in &columns {
                    let _ = writeln!(out, "{}", column.join(separator));
                }
            } else {
                for row in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
                    let cells: Vec<&str> =
                        columns.iter().map(|column| column.get(row).map_or("", String::as_str)).collect();
                    let _ = writeln!(out, "{}", cells.join(separator));
                }
            }
        }
        "od" => {
            for (_, bytes) in &files {
                for (number, row) in bytes.chunks(16).enumerate() {
                    let _ = write!(out, "{:07o}", number * 16);
                    for byte in row {
                        let _ = write!(out, " {byte:03o}");
                    }
                    out.push('\n');
                }
                let _ = writeln!(out, "{:07o}", bytes.len());
            }
        }
        _ => {
            for (_, bytes) in &files {
                let mut all = lines(bytes);
                if name == "tac" {
                    all.reverse();
                }
                for (number, line) in all.iter().enumerate() {
                    match name {
                        "rev" => {
                            let _ = writeln!(out, "{}", line.chars().rev().collect::<String>());
                        }
                        "nl" => {
                            let _ = writeln!(out, "{:6}\t{line}", number + 1);
                        }
                        "fold" => {
                            let width = options.value('w').and_then(|w| w.parse().ok()).unwrap_or(80);
                            let chars: Vec<char> = line.chars().collect();
                            for part in chars.chunks(width) {
                                let _ = writeln!(out, "{}", part.iter().collect::<String>());
                            }
                        }
                        _ => {
                            let _ = writeln!(out, "{line}");
                        }
                    }
                }
            }
        }
    }
    process.out(out).await?;
    Ok(status)
}
