//! What a program is given, and which programs there are.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use field_clock::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    alga_core, bootstrap, build, db, pgbouncer, redis, temporal, temporal_ui, volumes, wait_for_bootstrap,
    worker,
};

use crate::room::{Quotas, Room};

/// The network as a container sees it.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Connects to `host`, a name or an address.
    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream>;
}

/// The machine's own network and resolver.
#[derive(Debug, Clone, Copy)]
pub struct Direct;

#[async_trait]
impl Connector for Direct {
    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        TcpStream::connect((host, port)).await
    }
}

/// Takes what a program prints, line by line.
pub trait LogLine: Send + Sync {
    /// Takes one line, without its end.
    fn line(&self, text: &str);
}

/// Which directories of the container are which on the machine.
#[derive(Debug, Clone, Default)]
pub struct Mounts {
    pairs: Vec<(PathBuf, PathBuf)>,
    quotas: Quotas,
}

impl Mounts {
    /// Pairs of the path in the container and the directory on the machine.
    pub fn new(mut pairs: Vec<(PathBuf, PathBuf)>) -> Self {
        pairs.sort_by_key(|(inside, _)| std::cmp::Reverse(inside.components().count()));
        Self { pairs, quotas: Quotas::default() }
    }

    /// The same directories on a disk with these limits.
    #[must_use]
    pub fn within(self, quotas: Quotas) -> Self {
        Self { quotas, ..self }
    }

    /// Where `path` of the container lies on the machine; nothing when no mount holds it.
    pub fn resolve(&self, path: &Path) -> Option<PathBuf> {
        self.pairs.iter().find_map(|(inside, outside)| {
            let below = path.strip_prefix(inside).ok()?;
            Some(if below.as_os_str().is_empty() { outside.clone() } else { outside.join(below) })
        })
    }
}

/// The memory that a program has taken, for whoever keeps it to its limit.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<watch::Sender<u64>>);

impl Memory {
    pub(crate) fn use_up(&self, bytes: u64) {
        self.0.send_replace(bytes);
    }

    /// What it has taken, and a sign whenever that changes.
    pub(crate) fn taken(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }

    /// Waits until the program has taken more than `limit` bytes.
    pub async fn exceeds(&self, limit: u64) {
        let mut taken = self.0.subscribe();
        // The sender lives as long as this.
        let _ = taken.wait_for(|taken| *taken > limit).await;
    }
}

/// All that a program knows of the world.
#[derive(Clone)]
pub struct Context {
    /// The environment; the last value of a name counts.
    pub env: BTreeMap<String, String>,
    /// The arguments, without the program's name.
    pub args: Vec<String>,
    /// The address to listen on.
    pub ip: IpAddr,
    /// The mounted directories.
    pub mounts: Mounts,
    /// The network.
    pub network: Arc<dyn Connector>,
    /// Standard output and standard error.
    pub log: Arc<dyn LogLine>,
    /// The time.
    pub clock: Clock,
    /// What it has taken of the machine's memory.
    pub memory: Memory,
    /// Cancelled when the container is to end.
    pub stop: CancellationToken,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("args", &self.args).field("ip", &self.ip).finish_non_exhaustive()
    }
}

impl Context {
    /// Prints one line.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        self.log.line(line.as_ref());
    }

    /// Prints one line and gives the exit code of a program that failed.
    pub(crate) fn fail(&self, line: impl AsRef<str>) -> i32 {
        self.say(line);
        1
    }

    /// The room on the disk.
    pub(crate) fn room(&self) -> Room {
        Room { quotas: self.mounts.quotas.clone(), clock: self.clock.clone() }
    }

    /// Opens a port on the program's own address.
    pub(crate) async fn listen(&self, port: u16) -> io::Result<TcpListener> {
        TcpListener::bind((self.ip, port)).await
    }
}

type Running = Pin<Box<dyn Future<Output = i32> + Send>>;

/// A program of an image.
#[derive(Clone, Copy)]
pub struct Program {
    name: &'static str,
    main: fn(Context) -> Running,
    /// The exit code after a stop: a server ends well, a job was interrupted by signal 15.
    stopped: i32,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.name).finish()
    }
}

impl Program {
    /// The program's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the program to its exit code.
    pub async fn run(self, mut context: Context) -> i32 {
        let stop = context.stop.clone();
        build::own(self.name, &mut context);
        let work = async {
            match build::begin(&context).await {
                Some(code) => code,
                None => (self.main)(context).await,
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => self.stopped,
            code = work => code,
        }
    }
}

/// The exit code of a process that signal 15 has ended.
const TERMINATED: i32 = 143;

macro_rules! programs {
    ($($name:literal => $main:path, $stopped:expr;)*) => {
        /// The program that an image's entrypoint names, by the last part of the path: `/bin/db` is `db`.
        pub fn program(entrypoint: &str) -> Option<Program> {
            match entrypoint.rsplit('/').next()? {
                $($name => Some(Program { name: $name, main: |context| Box::pin($main(context)), stopped: $stopped }),)*
                _ => None,
            }
        }
    };
}

programs! {
    "db" => db::run, 0;
    "redis" => redis::run, 0;
    "pgbouncer" => pgbouncer::run, 0;
    "alga-core" => alga_core::run, 0;
    "temporal" => temporal::run, 0;
    "temporal-ui" => temporal_ui::run, 0;
    "workflow-worker" => worker::run, 0;
    "temporal-worker" => worker::run, 0;
    "email-service" => worker::run, 0;
    "bootstrap" => bootstrap::run, TERMINATED;
    "wait-for-bootstrap" => wait_for_bootstrap::run, TERMINATED;
    "volume-prep" => volumes::prepare, TERMINATED;
    "storage-smoke" => volumes::smoke, TERMINATED;
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Mounts, program};

    #[test]
    fn an_entrypoint_is_known_by_its_last_part() {
        assert_eq!(program("/bin/temporal-ui").map(|program| program.name()), Some("temporal-ui"));
        assert_eq!(program("db").map(|program| program.name()), Some("db"));
        assert!(program("/bin/sh").is_none());
    }

    #[test]
    fn the_deepest_mount_holds_a_path() {
        let mounts = Mounts::new(vec![
            (PathBuf::from("/data"), PathBuf::from("/host/a")),
            (PathBuf::from("/data/files"), PathBuf::from("/host/b")),
        ]);
        assert_eq!(mounts.resolve(Path::new("/data/files/x")), Some(PathBuf::from("/host/b/x")));
        assert_eq!(mounts.resolve(Path::new("/data")), Some(PathBuf::from("/host/a")));
        assert_eq!(mounts.resolve(Path::new("/database")), None);
    }
}
