//! Status services with one thing wrong, to show that the harness has teeth: a stand-in for `smoke run --status-command`.
//!
//! ```text
//! mutant_status list                  every mutant and what it does
//! mutant_status MUTANT [PROGRAM]      the real status service (PROGRAM, or `appliance-status` where cargo puts it), changed
//!
//!   harness ── STATUS_LISTEN ── this ── another address, same port ── the real service, a child of this process
//! ```
//! The child gets the environment of this process except for `STATUS_LISTEN`. It ends with this process: by a signal to the
//! group, or because this process kills it when it ends.

mod documents;
mod mutants;
mod proxy;

use std::env;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use mutants::MUTANTS;
use proxy::Proxy;

/// Where the real service listens in the world's /24: nobody else has this number.
const BEHIND: u8 = 9;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            // A closed standard error is nobody's problem.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> io::Result<ExitCode> {
    let name = arguments.first().map_or("", String::as_str);
    if name == "list" {
        let mut out = io::stdout();
        for mutant in MUTANTS {
            writeln!(out, "{}\t{}", mutant.name, mutant.about)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Some(mutant) = MUTANTS.iter().find(|mutant| mutant.name == name) else {
        return Err(io::Error::other("usage: mutant_status list | MUTANT [PROGRAM]"));
    };
    let program = match arguments.get(1) {
        Some(program) => PathBuf::from(program),
        None => beside()?,
    };
    let known: SocketAddr = variable("STATUS_LISTEN", "127.0.0.1:8080").parse().map_err(io::Error::other)?;
    let token = variable("STATUS_TOKEN", "").trim().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let actual = behind(known);
        let proxy = Proxy::bind(known, actual, mutant, token).await?;
        let mut child = start(&program, actual)?;
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::select! {
            ended = child.wait() => {
                let code = ended?.code().and_then(|code| u8::try_from(code).ok());
                Ok(ExitCode::from(code.unwrap_or(1)))
            }
            failed = proxy.serve() => failed.map(|()| ExitCode::SUCCESS),
            _ = terminate.recv() => Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
        }
    })
}

fn start(program: &std::path::Path, listen: SocketAddr) -> io::Result<Child> {
    Command::new(program)
        .env("STATUS_LISTEN", listen.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::other(format!("start {}: {error}", program.display())))
}

/// `target/debug/appliance-status` of `target/debug/examples/mutant_status`.
fn beside() -> io::Result<PathBuf> {
    let own = env::current_exe()?;
    let folder = own.parent().and_then(|examples| examples.parent());
    folder
        .map(|folder| folder.join("appliance-status"))
        .ok_or_else(|| io::Error::other("find appliance-status"))
}

/// Another address of the same machine, with the same port, so that the service names the same port in its document.
fn behind(known: SocketAddr) -> SocketAddr {
    match known.ip() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            SocketAddr::from((Ipv4Addr::new(a, b, c, BEHIND), known.port()))
        }
        IpAddr::V6(_) => SocketAddr::from((Ipv4Addr::new(127, 0, 0, BEHIND), known.port())),
    }
}

fn variable(name: &str, otherwise: &str) -> String {
    env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}
