//! `workflow-worker`, `temporal-worker`, `email-service`: services that hold connections and say whether they have them.
//!
//! | variable | meaning |
//! |---|---|
//! | `HEALTH_PORT` | where `/health` (all connections stand) and `/livez` (the process lives) are, 8080 |
//! | `DB_HOST`, `DB_PORT`, `DB_NAME_SERVER`, `DB_USER_SERVER`, `DB_PASSWORD_SERVER` | the database |
//! | `REDIS_HOST`, `REDIS_PORT`, `REDIS_PASSWORD` | Redis, if set |
//! | `TEMPORAL_ADDRESS` | Temporal as `host:port`, if set |
//! | `RETRY_INTERVAL_SECONDS` | between two tries, 2 |
//!
//! Its start script keeps the container up when the worker itself has failed, and its health page with it.

use http::StatusCode;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::context::Context;
use crate::http_server::{Answer, serve, text};
use crate::link::{Peer, keep};
use crate::postgres::Login;
use crate::settings::SettingError;

/// Runs a worker.
pub async fn run(context: Context) -> i32 {
    match start(&context).await {
        Ok(code) => code,
        Err(error) => context.fail(format!("FATAL: {error}")),
    }
}

async fn start(context: &Context) -> Result<i32, SettingError> {
    let port: u16 = context.number("HEALTH_PORT", 8080)?;
    let retry = context.retry_interval()?;
    let mut links = JoinSet::new();
    let mut states = Vec::new();
    let failed = context.var("BUILD_SLEEPS");
    if let Some(reason) = failed {
        context.say(format!("ERROR: {reason}"));
        context.say("Entering sleep loop after failure");
    }
    // Health that never comes is a connection that never stands.
    let (_unwell, never) = watch::channel(false);
    if let Some(reason) = context.var("BUILD_UNREADY") {
        context.say(format!("ERROR: {reason}"));
        states.push(never);
    }
    for peer in peers(context)?.into_iter().filter(|_| failed.is_none()) {
        let (up, state) = watch::channel(false);
        links.spawn(keep(context.clone(), peer, retry, up));
        states.push(state);
    }
    let listener = match context.listen(port).await {
        Ok(listener) => listener,
        Err(error) => return Ok(context.fail(format!("FATAL: listen on port {port}: {error}"))),
    };
    context.say(format!("health server listening on port {port}"));
    serve(listener, move |request| {
        let answer = health(request.uri().path(), states.iter().all(|state| *state.borrow()));
        async move { answer }
    })
    .await;
    Ok(0)
}

fn health(path: &str, connected: bool) -> Answer {
    match path {
        "/livez" => text(StatusCode::OK, "ok"),
        "/" | "/health" | "/healthz" | "/readyz" if connected => text(StatusCode::OK, "ok"),
        "/" | "/health" | "/healthz" | "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "not connected"),
        _ => text(StatusCode::NOT_FOUND, "not found"),
    }
}

fn peers(context: &Context) -> Result<Vec<Peer>, SettingError> {
    let mut peers = vec![Peer::Postgres(Login::of_server(context)?)];
    peers.extend(redis(context)?);
    if let Some(address) = context.var("TEMPORAL_ADDRESS") {
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "7233"));
        let port = port
            .parse()
            .map_err(|_| SettingError::NotANumber { name: "TEMPORAL_ADDRESS", value: address.to_owned() })?;
        peers.push(Peer::Tcp { name: "temporal", host: host.to_owned(), port });
    }
    Ok(peers)
}

/// The Redis server that the environment names, if it names one.
pub(crate) fn redis(context: &Context) -> Result<Option<Peer>, SettingError> {
    let Some(host) = context.var("REDIS_HOST") else { return Ok(None) };
    Ok(Some(Peer::Redis {
        host: host.to_owned(),
        port: context.number("REDIS_PORT", 6379)?,
        password: context.text("REDIS_PASSWORD", ""),
    }))
}
