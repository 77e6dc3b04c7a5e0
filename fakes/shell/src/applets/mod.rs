//! The commands of busybox 1.35, as far as they are here.

mod checksums;
mod copying;
mod editing;
mod filter;
mod finding;
mod listing;
mod net;
mod options;
mod paths;
mod plain;
mod regexes;
mod running;
mod searching;
mod sorting;
mod system;
mod tape;
mod time;
mod views;

use std::io;

use futures::future::BoxFuture;

use crate::descriptor::strerror;
use crate::memory::Exhausted;
use crate::process::Process;
use crate::shell;
use crate::signal::Signal;

/// Every command that the image has.
pub(crate) const NAMES: [&str; 92] = [
    "[",
    "[[",
    "arch",
    "ash",
    "awk",
    "base64",
    "basename",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "clear",
    "cmp",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "egrep",
    "env",
    "expr",
    "false",
    "fgrep",
    "find",
    "fold",
    "free",
    "getopt",
    "grep",
    "groups",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "httpd",
    "id",
    "install",
    "kill",
    "killall",
    "ln",
    "logger",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mktemp",
    "mount",
    "mv",
    "nc",
    "nl",
    "nohup",
    "nslookup",
    "od",
    "paste",
    "pidof",
    "ping",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rev",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sh",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "sleep",
    "sort",
    "stat",
    "sync",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "uname",
    "uniq",
    "usleep",
    "wc",
    "wget",
    "whoami",
];
/// Those that did not fit the line above.
pub(crate) const MORE_NAMES: [&str; 5] = ["xargs", "yes", "tac", "top", "uptime"];

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nobody reads what it writes.
    Pipe,
    /// It is killed for its memory.
    Memory,
    /// Its output cannot be written.
    Output(io::Error),
    /// It was used wrongly, and said so.
    Usage,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Pipe } else { Self::Output(error) }
    }
}

impl From<Exhausted> for Fault {
    fn from(_: Exhausted) -> Self {
        Self::Memory
    }
}

/// The exit status of a command.
pub(crate) type Done = Result<i32, Fault>;

/// Runs a command in this process.
pub(crate) fn run(process: Process, name: String, mut argv: Vec<String>) -> BoxFuture<'static, i32> {
    let name = if name == "busybox" {
        argv.remove(0);
        match argv.first() {
            Some(name) => name.clone(),
            None => "true".into(),
        }
    } else {
        name
    };
    match name.as_str() {
        "sh" | "ash" => shell::main(process, argv),
        "env" | "nohup" | "timeout" => Box::pin(running::replace(process, name, argv)),
        "nc" => Box::pin(net::nc(process, argv)),
        _ => Box::pin(async move {
            let done = dispatch(&process, &name, &argv).await;
            conclude(&process, &name, done).await
        }),
    }
}

/// The exit status, after what has to be said was said.
pub(crate) async fn conclude(process: &Process, name: &str, done: Done) -> i32 {
    match done {
        Ok(_) if process.memory.is_exhausted() => Signal::KILL.status(),
        Ok(code) => code,
        Err(Fault::Pipe) => Signal::PIPE.status(),
        Err(Fault::Memory) => Signal::KILL.status(),
        Err(Fault::Usage) => 1,
        Err(Fault::Output(error)) => {
            process.complain(&format!("{name}: write error: {}", strerror(&error))).await;
            1
        }
    }
}

async fn dispatch(process: &Process, name: &str, argv: &[String]) -> Done {
    let args = argv.get(1..).unwrap_or_default();
    match name {
        "cat" | "tac" | "rev" | "nl" | "fold" | "tee" | "paste" | "od" => {
            plain::run(process, name, args).await
        }
        "head" | "tail" => views::run(process, name, args).await,
        "wc" | "sort" | "uniq" | "cmp" | "diff" => sorting::run(process, name, args).await,
        "cut" | "tr" | "seq" | "yes" | "expr" | "awk" => filter::run(process, name, args).await,
        "grep" | "egrep" | "fgrep" => searching::grep(process, name, args).await,
        "sed" => editing::sed(process, args).await,
        "ls" | "stat" | "du" | "df" | "mount" => listing::run(process, name, args).await,
        "find" => finding::find(process, args).await,
        "cp" | "mv" | "dd" | "install" => copying::run(process, name, args).await,
        "mkdir" | "rm" | "rmdir" | "ln" | "touch" | "chmod" | "chown" | "chgrp" | "mktemp" | "mkfifo"
        | "readlink" | "realpath" | "basename" | "dirname" => paths::run(process, name, args).await,
        "sleep" | "usleep" | "date" | "uptime" => time::run(process, name, args).await,
        "md5sum" | "sha1sum" | "sha256sum" | "sha512sum" | "base64" => {
            checksums::run(process, name, args).await
        }
        "tar" | "gzip" | "gunzip" => tape::run(process, name, args).await,
        "xargs" => running::xargs(process, args).await,
        "httpd" => net::httpd(process, args).await,
        "wget" => net::wget(process, args).await,
        "nslookup" => net::nslookup(process, args).await,
        "ping" => {
            process.complain("ping: permission denied (are you root?)").await;
            Ok(1)
        }
        "true" | "sync" | "clear" | "logger" => Ok(0),
        "false" => Ok(1),
        "echo" => {
            process.out(shell::echo(args)).await?;
            Ok(0)
        }
        "printf" => match shell::printf(args) {
            Ok(printed) => {
                process.out(&printed.text).await?;
                Ok(i32::from(!printed.complaints.is_empty()))
            }
            Err(text) => {
                process.complain(&text).await;
                Ok(1)
            }
        },
        "test" | "[" | "[[" => match shell::test(process, argv) {
            Ok(holds) => Ok(i32::from(!holds)),
            Err(text) => {
                process.complain(&format!("{name}: {text}")).await;
                Ok(2)
            }
        },
        "kill" => match crate::programs::kill(process, args) {
            Ok(text) => {
                process.out(text).await?;
                Ok(0)
            }
            Err(text) => {
                process.complain(&format!("kill: {text}")).await;
                Ok(1)
            }
        },
        "pwd" => {
            process.out(format!("{}\n", process.cwd)).await?;
            Ok(0)
        }
        _ => match system::run(process, name, args).await? {
            Some(code) => Ok(code),
            None => {
                process.complain(&format!("{name}: applet not found")).await;
                Ok(127)
            }
        },
    }
}
