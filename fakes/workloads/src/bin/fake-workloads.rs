//! The stand-ins as programs of a container image: the name by which this is called says which one it is.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use fake_workloads::{Context, Mounts, Printed, Resolved, Taken, program};
use field_clock::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell says that finds no such command.
const NOT_FOUND: u8 = 127;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let called = arguments.next().unwrap_or_default();
    let log = Arc::new(Printed);
    let Some(program) = program(&called) else {
        fake_workloads::LogLine::line(&*log, &format!("{called}: no program of this image has this name"));
        return ExitCode::from(NOT_FOUND);
    };
    let stop = CancellationToken::new();
    end_when_asked(stop.clone());
    let memory = fake_workloads::Memory::default();
    tokio::spawn(Taken::follow(memory.clone()));
    let context = Context {
        env: std::env::vars().collect::<BTreeMap<String, String>>(),
        args: arguments.collect(),
        ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        mounts: Mounts::new(vec![(PathBuf::from("/"), PathBuf::from("/"))]),
        network: Arc::new(Resolved::default()),
        log,
        clock: Clock::wall(),
        memory,
        stop,
    };
    // A container's exit code is a byte.
    ExitCode::from(u8::try_from(program.run(context).await).unwrap_or(u8::MAX))
}

fn end_when_asked(stop: CancellationToken) {
    tokio::spawn(async move {
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            terminate.recv().await;
            stop.cancel();
        }
    });
}
