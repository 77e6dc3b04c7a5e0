//! `find`.

use super::Done;
use super::running::child;
use crate::descriptor::strerror;
use crate::process::Process;
use crate::shell::Pattern;

enum Step {
    Name(Pattern),
    Path(Pattern),
    Kind(char),
    Newer(std::time::SystemTime),
    OlderThan { seconds: i64, sign: char },
    Size { bytes: u64, sign: char },
    Empty,
    Print,
    Print0,
    Delete,
    Exec(Vec<String>),
    Not,
    Or,
    Prune,
}

pub(super) async fn find(process: &Process, args: &[String]) -> Done {
    let count = args.iter().take_while(|arg| !arg.starts_with('-') && *arg != "!" && *arg != "(").count();
    let mut paths = args[..count].to_vec();
    if paths.is_empty() {
        paths.push(".".into());
    }
    let (mut steps, mut deepest, mut shallowest) = (Vec::new(), usize::MAX, 0);
    let mut rest = args[count..].iter();
    while let Some(arg) = rest.next() {
        let mut value = || rest.next().cloned().unwrap_or_default();
        let step = match arg.as_str() {
            "-name" => Step::Name(Pattern::new(&value())),
            "-iname" => Step::Name(Pattern::new(&value().to_lowercase())),
            "-path" | "-wholename" => Step::Path(Pattern::new(&value())),
            "-type" => Step::Kind(value().chars().next().unwrap_or('f')),
            "-maxdepth" => {
                deepest = value().parse().unwrap_or(usize::MAX);
                continue;
            }
            "-mindepth" => {
                shallowest = value().parse().unwrap_or(0);
                continue;
            }
            "-newer" => {
                let path = value();
                match process.files().metadata(&process.cwd, &path).and_then(|found| found.modified()) {
                    Ok(time) => Step::Newer(time),
                    Err(error) => {
                        process.complain(&format!("find: {path}: {}", strerror(&error))).await;
                        return Ok(1);
                    }
                }
            }
            "-mmin" | "-mtime" => {
                let text = value();
                let sign = text.chars().next().filter(|c| "+-".contains(*c)).unwrap_or(' ');
                let unit = if arg == "-mmin" { 60 } else { 86400 };
                let number: i64 = text.trim_start_matches(['+', '-']).parse().unwrap_or(0);
                Step::OlderThan { seconds: number * unit, sign }
            }
            "-size" => {
                let text = value();
                let sign = text.chars().next().filter(|c| "+-".contains(*c)).unwrap_or(' ');
                let text = text.trim_start_matches(['+', '-']);
                let text = if text.ends_with(|c: char| c.is_ascii_digit()) {
                    format!("{text}b")
                } else {
                    text.into()
                };
                Step::Size { bytes: super::options::size(&text).unwrap_or(0), sign }
            }
            "-empty" => Step::Empty,
            "-print" => Step::Print,
            "-print0" => Step::Print0,
            "-delete" => Step::Delete,
            "-prune" => Step::Prune,
            "-exec" => {
                let command: Vec<String> =
                    rest.by_ref().take_while(|word| *word != ";" && *word != "+").cloned().collect();
                Step::Exec(command)
            }
            "!" | "-not" => Step::Not,
            "-o" | "-or" => Step::Or,
            "-a" | "-and" | "(" | ")" | "-follow" | "-xdev" | "-depth" | "-mount" => continue,
            other => {
                process.complain(&format!("find: unrecognized: {other}")).await;
                return Ok(1);
            }
        };
        steps.push(step);
    }
    let acts = |step: &Step| matches!(step, Step::Print | Step::Print0 | Step::Delete | Step::Exec(_));
    let prints = !steps.iter().any(acts);
    let depth_first = steps.iter().any(|step| matches!(step, Step::Delete));
    let mut status = 0;
    for path in paths {
        if let Err(error) = process.files().link_metadata(&process.cwd, &path) {
            process.complain(&format!("find: {path}: {}", strerror(&error))).await;
            status = 1;
            continue;
        }
        let mut all = Vec::new();
        walk(process, &path, 0, deepest, &mut all);
        if depth_first {
            all.reverse();
        }
        let mut pruned: Vec<String> = Vec::new();
        for (path, depth) in all {
            if depth < shallowest || pruned.iter().any(|above| path.starts_with(above)) {
                continue;
            }
            let holds = apply(process, &steps, &path, &mut pruned).await?;
            if holds && prints {
                process.out(format!("{path}\n")).await?;
            }
        }
    }
    Ok(status)
}

fn walk(process: &Process, path: &str, depth: usize, deepest: usize, into: &mut Vec<(String, usize)>) {
    into.push((path.to_owned(), depth));
    let is_directory = process.files().link_metadata(&process.cwd, path).is_ok_and(|found| found.is_dir());
    if is_directory && depth < deepest {
        for name in process.files().list(&process.cwd, path).unwrap_or_default() {
            walk(process, &format!("{}/{name}", path.trim_end_matches('/')), depth + 1, deepest, into);
        }
    }
}

async fn apply(
    process: &Process,
    steps: &[Step],
    path: &str,
    pruned: &mut Vec<String>,
) -> Result<bool, super::Fault> {
    let (mut holds, mut negated) = (true, false);
    let found = process.files().link_metadata(&process.cwd, path).ok();
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    for step in steps {
        if let Step::Or = step {
            if holds {
                return Ok(true);
            }
            holds = true;
            continue;
        }
        if let Step::Not = step {
            negated = !negated;
            continue;
        }
        if !holds {
            negated = false;
            continue;
        }
        let compared = |value: i64, wanted: i64, sign: char| match sign {
            '+' => value > wanted,
            '-' => value < wanted,
            _ => value == wanted,
        };
        let result = match step {
            Step::Name(pattern) => pattern.matches(name),
            Step::Path(pattern) => pattern.matches(path),
            Step::Kind(kind) => found.as_ref().is_some_and(|m| match kind {
                'd' => m.is_dir(),
                'l' => m.is_symlink(),
                _ => m.is_file(),
            }),
            Step::Newer(time) => {
                found.as_ref().and_then(|m| m.modified().ok()).is_some_and(|own| own > *time)
            }
            Step::OlderThan { seconds, sign } => {
                let own = found.as_ref().map_or(0, std::os::unix::fs::MetadataExt::mtime);
                compared(process.clock().now().as_second() - own, *seconds, *sign)
            }
            Step::Size { bytes, sign } => {
                let own = found.as_ref().map_or(0, std::fs::Metadata::len);
                compared(i64::try_from(own).unwrap_or(0), i64::try_from(*bytes).unwrap_or(0), *sign)
            }
            Step::Empty => found.as_ref().is_some_and(|m| {
                if m.is_dir() {
                    process.files().list(&process.cwd, path).is_ok_and(|names| names.is_empty())
                } else {
                    m.len() == 0
                }
            }),
            Step::Print => {
                process.out(format!("{path}\n")).await?;
                true
            }
            Step::Print0 => {
                process.out(format!("{path}\0")).await?;
                true
            }
            Step::Delete => {
                for (path, error) in super::paths::remove(process, path, true) {
                    process.complain(&format!("find: {path}: {}", strerror(&error))).await;
                }
                true
            }
            Step::Prune => {
                pruned.push(format!("{path}/"));
                true
            }
            Step::Exec(command) => {
                let argv = command.iter().map(|word| word.replace("{}", path)).collect();
                child(process, "find", argv, None).await == 0
            }
            Step::Not | Step::Or => true,
        };
        holds = result != std::mem::take(&mut negated);
    }
    Ok(holds)
}
