//! `pgbouncer`: the way from the workers to the database.
//!
//! It signs in to the database as its own user first, keeps that session, and has its port open exactly as long: a port that
//! answers is a database that can be reached. Sessions of clients go through as they are, sign-in included.
//!
//! Environment: `LISTEN_PORT` (6432), `DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_USER`, `DB_PASSWORD`, `RETRY_INTERVAL_SECONDS`.

use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::context::Context;
use crate::link::chain;
use crate::postgres::{Login, Session};
use crate::settings::SettingError;

/// Runs the pool.
pub async fn run(context: Context) -> i32 {
    match pool(&context).await {
        Ok(never) => never,
        Err(error) => context.fail(format!("FATAL {error}")),
    }
}

async fn pool(context: &Context) -> Result<i32, SettingError> {
    let port: u16 = context.number("LISTEN_PORT", 6432)?;
    let retry: Duration = context.retry_interval()?;
    let login = Login {
        host: context.required("DB_HOST")?,
        port: context.number("DB_PORT", 5432)?,
        user: context.required("DB_USER")?,
        password: context.required("DB_PASSWORD")?,
        database: context.text("DB_NAME", "server"),
    };
    context.say(format!(
        "LOG kernel file descriptor limit: 1048576; max_client_conn: 100; server {}",
        login.address()
    ));
    let mut said = String::new();
    loop {
        match Session::open(context, &login).await {
            Ok(mut session) => {
                said.clear();
                let Ok(listener) = context.listen(port).await else {
                    return Ok(context.fail(format!("FATAL unix/tcp socket: port {port} is already in use")));
                };
                context.say(format!("LOG listening on 0.0.0.0:{port}"));
                tokio::select! {
                    () = session.closed() => context.say("WARNING server conn crashed?"),
                    () = forward(context, &login, listener) => {}
                }
            }
            Err(error) => {
                let reason = chain(&error);
                if reason != said {
                    context.say(format!(
                        "ERROR S: {}/{}@{} login failed: {reason}",
                        login.database,
                        login.user,
                        login.address()
                    ));
                    said = reason;
                }
            }
        }
        context.clock.sleep(retry).await;
    }
}

async fn forward(context: &Context, login: &Login, listener: TcpListener) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    clients.spawn(carry(context.clone(), login.clone(), client));
                }
            }
            Some(_) = clients.join_next() => {}
        }
    }
}

async fn carry(context: Context, login: Login, mut client: TcpStream) {
    // Whether or not it can be set, the bytes arrive.
    let _ = client.set_nodelay(true);
    match context.network.connect(&login.host, login.port).await {
        Ok(mut server) => {
            let _ = server.set_nodelay(true);
            // Either side may break off at any time.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        Err(error) => context.say(format!("WARNING server connect failed: {error}")),
    }
}
