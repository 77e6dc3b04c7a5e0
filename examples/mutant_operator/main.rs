//! Operator's commands with one thing wrong, to show that the harness has teeth: a stand-in for `smoke run --operator-command`.
//!
//! ```text
//! mutant_operator list                          every mutant and what it does
//! mutant_operator MUTANT PROGRAM [ARGUMENT...]  the real command (PROGRAM), changed
//! ```
//! The command is a child of this process, in its group; what it prints goes through here line by line.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, Stdio};

/// A command with one thing wrong.
struct Mutant {
    name: &'static str,
    /// What it does, for people.
    about: &'static str,
    /// What it makes of its arguments.
    arguments: fn(Vec<String>) -> Vec<String>,
    /// What it makes of a line that it prints; nothing where it swallows it.
    print: fn(String) -> Option<String>,
    /// How it ends, by how the real one ended.
    end: fn(u8) -> u8,
}

const HONEST: Mutant =
    Mutant { name: "none", about: "changes nothing", arguments: |it| it, print: Some, end: |code| code };

/// All of them; the first one changes nothing.
const MUTANTS: &[Mutant] = &[
    HONEST,
    Mutant {
        name: "no-status-block",
        about: "does not say where the status page is",
        print: |line| {
            let block = ["Appliance status UI", "  URL:", "  Token:"];
            (!block.iter().any(|begin| line.starts_with(begin))).then_some(line)
        },
        ..HONEST
    },
    Mutant {
        name: "other-token",
        about: "prints a token that the status page does not take",
        print: |line| match line.split_once("Token:") {
            Some((begin, token)) => {
                Some(format!("{begin}Token: {}", token.trim().chars().rev().collect::<String>()))
            }
            None => Some(line),
        },
        ..HONEST
    },
    Mutant {
        name: "fails-at-the-end",
        about: "installs everything and ends as if it had failed",
        end: |_| 1,
        ..HONEST
    },
    Mutant {
        name: "one-dns-server",
        about: "keeps only the last of several DNS servers",
        arguments: |arguments| {
            let mut last = String::new();
            let keep = |argument: String| {
                let servers = last == "--dns-servers";
                last.clone_from(&argument);
                match argument.rsplit_once(',') {
                    Some((_, only)) if servers => only.to_owned(),
                    _ => argument,
                }
            };
            arguments.into_iter().map(keep).collect()
        },
        ..HONEST
    },
    Mutant {
        name: "dry",
        about: "says what it would do and does nothing",
        arguments: |mut arguments| {
            arguments.push("--dry-run".to_owned());
            arguments
        },
        ..HONEST
    },
    Mutant { name: "silent", about: "prints nothing at all", print: |_| None, ..HONEST },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // A closed standard error is nobody's problem.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Vec<String>) -> io::Result<u8> {
    let mut out = io::stdout();
    if arguments.first().is_some_and(|name| name == "list") {
        for mutant in MUTANTS {
            writeln!(out, "{}\t{}", mutant.name, mutant.about)?;
        }
        return Ok(0);
    }
    let mutant = MUTANTS.iter().find(|mutant| arguments.first().is_some_and(|name| name == mutant.name));
    let usage = || io::Error::other("usage: mutant_operator list | MUTANT PROGRAM [ARGUMENT...]");
    let mutant = mutant.filter(|_| arguments.len() > 1).ok_or_else(usage)?;
    let rest = (mutant.arguments)(arguments.split_off(2));
    let mut child =
        Command::new(&arguments[1]).args(rest).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    if let Some(lines) = child.stdout.take() {
        for line in BufReader::new(lines).lines() {
            if let Some(line) = (mutant.print)(line?) {
                writeln!(out, "{line}")?;
                out.flush()?;
            }
        }
    }
    let code = child.wait()?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok((mutant.end)(code))
}
