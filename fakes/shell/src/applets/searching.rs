//! `grep`.

use super::options::{Options, usage};
use super::plain::{lines, open, pace, slurp};
use super::regexes::{Case, Syntax, compile};
use super::{Done, Fault};
use crate::process::Process;

struct Search {
    expressions: Vec<regex::Regex>,
    options: Options,
    titled: bool,
}

pub(super) async fn grep(process: &Process, name: &str, args: &[String]) -> Done {
    let args: Vec<String> = args
        .iter()
        .map(|arg| if arg.starts_with("--color") { "-I".to_owned() } else { arg.clone() })
        .collect();
    let options = Options::read(process, name, "EFGivcnqlLosHhrRwxIe:f:m:A:B:C:za", &args).await?;
    let mut rest = options.rest.clone();
    let mut patterns: Vec<String> =
        options.values('e').flat_map(|text| text.split('\n')).map(str::to_owned).collect();
    for path in options.values('f') {
        let Some(file) = open(process, "grep", path).await else { return Ok(2) };
        patterns.extend(lines(&slurp(process, &file).await?));
    }
    if !options.has('e') && !options.has('f') {
        if rest.is_empty() {
            return Err(usage(process, name).await);
        }
        patterns.extend(rest.remove(0).split('\n').map(str::to_owned));
    }
    let syntax = if options.has('E') || name == "egrep" { Syntax::Extended } else { Syntax::Basic };
    let case = if options.has('i') { Case::Ignored } else { Case::Matters };
    let fixed = options.has('F') || name == "fgrep";
    let mut expressions = Vec::new();
    for pattern in &patterns {
        let compiled = if fixed {
            wrap(&options, &regex::escape(pattern)).map_or_else(
                || compile(&regex::escape(pattern), Syntax::Extended, case),
                |text| compile(&text, Syntax::Extended, case),
            )
        } else {
            compile(pattern, syntax, case).and_then(|expression| match wrap(&options, expression.as_str()) {
                None => Ok(expression),
                Some(text) => regex::RegexBuilder::new(&text)
                    .case_insensitive(case == Case::Ignored)
                    .build()
                    .map_err(|_| "Invalid regular expression".to_owned()),
            })
        };
        match compiled {
            Ok(expression) => expressions.push(expression),
            Err(text) => {
                process.complain(&format!("grep: bad regex '{pattern}': {text}")).await;
                return Ok(2);
            }
        }
    }
    let recursive = options.has('r') || options.has('R');
    let mut paths = if rest.is_empty() { vec![if recursive { "." } else { "-" }.to_owned()] } else { rest };
    if recursive {
        paths = paths.iter().flat_map(|path| files_below(process, path)).collect();
    }
    let titled = (paths.len() > 1 || recursive || options.has('H')) && !options.has('h');
    let search = Search { expressions, options, titled };
    let (mut found, mut failed) = (false, false);
    for path in paths {
        if !search.options.has('s') || path == "-" || process.files().metadata(&process.cwd, &path).is_ok() {
            match complain_as_grep(process, &path).await {
                Some(file) => found |= search.file(process, &path, &file).await?,
                None => failed = true,
            }
        } else {
            failed = true;
        }
        if found && search.options.has('q') {
            return Ok(0);
        }
    }
    Ok(if failed { 2 } else { i32::from(!found) })
}

/// `-x` and `-w`.
fn wrap(options: &Options, text: &str) -> Option<String> {
    if options.has('x') {
        Some(format!("^(?:{text})$"))
    } else if options.has('w') {
        Some(format!(r"\b(?:{text})\b"))
    } else {
        None
    }
}

async fn complain_as_grep(process: &Process, path: &str) -> Option<crate::descriptor::Descriptor> {
    if path == "-" {
        return process.descriptor(0).ok();
    }
    match crate::shell_descriptor(process, path, crate::files::Open::Read) {
        Ok(file) => Some(file),
        Err(error) => {
            process.complain(&format!("grep: {path}: {}", crate::descriptor::strerror(&error))).await;
            None
        }
    }
}

