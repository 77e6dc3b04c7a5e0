//! `nc`, in the small form that Debian's busybox has.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::super::options::{Options, usage};
use super::super::{Done, Fault, conclude};
use super::resolve;
use crate::descriptor::{Descriptor, strerror};
use crate::process::Process;
use crate::programs;

/// Runs `nc`.
pub(in super::super) async fn nc(process: Process, argv: Vec<String>) -> i32 {
    let args = argv.get(1..).unwrap_or_default();
    // What follows -e is a command with its arguments.
    let split = args.iter().position(|arg| arg == "-e");
    let (args, command) = match split {
        Some(at) => (&args[..at], args[at + 1..].to_vec()),
        None => (args, Vec::new()),
    };
    match connect(&process, args, &command).await {
        Ok(Connected::Peer(stream)) if !command.is_empty() => become_command(process, stream, command).await,
        Ok(Connected::Peer(stream)) => {
            let done = copy(&process, Arc::new(stream)).await;
            conclude(&process, "nc", done).await
        }
        Ok(Connected::Left(code)) => code,
        Err(fault) => conclude(&process, "nc", Err(fault)).await,
    }
}

enum Connected {
    Peer(TcpStream),
    Left(i32),
}

async fn connect(process: &Process, args: &[String], command: &[String]) -> Result<Connected, Fault> {
    let options = Options::read(process, "nc", "lp:w:i:f:", args).await?;
    let listens = options.count('l');
    let within = match options.value('w') {
        None => None,
        Some(text) => match text.parse::<u64>() {
            Ok(seconds) => Some(Duration::from_secs(seconds)).filter(|within| !within.is_zero()),
            Err(_) => {
                process.complain(&format!("nc: invalid number '{text}'")).await;
                return Ok(Connected::Left(1));
            }
        },
    };
    let attempt = async {
        if listens > 0 {
            let port = options.value('p').and_then(|port| port.parse().ok()).unwrap_or(0);
            listen(process, port, listens, command).await
        } else {
            match &options.rest[..] {
                [host, port, ..] => dial(process, host, port).await,
                _ => Err(usage(process, "nc").await),
            }
        }
    };
    let Some(within) = within else { return attempt.await };
    match process.clock().timeout(within, attempt).await {
        Ok(done) => done,
        Err(_) => {
            process.complain("nc: timed out").await;
            Ok(Connected::Left(1))
        }
    }
}

async fn dial(process: &Process, host: &str, port: &str) -> Result<Connected, Fault> {
    let Ok(port) = port.parse::<u16>() else {
        process.complain(&format!("nc: bad port '{port}'")).await;
        return Ok(Connected::Left(1));
    };
    let Some(ip) = resolve(process, host).await else {
        process.complain(&format!("nc: bad address '{host}'")).await;
        return Ok(Connected::Left(1));
    };
    match process.world.network.connect_to(SocketAddr::new(ip, port)).await {
        Ok(stream) => Ok(Connected::Peer(stream)),
        Err(error) => {
            process.complain(&format!("nc: can't connect to remote host ({ip}): {}", strerror(&error))).await;
            Ok(Connected::Left(1))
        }
    }
}

async fn listen(
    process: &Process,
    port: u16,
    listens: usize,
    command: &[String],
) -> Result<Connected, Fault> {
    let listener = match TcpListener::bind((process.world.ip, port)).await {
        Ok(listener) => listener,
        Err(error) => {
            process.complain(&format!("nc: bind: {}", strerror(&error))).await;
            return Ok(Connected::Left(1));
        }
    };
    if port == 0
        && let Ok(address) = listener.local_addr()
    {
        process.complain(&address.port().to_string()).await;
    }
    loop {
        let (stream, _) = listener.accept().await?;
        if listens < 2 || command.is_empty() {
            return Ok(Connected::Peer(stream));
        }
        let (child, command) = (process.fork(), command.to_vec());
        child.start(command.join(" "), |child| Box::pin(become_command(child, stream, command)));
    }
}

async fn become_command(mut process: Process, stream: TcpStream, command: Vec<String>) -> i32 {
    let socket = Descriptor::Socket(Arc::new(stream));
    process.descriptors.insert(0, socket.clone());
    process.descriptors.insert(1, socket);
    programs::run_for("nc", process, command).await
}

/// Copies both ways until the other side ends.
async fn copy(process: &Process, stream: Arc<TcpStream>) -> Done {
    let socket = Descriptor::Socket(Arc::clone(&stream));
    let sending = async {
        let mut buffer = vec![0; 8192];
        loop {
            let length = process.read(&mut buffer).await.unwrap_or(0);
            if length == 0 || socket.write(&buffer[..length]).await.is_err() {
                break;
            }
        }
        // A peer that is gone need not be told.
        let _ = socket2::SockRef::from(&*stream).shutdown(std::net::Shutdown::Write);
        std::future::pending::<()>().await;
    };
    let receiving = async {
        let mut buffer = vec![0; 8192];
        loop {
            match socket.read(&mut buffer).await {
                Ok(0) => return Ok(0),
                Ok(length) => process.out(&buffer[..length]).await?,
                Err(error) => {
                    process.complain(&format!("nc: read error: {}", strerror(&error))).await;
                    return Ok(1);
                }
            }
        }
    };
    tokio::select! {
        () = sending => Ok(0),
        done = receiving => done,
    }
}
