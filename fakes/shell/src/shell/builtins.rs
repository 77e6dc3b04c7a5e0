//! Commands that run in the shell itself.

mod input;
mod jobs;
mod setting;

use std::io;

use super::{Flow, Shell, echo, printf, test};
use crate::descriptor::strerror;
use crate::files::Follow;
use crate::signal::Signal;

/// Those that POSIX calls special: assignments before them stay, errors end the shell.
const SPECIAL: [&str; 14] = [
    ".", ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift",
    "trap", "unset",
];
const OTHERS: [&str; 30] = [
    "[", "[[", "alias", "bg", "cd", "chdir", "command", "echo", "false", "fg", "getopts", "hash", "help",
    "jobs", "kill", "let", "local", "printf", "pwd", "read", "source", "test", "times", "true", "type",
    "ulimit", "umask", "unalias", "wait", "history",
];

pub(super) fn is_special(name: &str) -> bool {
    SPECIAL.contains(&name)
}

pub(super) fn is_builtin(name: &str) -> bool {
    is_special(name) || OTHERS.contains(&name)
}

impl Shell {
    /// Runs a built-in command and returns its status.
    pub(super) async fn run_builtin(&mut self, argv: &[String]) -> Result<i32, Flow> {
        let args = &argv[1..];
        match argv[0].as_str() {
            ":" | "true" | "alias" | "unalias" | "bg" | "fg" | "hash" | "help" | "history" | "times"
            | "ulimit" => Ok(0),
            "false" => Ok(1),
            "echo" => {
                let text = echo(args);
                self.print(&text).await
            }
            "printf" => match printf(args) {
                Ok(printed) => {
                    let status = self.print(&printed.text).await?;
                    for text in &printed.complaints {
                        self.process.complain(&format!("{}: {text}", self.name)).await;
                    }
                    Ok(if printed.complaints.is_empty() { status } else { 1 })
                }
                Err(text) => {
                    self.process.complain(&text).await;
                    Ok(1)
                }
            },
            "[" | "[[" | "test" => match test(&self.process, argv) {
                Ok(holds) => Ok(i32::from(!holds)),
                Err(text) => {
                    self.process.complain(&format!("{}: {text}", self.name)).await;
                    Ok(2)
                }
            },
            "break" | "continue" => {
                let count = args.first().and_then(|n| n.parse::<usize>().ok()).unwrap_or(1).max(1);
                match (self.loops, argv[0].as_str()) {
                    (0, _) => Ok(0),
                    (depth, "break") => Err(Flow::Break(count.min(depth))),
                    (depth, _) => Err(Flow::Continue(count.min(depth))),
                }
            }
            "exit" => {
                let status = self.number(args).await?;
                Err(Flow::Exit(status))
            }
            "return" => {
                let status = self.number(args).await?;
                Err(Flow::Return(status))
            }
            "eval" => {
                self.status = 0;
                self.script_text(&args.join(" "), super::Tail::More).await?;
                Ok(self.status)
            }
            "." | "source" => self.source(args).await,
            "cd" | "chdir" => self.change_directory(args).await,
            "pwd" => {
                let line = format!("{}\n", self.process.cwd);
                self.print(&line).await
            }
            "command" | "type" => self.describe(argv).await,
            "let" => {
                let mut value = 0;
                for text in args {
                    value = self.compute(text).await?;
                }
                Ok(i32::from(value == 0))
            }
            "shift" => {
                let count = args.first().and_then(|n| n.parse::<usize>().ok()).unwrap_or(1);
                if count > self.parameters.len() {
                    return Ok(1);
                }
                self.parameters.drain(..count);
                Ok(0)
            }
            "umask" => {
                match args.first().and_then(|text| u32::from_str_radix(text, 8).ok()) {
                    Some(mask) => self.process.umask = mask & 0o777,
                    None => return self.print(&format!("{:04o}\n", self.process.umask)).await,
                }
                Ok(0)
            }
            "read" | "getopts" => self.input(argv).await,
            "wait" | "kill" | "jobs" | "trap" => self.job_control(argv).await,
            _ => self.setting(argv).await,
        }
    }