fn files_below(process: &Process, path: &str) -> Vec<String> {
    match process.files().metadata(&process.cwd, path) {
        Ok(found) if found.is_dir() => {
            let names = process.files().list(&process.cwd, path).unwrap_or_default();
            names
                .iter()
                .flat_map(|name| files_below(process, &format!("{}/{name}", path.trim_end_matches('/'))))
                .collect()
        }
        _ => vec![path.to_owned()],
    }
}

impl Search {
    /// Searches line by line as they come, so that a search in a pipe does not wait for its end.
    async fn file(
        &self,
        process: &Process,
        path: &str,
        file: &crate::descriptor::Descriptor,
    ) -> Result<bool, Fault> {
        let number = |letter| self.options.value(letter).and_then(|n| n.parse::<usize>().ok());
        let before = number('B').or_else(|| number('C')).unwrap_or(0);
        let after = number('A').or_else(|| number('C')).unwrap_or(0);
        let most = number('m').unwrap_or(usize::MAX);
        let title = if self.titled {
            format!("{}:", if path == "-" { "(standard input)" } else { path })
        } else {
            String::new()
        };
        let (mut count, mut at, mut left) = (0, 0, 0);
        let mut earlier: Vec<(usize, String)> = Vec::new();
        let mut reader = Lines { process, file, rest: Vec::new(), passed: 0, ended: false };
        while let Some(line) = reader.next().await? {
            at += 1;
            let hit =
                self.expressions.iter().any(|expression| expression.is_match(&line)) != self.options.has('v');
            if !hit {
                if left > 0 {
                    left -= 1;
                    self.print(process, &title.replace(':', "-"), at, '-', &line).await?;
                } else if before > 0 {
                    earlier.push((at, line));
                    if earlier.len() > before {
                        earlier.remove(0);
                    }
                }
                continue;
            }
            count += 1;
            if self.options.has('q') || self.options.has('l') || self.options.has('L') {
                break;
            }
            if !self.options.has('c') {
                for (number, line) in earlier.drain(..) {
                    self.print(process, &title.replace(':', "-"), number, '-', &line).await?;
                }
                if self.options.has('o') && !self.options.has('v') {
                    for part in self
                        .expressions
                        .iter()
                        .flat_map(|e| e.find_iter(&line))
                        .filter(|part| !part.is_empty())
                    {
                        self.print(process, &title, at, ':', part.as_str()).await?;
                    }
                } else {
                    self.print(process, &title, at, ':', &line).await?;
                }
                left = after;
            }
            if count >= most {
                break;
            }
        }
        let name = if path == "-" { "(standard input)" } else { path };
        if self.options.has('c') && !self.options.has('q') {
            process.out(format!("{title}{count}\n")).await?;
        } else if (self.options.has('l') && count > 0) || (self.options.has('L') && count == 0) {
            process.out(format!("{name}\n")).await?;
        }
        Ok(count > 0)
    }

    async fn print(
        &self,
        process: &Process,
        title: &str,
        at: usize,
        sign: char,
        text: &str,
    ) -> Result<(), Fault> {
        let number = if self.options.has('n') { format!("{at}{sign}") } else { String::new() };
        Ok(process.out(format!("{title}{number}{text}\n")).await?)
    }
}

/// Lines as they come.
struct Lines<'a> {
    process: &'a Process,
    file: &'a crate::descriptor::Descriptor,
    rest: Vec<u8>,
    passed: usize,
    ended: bool,
}

impl Lines<'_> {
    /// The next line, without its end.
    async fn next(&mut self) -> Result<Option<String>, Fault> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                self.process.memory.shrink(line.len() as u64);
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            if self.ended {
                let line = std::mem::take(&mut self.rest);
                return Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()));
            }
            let length = self.file.read(&mut buffer).await?;
            self.ended = length == 0;
            self.process.grow(length as u64)?;
            self.passed = self.passed.wrapping_add(length);
            pace(self.process, self.passed, length).await;
            self.rest.extend_from_slice(&buffer[..length]);
        }
    }
}
