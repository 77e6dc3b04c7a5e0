//! Programs: what a name or a path in a container runs.

use std::os::unix::fs::PermissionsExt as _;

use cluster_node::StartError;
use futures::future::BoxFuture;

use crate::applets;
use crate::files::Follow;
use crate::images;
use crate::process::Process;
use crate::signal::{Sender, Signal};

/// What a shell puts before what it says.
pub(crate) struct Reporter {
    pub(crate) prefix: String,
}

/// Why a program cannot be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unrunnable {
    NotFound,
    NotThere,
    Denied,
}

/// What is behind a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// A command of busybox.
    Applet(String),
    /// The program of another image.
    Image(String),
    /// A text with the program that reads it.
    Script { path: String, interpreter: Vec<String> },
}

/// Finds a program by its name or path.
pub(crate) fn find(process: &Process, search: &str, name: &str) -> Result<(String, Program), Unrunnable> {
    if name.contains('/') {
        return look(process, name).map(|program| (name.to_owned(), program));
    }
    let mut failure = Unrunnable::NotFound;
    for directory in search.split(':') {
        let directory = if directory.is_empty() { "." } else { directory };
        let path = format!("{}/{name}", directory.trim_end_matches('/'));
        match look(process, &path) {
            Ok(program) => return Ok((path, program)),
            Err(Unrunnable::Denied) => failure = Unrunnable::Denied,
            Err(_) => {}
        }
    }
    Err(failure)
}

/// Where programs are looked for when the environment does not say it.
const USUAL_SEARCH: &str = "/sbin:/usr/sbin:/bin:/usr/bin";

fn search_path(process: &Process) -> String {
    process.env.get("PATH").cloned().unwrap_or_else(|| USUAL_SEARCH.into())
}

/// The path of a program, for `command -v`.
pub(crate) fn find_for(process: &Process, search: &str, name: &str) -> Option<String> {
    find(process, search, name).ok().map(|(path, _)| path)
}

fn look(process: &Process, path: &str) -> Result<Program, Unrunnable> {
    let place = process.files().find(&process.cwd, path, Follow::Yes).map_err(|_| Unrunnable::NotThere)?;
    let found = place.host.metadata().map_err(|_| Unrunnable::NotThere)?;
    if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
        return Err(Unrunnable::Denied);
    }
    match place.inside.as_str() {
        "/bin/busybox" => {
            let name = path.rsplit('/').next().unwrap_or(path);
            return Ok(Program::Applet(name.to_owned()));
        }
        inside if images::is_program(inside) => {
            return Ok(Program::Image(inside.rsplit('/').next().unwrap_or(inside).to_owned()));
        }
        _ => {}
    }
    let text = process.files().read(&process.cwd, path).map_err(|_| Unrunnable::Denied)?;
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let interpreter = match first.strip_prefix("#!") {
        Some(line) => line.trim().splitn(2, ' ').map(|part| part.trim().to_owned()).collect(),
        None => vec!["/bin/sh".to_owned()],
    };
    Ok(Program::Script { path: path.to_owned(), interpreter })
}

/// Runs a program that was found, in this process.
pub(crate) fn run(process: Process, argv: Vec<String>, program: Program) -> BoxFuture<'static, i32> {
    match program {
        Program::Applet(name) => applets::run(process, name, argv),
        Program::Image(name) => images::run(process, name, argv),
        Program::Script { path, interpreter } => Box::pin(async move {
            let search = search_path(&process);
            let mut line = interpreter;
            line.push(path.clone());
            line.extend(argv.into_iter().skip(1));
            match find(&process, &search, &line[0]) {
                Ok((_, Program::Script { .. })) | Err(_) => {
                    process.complain(&format!("sh: {path}: not found")).await;
                    127
                }
                Ok((_, program)) => run(process, line, program).await,
            }
        }),
    }
}

/// Finds and runs a program; a failure is told in the words of the shell that wants it.
pub(crate) async fn run_for_shell(process: Process, argv: Vec<String>, reporter: Reporter) -> i32 {
    let search = search_path(&process);
    match find(&process, &search, &argv[0]) {
        Ok((_, program)) => run(process, argv, program).await,
        Err(failure) => {
            let (text, status) = match failure {
                Unrunnable::NotFound | Unrunnable::NotThere => ("not found", 127),
                Unrunnable::Denied => ("Permission denied", 126),
            };
            process.complain(&format!("{}{}: {text}", reporter.prefix, argv[0])).await;
            status
        }
    }
}

/// Finds and runs a program for another one, such as `xargs`.
pub(crate) async fn run_for(name: &str, process: Process, argv: Vec<String>) -> i32 {
    let search = search_path(&process);
    match find(&process, &search, &argv[0]) {
        Ok((_, program)) => run(process, argv, program).await,
        Err(failure) => {
            let (text, status) = match failure {
                Unrunnable::NotFound | Unrunnable::NotThere => ("No such file or directory", 127),
                Unrunnable::Denied => ("Permission denied", 126),
            };
            process.complain(&format!("{name}: {}: {text}", argv[0])).await;
            status
        }
    }
}

/// Why a container runtime cannot start a command.
pub(crate) fn start_error(failure: Unrunnable, name: &str) -> StartError {
    match failure {
        Unrunnable::NotFound | Unrunnable::NotThere => StartError::not_found(name),
        Unrunnable::Denied => StartError::NotExecutable { program: name.to_owned() },
    }
}

/// `kill`: the text to print, or what went wrong.
pub(crate) fn kill(process: &Process, args: &[String]) -> Result<String, String> {
    let mut signal = Signal::TERM;
    let mut rest = args;
    if let Some((first, more)) = rest.split_first() {
        if first == "-l" {
            return Ok("HUP INT QUIT ILL TRAP ABRT FPE KILL USR1 SEGV USR2 PIPE ALRM TERM CHLD CONT\n".into());
        }
        let name = match (first.as_str(), more.first()) {
            ("-s", Some(name)) => {
                rest = &more[1..];
                Some(name.as_str())
            }
            (first, _) if first.starts_with('-') && more.is_empty() && first[1..].parse::<u32>().is_ok() => {
                None
            }
            (first, _) => {
                let name = first.strip_prefix('-').filter(|name| *name != "-");
                rest = if name.is_some() || first == "--" { more } else { rest };
                name
            }
        };
        if let Some(name) = name {
            signal = Signal::parse(name).ok_or_else(|| format!("bad signal name '{name}'"))?;
        }
    }
    if rest.is_empty() {
        return Err("you need to specify whom to kill".into());
    }
    for target in rest {
        let pid: i64 = target.parse().map_err(|_| format!("invalid number '{target}'"))?;
        if pid <= 0 {
            process.world.processes.send_to_all_but(process.pid, signal);
            continue;
        }
        let found = u32::try_from(pid).ok().and_then(|pid| process.world.processes.signals(pid));
        match found {
            Some(signals) if signal.0 > 0 => signals.send(signal, Sender::Inside),
            Some(_) => {}
            None => return Err(format!("can't kill pid {pid}: No such process")),
        }
    }
    Ok(String::new())
}
