//! Connections that a service keeps for as long as it lives, and knows the state of.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::context::Context;
use crate::postgres::{Login, Session, SignInError};

/// What a service stays connected to.
#[derive(Debug, Clone)]
pub(crate) enum Peer {
    /// A PostgreSQL server, signed in.
    Postgres(Login),
    /// A Redis server, with its password.
    Redis { host: String, port: u16, password: String },
    /// Anything that listens.
    Tcp { name: &'static str, host: String, port: u16 },
}

impl Peer {
    fn describe(&self) -> String {
        match self {
            Self::Postgres(login) => format!("database {} at {}", login.database, login.address()),
            Self::Redis { host, port, .. } => format!("redis at {host}:{port}"),
            Self::Tcp { name, host, port } => format!("{name} at {host}:{port}"),
        }
    }
}

/// Stays connected to `peer`, says when that changes, and keeps `up` true while it is so.
pub(crate) async fn keep(context: Context, peer: Peer, retry: Duration, up: watch::Sender<bool>) {
    let name = peer.describe();
    let mut said = String::new();
    loop {
        match open(&context, &peer).await {
            Ok(mut connection) => {
                context.say(format!("connected to {name}"));
                said.clear();
                up.send_replace(true);
                connection.closed().await;
                up.send_replace(false);
                context.say(format!("lost {name}"));
            }
            // The same complaint every two seconds would tell nobody more.
            Err(reason) if reason != said => {
                context.say(format!("ERROR: {name}: {reason}"));
                said = reason;
            }
            Err(_) => {}
        }
        context.clock.sleep(retry).await;
    }
}

enum Connection {
    Postgres(Session),
    Plain(TcpStream),
}

impl Connection {
    async fn closed(&mut self) {
        match self {
            Self::Postgres(session) => session.closed().await,
            Self::Plain(stream) => {
                let mut rest = [0; 256];
                while matches!(stream.read(&mut rest).await, Ok(count) if count > 0) {}
            }
        }
    }
}

async fn open(context: &Context, peer: &Peer) -> Result<Connection, String> {
    match peer {
        Peer::Postgres(login) => match Session::open(context, login).await {
            Ok(session) => Ok(Connection::Postgres(session)),
            Err(error) => Err(chain(&error)),
        },
        Peer::Redis { host, port, password } => {
            let stream = context.network.connect(host, *port).await.map_err(|error| error.to_string())?;
            redis_sign_in(stream, password).await.map(Connection::Plain)
        }
        Peer::Tcp { host, port, .. } => context
            .network
            .connect(host, *port)
            .await
            .map(Connection::Plain)
            .map_err(|error| error.to_string()),
    }
}

/// An error and what caused it.
pub(crate) fn chain(error: &SignInError) -> String {
    match error {
        SignInError::Connect { source, .. } => source.to_string(),
        SignInError::Refused(_) => error.to_string(),
    }
}

async fn redis_sign_in(mut stream: TcpStream, password: &str) -> Result<TcpStream, String> {
    let hello = format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{password}\r\n*1\r\n$4\r\nPING\r\n", password.len());
    stream.write_all(hello.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"+PONG\r\n") {
        let mut chunk = [0; 256];
        let count = stream.read(&mut chunk).await.map_err(|error| error.to_string())?;
        answer.extend_from_slice(&chunk[..count]);
        if answer.starts_with(b"-") {
            return Err(String::from_utf8_lossy(&answer[1..]).lines().next().unwrap_or_default().to_owned());
        }
        if count == 0 {
            return Err("connection closed".to_owned());
        }
    }
    Ok(stream)
}
