//! `db`: a PostgreSQL server whose databases are SQLite files in its data directory.
//!
//! Environment: `PGDATA`, `PGPORT` (5432), `POSTGRES_USER` (postgres), `POSTGRES_PASSWORD` or `POSTGRES_PASSWORD_FILE`. As in
//! the image that it stands for, user and password count when the data directory is made, and never again.

mod cluster;
mod columns;
mod command;
mod error;
mod functions;
mod session;
mod token;
mod translate;
mod wire;

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pgwire::tokio::process_socket;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use cluster::Cluster;
pub use cluster::ClusterError;
use wire::{Backend, Handlers};

use crate::context::Context;

/// How often everything is written to the disk, as `checkpoint_timeout` of a server that nobody told otherwise.
const CHECKPOINT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(300);

pub(crate) const VERSION: &str = "PostgreSQL 16.6 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit";

/// A running server.
pub(crate) struct Server {
    context: Context,
    cluster: Arc<Cluster>,
}

impl Server {
    /// Writes a line to the log as PostgreSQL does.
    fn log(&self, text: &str) {
        log(&self.context, text);
    }
}

fn log(context: &Context, text: &str) {
    let now = context.clock.now().strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string();
    context.say(format!("{now} [1] {text}"));
}

/// Runs the server.
pub async fn run(context: Context) -> i32 {
    let data = PathBuf::from(context.text("PGDATA", "/var/lib/postgresql/data"));
    let port = match context.number("PGPORT", 5432_u16) {
        Ok(port) => port,
        Err(error) => return context.fail(format!("FATAL:  {error}")),
    };
    let Some(root) = context.mounts.resolve(&data) else {
        return context.fail(format!(
            "initdb: error: could not create directory \"{}\": Read-only file system",
            data.display()
        ));
    };
    let cluster = match open(&context, &data, &root) {
        Ok(cluster) => Arc::new(cluster),
        Err(code) => return code,
    };
    if let Err(refused) = cluster.log_room() {
        log(&context, &format!("FATAL:  {refused}"));
        log(&context, "LOG:  startup process (PID 29) exited with exit code 1");
        log(&context, "LOG:  aborting startup due to startup process failure");
        log(&context, "LOG:  database system is shut down");
        return 1;
    }
    let listener = match context.listen(port).await {
        Ok(listener) => listener,
        Err(error) => {
            log(&context, &format!("LOG:  could not bind IPv4 address \"{}\": {error}", context.ip));
            log(&context, "FATAL:  could not create any TCP/IP sockets");
            return 1;
        }
    };
    log(&context, &format!("LOG:  starting {VERSION}"));
    log(&context, &format!("LOG:  listening on IPv4 address \"0.0.0.0\", port {port}"));
    log(&context, "LOG:  database system is ready to accept connections");
    serve(Arc::new(Server { context, cluster }), listener).await
}

async fn serve(server: Arc<Server>, listener: TcpListener) -> i32 {
    let mut clients = JoinSet::new();
    let clock = server.context.clock.clone();
    let mut checkpoint = clock.now() + CHECKPOINT_TIMEOUT;
    loop {
        tokio::select! {
            () = clock.sleep_until(checkpoint) => {
                checkpoint += CHECKPOINT_TIMEOUT;
                if let Err(refused) = server.cluster.log_room() {
                    server.log(&format!("PANIC:  {refused}"));
                    server.log("LOG:  server process (PID 29) was terminated by signal 6: Aborted");
                    server.log("LOG:  terminating any other active server processes");
                    server.log("LOG:  database system is shut down");
                    return 1;
                }
            }
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let backend = Arc::new(Backend::new(Arc::clone(&server)));
                    clients.spawn(process_socket(stream, None, Handlers(backend)));
                }
            }
            Some(_) = clients.join_next() => {}
        }
    }
}

/// Opens the cluster in `root`, which the container knows as `data`, or makes one.
fn open(context: &Context, data: &Path, root: &Path) -> Result<Cluster, i32> {
    if Cluster::exists(root) {
        context.say("PostgreSQL Database directory appears to contain a database; Skipping initialization");
        let opened = Cluster::open(root, context.room());
        return opened.map_err(|error| context.fail(format!("FATAL:  {}", told(&error, data))));
    }
    let user = context.text("POSTGRES_USER", "postgres");
    let Some(password) = password(context) else {
        context.say("Error: Database is uninitialized and superuser password is not specified.");
        return Err(
            context.fail("       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.")
        );
    };
    context.say(format!("The files belonging to this database system will be owned by user \"{user}\"."));
    let cluster = Cluster::init(root, &user, &password, context.room()).map_err(|error| match error {
        ClusterError::Full => no_room_to_begin(context, data, &error),
        other => context.fail(format!("initdb: error: {}", told(&other, data))),
    })?;
    context.say("PostgreSQL init process complete; ready for start up.");
    Ok(cluster)
}

/// What initdb says when its server finds no room. It leaves nothing behind.
fn no_room_to_begin(context: &Context, data: &Path, error: &ClusterError) -> i32 {
    context.say(format!("running bootstrap script ... FATAL:  {error}"));
    context.say("HINT:  Check free disk space.");
    context.say("child process exited with exit code 1");
    context.fail(format!("initdb: removing contents of data directory \"{}\"", data.display()))
}

/// An error with its cause, and with the path that the container knows.
fn told(error: &ClusterError, data: &Path) -> String {
    match error {
        ClusterError::NotEmpty(_) => format!("directory \"{}\" exists but is not empty", data.display()),
        ClusterError::File { source, .. } => {
            format!("could not access directory \"{}\": {source}", data.display())
        }
        ClusterError::Full => error.to_string(),
        ClusterError::Catalogue(_) => {
            error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
        }
    }
}

fn password(context: &Context) -> Option<String> {
    if let Some(password) = context.var("POSTGRES_PASSWORD") {
        return Some(password.to_owned());
    }
    let file = context.mounts.resolve(Path::new(context.var("POSTGRES_PASSWORD_FILE")?))?;
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim_end().to_owned()).filter(|password| !password.is_empty())
}
