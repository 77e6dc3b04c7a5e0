//! Commands that count, sort and compare lines.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::Done;
use super::options::Options;
use super::plain::{contents, lines};
use crate::files::Open;
use crate::process::Process;

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    match name {
        "wc" => wc(process, args).await,
        "sort" => sort(process, args).await,
        "uniq" => uniq(process, args).await,
        _ => compare(process, name, args).await,
    }
}

async fn wc(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "wc", "lwcmL", args).await?;
    let (files, status) = contents(process, "wc", &options.rest_or("-")).await?;
    let mut totals = [0_usize; 4];
    let mut rows = Vec::new();
    for (path, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        let counts = [
            bytes.iter().filter(|byte| **byte == b'\n').count(),
            text.split_whitespace().count(),
            text.chars().count(),
            bytes.len(),
        ];
        for (total, count) in totals.iter_mut().zip(counts) {
            *total += count;
        }
        rows.push((counts, path.clone()));
    }
    if files.len() > 1 {
        rows.push((totals, "total".into()));
    }
    let usual = !"lwcm".chars().any(|letter| options.has(letter));
    let chosen: Vec<usize> = "lwmc"
        .chars()
        .enumerate()
        .filter(|(at, letter)| if usual { *at != 2 } else { options.has(*letter) })
        .map(|(at, _)| at)
        .collect();
    let mut out = String::new();
    for (counts, path) in rows {
        let alone = chosen.len() == 1 && options.rest.is_empty();
        let shown: Vec<String> = chosen
            .iter()
            .map(|at| if chosen.len() == 1 { counts[*at].to_string() } else { format!("{:>9}", counts[*at]) })
            .collect();
        let name = if path == "-" || alone { String::new() } else { format!(" {path}") };
        let _ = writeln!(out, "{}{name}", shown.join(" "));
    }
    process.out(out).await?;
    Ok(status)
}

struct Key {
    from: usize,
    to: Option<usize>,
    flags: String,
}

fn field<'a>(line: &'a str, key: &Key, separator: Option<char>) -> String {
    let parts: Vec<&'a str> = match separator {
        Some(separator) => line.split(separator).collect(),
        None => line.split_whitespace().collect(),
    };
    let to = key.to.unwrap_or(parts.len()).min(parts.len());
    let joiner = separator.map_or(" ".to_owned(), String::from);
    parts.get(key.from.saturating_sub(1)..to).unwrap_or_default().join(&joiner)
}

fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || *c == '.' || (*at == 0 && (*c == '-' || *c == '+'))))
        .map_or(text.len(), |(at, _)| at);
    text[..end].parse().unwrap_or(0.0)
}

fn human(text: &str) -> f64 {
    let factor = match text.trim().chars().last() {
        Some('K' | 'k') => 1024.0,
        Some('M') => 1024.0 * 1024.0,
        Some('G') => 1024.0 * 1024.0 * 1024.0,
        _ => 1.0,
    };
    leading_number(text) * factor
}

fn order(left: &str, right: &str, flags: &str) -> Ordering {
    if flags.contains('n') || flags.contains('g') {
        leading_number(left).total_cmp(&leading_number(right))
    } else if flags.contains('h') {
        human(left).total_cmp(&human(right))
    } else if flags.contains('V') {
        version(left).cmp(&version(right))
    } else if flags.contains('f') {
        left.to_lowercase().cmp(&right.to_lowercase())
    } else {
        left.cmp(right)
    }
}

/// Digits count as numbers.
fn version(text: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest[word..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| word + n);
        parts.push((rest[..word].to_owned(), rest[word..digits].parse().unwrap_or(0)));
        rest = &rest[digits..];
    }
    parts
}

