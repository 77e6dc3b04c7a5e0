//! `redis`: a Redis server with an append-only file in its data directory.
//!
//! Environment: `REDIS_LISTEN_PORT` (6379), `REDIS_DATA_DIR` (/data), `REDIS_PASSWORD` (none: everybody may).

mod keyspace;
mod resp;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use field_clock::Clock;
use keyspace::Keyspace;
use resp::{Reader, Reply};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::context::Context;
use crate::room::{BLOCK, NO_SPACE, Room};

struct Server {
    keys: Mutex<(Keyspace, File)>,
    password: Option<String>,
    clock: Clock,
    room: Room,
    /// Where the file is.
    file: PathBuf,
    context: Context,
    /// The last write found no room; until one does, nothing else is answered.
    refused: AtomicBool,
}

/// Runs the server.
pub async fn run(context: Context) -> i32 {
    let port = match context.number("REDIS_LISTEN_PORT", 6379_u16) {
        Ok(port) => port,
        Err(error) => return context.fail(format!("*** FATAL CONFIG FILE ERROR *** {error}")),
    };
    let directory = PathBuf::from(context.text("REDIS_DATA_DIR", "/data"));
    let opened = match context.mounts.resolve(&directory) {
        Some(directory) => load(&directory, &context.room()),
        None => Err(std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem)),
    };
    let keys = match opened {
        Ok(keys) => keys,
        Err(error) => {
            return context
                .fail(format!("# Can't open the append-only file in {}: {error}", directory.display()));
        }
    };
    let listener = match context.listen(port).await {
        Ok(listener) => listener,
        Err(error) => {
            return context.fail(format!(
                "# Warning: Could not create server TCP listening socket *:{port}: bind: {error}"
            ));
        }
    };
    context.say(format!("* DB loaded from append only file: {} keys", keys.0.len()));
    context.say("* Ready to accept connections tcp");
    let server = Server {
        keys: Mutex::new(keys),
        password: context.var("REDIS_PASSWORD").map(str::to_owned),
        clock: context.clock.clone(),
        room: context.room(),
        file: context.mounts.resolve(&directory).unwrap_or(directory).join("appendonly.aof"),
        context,
        refused: AtomicBool::new(false),
    };
    serve(Arc::new(server), listener).await
}

async fn serve(server: Arc<Server>, listener: TcpListener) -> i32 {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    clients.spawn(talk(Arc::clone(&server), stream));
                }
            }
            Some(_) = clients.join_next() => {}
        }
    }
}

/// Reads the append-only file and opens it for more.
fn load(directory: &Path, room: &Room) -> std::io::Result<(Keyspace, File)> {
    fs::create_dir_all(directory)?;
    // The base, and the manifest that names the parts.
    let no_room = |_| std::io::Error::other(NO_SPACE);
    room.take(&directory.join("appendonly.aof.manifest"), 2 * BLOCK).map_err(no_room)?;
    let path = directory.join("appendonly.aof");
    let mut keys = Keyspace::default();
    if path.exists() {
        let written = fs::read(&path)?;
        let mut rest = written.as_slice();
        while let Some((command, used)) = resp::parse(rest) {
            keys.replay(&command);
            rest = &rest[used..];
        }
    }
    Ok((keys, OpenOptions::new().create(true).append(true).open(path)?))
}

async fn talk(server: Arc<Server>, mut stream: TcpStream) {
    let (input, mut output) = stream.split();
    let mut reader = Reader::new(input);
    let mut admitted = server.password.is_none();
    while let Some(command) = reader.next().await {
        let name =
            command.first().map(|name| String::from_utf8_lossy(name).to_uppercase()).unwrap_or_default();
        let reply = match name.as_str() {
            "AUTH" => server.admit(&command, &mut admitted),
            "QUIT" => Reply::Simple("OK"),
            _ if !admitted => Reply::Error("NOAUTH Authentication required.".to_owned()),
            _ => server.execute(&name, &command),
        };
        if output.write_all(&reply.bytes()).await.is_err() || name == "QUIT" {
            return;
        }
    }
}

impl Server {
    fn admit(&self, command: &[Vec<u8>], admitted: &mut bool) -> Reply {
        let Some(password) = &self.password else {
            return Reply::Error(
                "ERR AUTH <password> called without any password configured for the default user.".to_owned(),
            );
        };
        *admitted = command.len() > 1 && command.last().is_some_and(|given| given == password.as_bytes());
        if *admitted {
            Reply::Simple("OK")
        } else {
            Reply::Error("WRONGPASS invalid username-password pair or user is disabled.".to_owned())
        }
    }

    fn execute(&self, name: &str, command: &[Vec<u8>]) -> Reply {
        let mut guard = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let (keys, file) = &mut *guard;
        let (reply, kept) = keys.execute(name, &command[1..], self.clock.now().as_millisecond());
        let Some(kept) = kept else {
            return if name == "PING" && self.refused.load(Ordering::Relaxed) {
                misconfigured(NO_SPACE)
            } else {
                reply
            };
        };
        let bytes = resp::command(&kept);
        if self.room.take(&self.file, bytes.len() as u64).is_err() {
            if !self.refused.swap(true, Ordering::Relaxed) {
                self.context.say(format!("# Error writing to the AOF file: {NO_SPACE}"));
            }
            return misconfigured(NO_SPACE);
        }
        self.refused.store(false, Ordering::Relaxed);
        if let Err(error) = file.write_all(&bytes) {
            return misconfigured(&error.to_string());
        }
        reply
    }
}

fn misconfigured(why: &str) -> Reply {
    Reply::Error(format!("MISCONF Errors writing to the AOF file: {why}"))
}
