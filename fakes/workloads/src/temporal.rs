//! `temporal`: a Temporal server. With the argument `autosetup` it makes its schema first; without one it cannot start.
//!
//! Environment: `BIND_PORT` (7233), `FRONTEND_HTTP_PORT` (7243), `POSTGRES_SEEDS`, `DB_PORT`, `DBNAME` (temporal), `POSTGRES_USER`, `POSTGRES_PWD`.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::context::Context;
use crate::link::chain;
use crate::postgres::{Login, Said, Session, SignInError, identifier};
use crate::settings::SettingError;

/// The schema that this server needs.
const SCHEMA_VERSION: &str = "1.14";

/// Runs the server.
pub async fn run(context: Context) -> i32 {
    match start(&context).await {
        Ok(code) => code,
        Err(error) => context.fail(format!("Unable to load configuration: {error}")),
    }
}

async fn start(context: &Context) -> Result<i32, SettingError> {
    let port: u16 = context.yaml_number("BIND_PORT", 7233)?;
    let http_port: u16 = context.yaml_number("FRONTEND_HTTP_PORT", 7243)?;
    let retry = context.retry_interval()?;
    let login = Login {
        host: context.required("POSTGRES_SEEDS")?,
        port: context.number("DB_PORT", 5432)?,
        user: context.text("POSTGRES_USER", "postgres"),
        password: context.required("POSTGRES_PWD")?,
        database: context.text("DBNAME", "temporal"),
    };
    let autosetup = context.args.iter().any(|argument| argument == "autosetup");
    if autosetup && let Err(error) = set_up(context, &login, retry).await {
        return Ok(context.fail(format!("Unable to set up the schema: {error}")));
    }
    if let Err(reason) = check_schema(context, &login).await {
        return Ok(context.fail(format!(
            "Unable to create server. Error: sql schema version compatibility check failed: {reason}"
        )));
    }
    let listeners = async {
        Ok::<_, (u16, std::io::Error)>((
            context.listen(port).await.map_err(|error| (port, error))?,
            context.listen(http_port).await.map_err(|error| (http_port, error))?,
        ))
    };
    let (rpc, http) = match listeners.await {
        Ok(listeners) => listeners,
        Err((port, error)) => {
            return Ok(
                context.fail(format!("Unable to start server. Error: listen tcp :{port}: bind: {error}"))
            );
        }
    };
    context.say(format!("Frontend is now healthy, listening on port {port}"));
    let (code, _) = tokio::join!(hold(rpc), hold(http));
    Ok(code)
}

/// Holds the connections of clients until they go.
async fn hold(listener: TcpListener) -> i32 {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((mut stream, _)) = accepted else { continue };
                clients.spawn(async move {
                    let mut rest = [0; 1024];
                    while matches!(stream.read(&mut rest).await, Ok(count) if count > 0) {}
                });
            }
            Some(_) = clients.join_next() => {}
        }
    }
}

/// Waits for the database server, then makes database and schema unless they are there.
async fn set_up(context: &Context, login: &Login, retry: Duration) -> Result<(), String> {
    let mut waiting = false;
    let session = loop {
        match Session::open(context, &login.in_database("postgres")).await {
            Ok(session) => break session,
            Err(error @ SignInError::Refused(_)) if error.is_authentication() => return Err(pq(&error)),
            Err(_) => {}
        }
        if !waiting {
            context.say("Waiting for PostgreSQL to startup.");
            waiting = true;
        }
        context.clock.sleep(retry).await;
    };
    context.say("PostgreSQL started.");
    let known =
        format!("SELECT 1 FROM pg_database WHERE datname = {}", crate::postgres::literal(&login.database));
    if session.scalar(&known).await.map_err(|error| Said(&error).to_string())?.is_none() {
        let create = format!("CREATE DATABASE {}", identifier(&login.database));
        session.run(&create).await.map_err(|error| Said(&error).to_string())?;
    }
    let session = Session::open(context, login).await.map_err(|error| pq(&error))?;
    let schema = format!(
        "CREATE TABLE IF NOT EXISTS schema_version (version_partition INT NOT NULL, db_name VARCHAR(255) NOT NULL, curr_version VARCHAR(64), PRIMARY KEY (version_partition, db_name));
         CREATE TABLE IF NOT EXISTS namespaces (id BYTEA NOT NULL PRIMARY KEY, name VARCHAR(255) UNIQUE NOT NULL);
         INSERT INTO schema_version VALUES (0, 'temporal', '{SCHEMA_VERSION}') ON CONFLICT (version_partition, db_name) DO UPDATE SET curr_version = '{SCHEMA_VERSION}'"
    );
    session.run(&schema).await.map_err(|error| Said(&error).to_string())?;
    context.say(format!("Schema setup complete, version {SCHEMA_VERSION}"));
    Ok(())
}

async fn check_schema(context: &Context, login: &Login) -> Result<(), String> {
    let session = Session::open(context, login).await.map_err(|error| pq(&error))?;
    let version = session
        .scalar(
            "SELECT curr_version FROM schema_version WHERE version_partition = 0 AND db_name = 'temporal'",
        )
        .await
        .map_err(|error| {
            error.as_db_error().map_or_else(|| error.to_string(), |said| format!("pq: {}", said.message()))
        })?;
    match version {
        Some(version) if version == SCHEMA_VERSION => Ok(()),
        other => {
            Err(format!("version mismatch: expected {SCHEMA_VERSION}, found {}", other.unwrap_or_default()))
        }
    }
}

/// A refusal as Go's driver says it.
fn pq(error: &SignInError) -> String {
    match error {
        SignInError::Connect { .. } => chain(error),
        SignInError::Refused(said) => match said.as_db_error() {
            Some(said) => format!("pq: {}", said.message()),
            None => said.to_string(),
        },
    }
}