async fn sort(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "sort", "nrgMucszbdfiho:k:t:T:V", args).await?;
    let (files, status) = contents(process, "sort", &options.rest_or("-")).await?;
    // All of it is held until the last line has come.
    process.grow(files.iter().map(|(_, bytes)| bytes.len() as u64).sum())?;
    let mut all: Vec<String> = files.iter().flat_map(|(_, bytes)| lines(bytes)).collect();
    let global: String = "nrghfV".chars().filter(|letter| options.has(*letter)).collect();
    let separator = options.value('t').and_then(|text| text.chars().next());
    let keys: Vec<Key> = options
        .values('k')
        .map(|text| {
            let flags: String = text.chars().filter(char::is_ascii_alphabetic).collect();
            let mut ends = text.split(',');
            let number = |part: &str| {
                let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
                digits.parse().ok()
            };
            let from = ends.next().and_then(number).unwrap_or(1);
            let to = ends.next().and_then(number);
            Key { from, to, flags: if flags.is_empty() { global.clone() } else { flags } }
        })
        .collect();
    let compared = |left: &String, right: &String| {
        for key in &keys {
            let found = order(&field(left, key, separator), &field(right, key, separator), &key.flags);
            if found != Ordering::Equal {
                return if key.flags.contains('r') { found.reverse() } else { found };
            }
        }
        let found = if keys.is_empty() { order(left, right, &global) } else { Ordering::Equal };
        if options.has('r') && keys.is_empty() { found.reverse() } else { found }
    };
    let full = |left: &String, right: &String| {
        compared(left, right).then_with(|| {
            if options.has('s') || options.has('u') {
                Ordering::Equal
            } else if options.has('r') {
                right.cmp(left)
            } else {
                left.cmp(right)
            }
        })
    };
    if options.has('c') {
        return Ok(i32::from(all.windows(2).any(|pair| compared(&pair[0], &pair[1]) == Ordering::Greater)));
    }
    all.sort_by(full);
    if options.has('u') {
        all.dedup_by(|right, left| compared(left, right) == Ordering::Equal);
    }
    let text: String = all.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    match options.value('o') {
        None => process.out(text).await?,
        Some(path) => match crate::shell_descriptor(process, path, Open::Write) {
            Ok(file) => file.write(text.as_bytes()).await?,
            Err(error) => {
                process
                    .complain(&format!("sort: can't open '{path}': {}", crate::descriptor::strerror(&error)))
                    .await;
                return Ok(2);
            }
        },
    }
    Ok(status)
}

async fn uniq(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "uniq", "cduif:s:w:", args).await?;
    let input = options.rest.first().map_or("-", String::as_str);
    let (files, status) = contents(process, "uniq", &[input]).await?;
    let mut groups: Vec<(usize, String)> = Vec::new();
    let same = |left: &str, right: &str| {
        if options.has('i') { left.eq_ignore_ascii_case(right) } else { left == right }
    };
    for line in files.iter().flat_map(|(_, bytes)| lines(bytes)) {
        match groups.last_mut() {
            Some((count, last)) if same(last, &line) => *count += 1,
            _ => groups.push((1, line)),
        }
    }
    let mut out = String::new();
    for (count, line) in groups {
        if (options.has('d') && count < 2) || (options.has('u') && count > 1) {
            continue;
        }
        if options.has('c') {
            let _ = write!(out, "{count:>7} ");
        }
        let _ = writeln!(out, "{line}");
    }
    process.out(out).await?;
    Ok(status)
}

async fn compare(process: &Process, name: &str, args: &[String]) -> Done {
    let options = Options::read(process, name, "slqurNabBditwL:U:S:", args).await?;
    let [left, right] = &options.rest[..] else { return Err(super::options::usage(process, name).await) };
    let (files, _) = contents(process, name, &[left, right]).await?;
    let [(_, first), (_, second)] = &files[..] else { return Ok(2) };
    if first == second {
        return Ok(0);
    }
    if name == "cmp" {
        let at = first.iter().zip(second).position(|(a, b)| a != b);
        let text = match at {
            Some(at) => {
                let line = first[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
                format!("{left} {right} differ: char {}, line {line}\n", at + 1)
            }
            None => {
                let short = if first.len() < second.len() { left } else { right };
                process.complain(&format!("cmp: EOF on {short}")).await;
                return Ok(1);
            }
        };
        if !options.has('s') {
            process.out(text).await?;
        }
        return Ok(1);
    }
    if options.has('q') {
        process.out(format!("Files {left} and {right} differ\n")).await?;
        return Ok(1);
    }
    // Without a search for the shortest way: what is the same at both ends stays.
    let (old, new) = (lines(first), lines(second));
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (gone, come) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let context = head.min(3);
    let after = tail.min(3);
    let span = |from: usize, count: usize| match count {
        0 => format!("{from},0"),
        1 => format!("{}", from + 1),
        _ => format!("{},{count}", from + 1),
    };
    let mut out = format!("--- {left}\n+++ {right}\n");
    let start = head - context;
    let _ = writeln!(
        out,
        "@@ -{} +{} @@",
        span(start, context + gone.len() + after),
        span(start, context + come.len() + after)
    );
    let end = old.len() - tail;
    let rows = old[start..head].iter().map(|line| (' ', line));
    let rows = rows.chain(gone.iter().map(|line| ('-', line))).chain(come.iter().map(|line| ('+', line)));
    for (sign, line) in rows.chain(old[end..end + after].iter().map(|line| (' ', line))) {
        let _ = writeln!(out, "{sign}{line}");
    }
    process.out(out).await?;
    Ok(1)
}
