//! `test`.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

use super::Pattern;
use crate::process::Process;

/// Evaluates `test` or `[`; the error is a text without the shell's name.
pub(crate) fn test(process: &Process, argv: &[String]) -> Result<bool, String> {
    let name = argv.first().map_or("test", String::as_str);
    let mut args: Vec<&str> = argv.iter().skip(1).map(String::as_str).collect();
    let closing = match name {
        "[" => Some("]"),
        "[[" => Some("]]"),
        _ => None,
    };
    if let Some(closing) = closing
        && args.pop() != Some(closing)
    {
        return Err(format!("missing {closing}"));
    }
    let mut reader = Reader { process, args: &args, at: 0, patterns: name == "[[" };
    if args.is_empty() {
        return Ok(false);
    }
    // POSIX decides by the number of arguments.
    let value = match args[..] {
        [one] => !one.is_empty(),
        ["!", one] => one.is_empty(),
        [left, operator, right] if is_binary(operator) => reader.binary(left, operator, right)?,
        _ => {
            let value = reader.or()?;
            if reader.at < args.len() {
                return Err(format!("{}: unknown operand", args[reader.at]));
            }
            value
        }
    };
    Ok(value)
}

fn is_binary(operator: &str) -> bool {
    matches!(
        operator,
        "=" | "=="
            | "!="
            | "<"
            | ">"
            | "=~"
            | "-eq"
            | "-ne"
            | "-lt"
            | "-le"
            | "-gt"
            | "-ge"
            | "-nt"
            | "-ot"
            | "-ef"
    )
}

fn is_unary(operator: &str) -> bool {
    operator.len() == 2
        && operator.starts_with('-')
        && operator.chars().nth(1).is_some_and(|c| "bcdefghknoprstuwxzLOGS".contains(c))
}

struct Reader<'a> {
    process: &'a Process,
    args: &'a [&'a str],
    at: usize,
    patterns: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.args.get(self.at).copied()
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut value = self.and()?;
        while matches!(self.peek(), Some("-o" | "||")) {
            self.at += 1;
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut value = self.not()?;
        while matches!(self.peek(), Some("-a" | "&&")) {
            self.at += 1;
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, String> {
        if self.peek() == Some("!") {
            self.at += 1;
            return Ok(!self.not()?);
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<bool, String> {
        let Some(first) = self.peek() else { return Err("argument expected".into()) };
        let second = self.args.get(self.at + 1).copied();
        if let (Some(operator), Some(right)) = (second.filter(|s| is_binary(s)), self.args.get(self.at + 2)) {
            self.at += 3;
            return self.binary(first, operator, right);
        }
        if first == "(" {
            self.at += 1;
            let value = self.or()?;
            if self.peek() != Some(")") {
                return Err("closing paren expected".into());
            }
            self.at += 1;
            return Ok(value);
        }
        if let Some(operand) = second.filter(|_| is_unary(first)) {
            self.at += 2;
            return Ok(self.unary(first, operand));
        }
        self.at += 1;
        Ok(!first.is_empty())
    }

    fn binary(&self, left: &str, operator: &str, right: &str) -> Result<bool, String> {
        let equal = || if self.patterns { Pattern::new(right).matches(left) } else { left == right };
        let time = |path: &str| {
            self.process.files().metadata(&self.process.cwd, path).ok().map(|m| (m.mtime(), m.mtime_nsec()))
        };
        let numbers = || Ok::<_, String>((number(left)?, number(right)?));
        Ok(match operator {
            "=" | "==" => equal(),
            "!=" => !equal(),
            "=~" => regex::Regex::new(right).map_err(|_| format!("{right}: bad regex"))?.is_match(left),
            "<" => left < right,
            ">" => left > right,
            "-eq" => numbers().map(|(a, b)| a == b)?,
            "-ne" => numbers().map(|(a, b)| a != b)?,
            "-lt" => numbers().map(|(a, b)| a < b)?,
            "-le" => numbers().map(|(a, b)| a <= b)?,
            "-gt" => numbers().map(|(a, b)| a > b)?,
            "-ge" => numbers().map(|(a, b)| a >= b)?,
            "-nt" => time(left) > time(right),
            "-ot" => time(left) < time(right),
            _ => time(left).is_some() && time(left) == time(right),
        })
    }

    fn unary(&self, operator: &str, operand: &str) -> bool {
        let (files, cwd) = (self.process.files(), &self.process.cwd);
        let found = || files.metadata(cwd, operand).ok();
        match operator {
            "-n" => !operand.is_empty(),
            "-z" => operand.is_empty(),
            "-e" => found().is_some(),
            "-f" => found().is_some_and(|m| m.is_file()),
            "-d" => found().is_some_and(|m| m.is_dir()),
            "-s" => found().is_some_and(|m| m.len() > 0),
            "-h" | "-L" => files.link_metadata(cwd, operand).is_ok_and(|m| m.is_symlink()),
            "-p" => found().is_some_and(|m| m.file_type().is_fifo()),
            "-S" => found().is_some_and(|m| m.file_type().is_socket()),
            "-c" => operand.starts_with("/dev/") && found().is_some(),
            "-w" => files
                .find(cwd, operand, crate::files::Follow::Yes)
                .is_ok_and(|place| place.host.exists() && place.writable().is_ok()),
            "-x" => found().is_some_and(|m| m.is_dir() || m.mode() & 0o111 != 0),
            "-r" | "-O" | "-G" => found().is_some(),
            "-u" => found().is_some_and(|m| m.mode() & 0o4000 != 0),
            "-g" => found().is_some_and(|m| m.mode() & 0o2000 != 0),
            "-k" => found().is_some_and(|m| m.mode() & 0o1000 != 0),
            _ => false,
        }
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("{text}: bad number"))
}