    /// Writes to the standard output.
    async fn print(&self, text: &str) -> Result<i32, Flow> {
        match self.process.out(text).await {
            Ok(()) => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Flow::Exit(Signal::PIPE.status())),
            Err(error) => {
                self.process.complain(&format!("{}: write error: {}", self.name, strerror(&error))).await;
                Ok(1)
            }
        }
    }

    /// The status in the first argument; without one it is the last one's.
    async fn number(&mut self, args: &[String]) -> Result<i32, Flow> {
        match args.first() {
            None => Ok(self.status),
            Some(text) => match text.parse::<i32>() {
                Ok(number) => Ok(number & 0xff),
                Err(_) => Err(self.fail(&format!("Illegal number: {text}")).await),
            },
        }
    }

    async fn source(&mut self, args: &[String]) -> Result<i32, Flow> {
        let Some(path) = args.first() else { return Ok(0) };
        let text = match self.process.files().read(&self.process.cwd, path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => {
                self.say_of(".", &format!("can't open '{path}': {}", strerror(&error))).await;
                return Err(Flow::Exit(2));
            }
        };
        self.status = 0;
        self.line = 1;
        match self.script_text(&text, super::Tail::More).await {
            Err(Flow::Return(status)) => Ok(status),
            Err(flow) => Err(flow),
            Ok(()) => Ok(self.status),
        }
    }

    async fn change_directory(&mut self, args: &[String]) -> Result<i32, Flow> {
        let args: Vec<&String> =
            args.iter().filter(|arg| !matches!(arg.as_str(), "-L" | "-P" | "--")).collect();
        let target = match args.first().map(|arg| arg.as_str()) {
            None => self.get("HOME").unwrap_or_else(|| "/root".into()),
            Some("-") => self.get("OLDPWD").unwrap_or_else(|| self.process.cwd.clone()),
            Some(path) => path.to_owned(),
        };
        let place = self.process.files().find(&self.process.cwd, &target, Follow::Yes);
        let entered = place.and_then(|place| match place.host.metadata() {
            Ok(found) if found.is_dir() => Ok(place),
            Ok(_) => Err(io::Error::from_raw_os_error(crate::descriptor::ENOTDIR)),
            Err(error) => Err(error),
        });
        match entered {
            Ok(place) => {
                let before = std::mem::replace(&mut self.process.cwd, place.inside.clone());
                self.assign("OLDPWD", before).await?;
                self.assign("PWD", place.inside.clone()).await?;
                if args.first().is_some_and(|arg| *arg == "-") {
                    return self.print(&format!("{}\n", place.inside)).await;
                }
                Ok(0)
            }
            Err(error) => {
                self.say_of("cd", &format!("can't cd to {target}: {}", strerror(&error))).await;
                Ok(2)
            }
        }
    }

    /// `command` and `type`.
    async fn describe(&mut self, argv: &[String]) -> Result<i32, Flow> {
        let is_type = argv[0] == "type";
        let short = argv.get(1).is_some_and(|arg| arg == "-v");
        if !is_type && !short && argv.get(1).is_none_or(|arg| arg != "-V") {
            let rest: Vec<String> = argv[1..].iter().skip_while(|arg| *arg == "-p").cloned().collect();
            return match rest.first() {
                None => Ok(0),
                Some(name) if name == "exec" => {
                    self.exec(&rest[1..], &[], &[]).await?;
                    Ok(self.status)
                }
                Some(name) if is_builtin(name) => Box::pin(self.run_builtin(&rest)).await,
                Some(_) => {
                    self.run_program(&rest).await?;
                    Ok(self.status)
                }
            };
        }
        let mut status = 0;
        for name in &argv[if is_type { 1 } else { 2 }..] {
            let found = crate::programs::find_for(&self.process, &self.get("PATH").unwrap_or_default(), name);
            let line = if self.functions.contains_key(name) {
                if short { name.clone() } else { format!("{name} is a function") }
            } else if is_builtin(name) {
                if short { name.clone() } else { format!("{name} is a shell builtin") }
            } else if let Some(path) = found {
                if short { path } else { format!("{name} is {path}") }
            } else {
                status = 127;
                if !short {
                    self.process.complain(&format!("{}: {name}: not found", argv[0])).await;
                }
                continue;
            };
            self.print(&format!("{line}\n")).await?;
        }
        Ok(status)
    }
}
