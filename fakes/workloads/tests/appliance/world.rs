//! An address of one's own, a volume, and programs that run there.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fake_workloads::{Connector, Context, LogLine, Memory, Mounts, Quotas, program};
use field_clock::{Clock, FieldRuntime, Options};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The password of the superuser in these tests.
pub(crate) const SUPERUSER: &str = "s3cret";

/// Every name leads to one address.
struct OneAddress(IpAddr);

#[async_trait]
impl Connector for OneAddress {
    async fn connect(&self, _host: &str, port: u16) -> io::Result<TcpStream> {
        TcpStream::connect((self.0, port)).await
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl LogLine for Lines {
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// A program that runs.
pub(crate) struct Running {
    lines: Arc<Lines>,
    stop: CancellationToken,
    task: JoinHandle<i32>,
    clock: Clock,
}

impl Running {
    pub(crate) fn log(&self) -> Vec<String> {
        self.lines.0.lock().unwrap().clone()
    }

    pub(crate) fn has_said(&self, part: &str) -> bool {
        self.log().iter().any(|line| line.contains(part))
    }

    /// Waits until the log holds this.
    pub(crate) async fn says(&self, part: &str) {
        self.says_times(part, 1).await;
    }

    /// Waits until the log holds this for the second time.
    pub(crate) async fn says_again(&self, part: &str) {
        self.says_times(part, 2).await;
    }

    async fn says_times(&self, part: &str, times: usize) {
        for _ in 0..2_000 {
            if self.log().iter().filter(|line| line.contains(part)).count() >= times {
                return;
            }
            self.clock.sleep(Duration::from_millis(100)).await;
        }
        panic!("{part:?} was not said {times} times, but: {:#?}", self.log());
    }

    /// Stops the program and waits for its end.
    pub(crate) async fn stop(self) -> i32 {
        self.stop.cancel();
        self.task.await.unwrap()
    }

    /// Waits for the program's own end.
    pub(crate) async fn end(self) -> (i32, Vec<String>) {
        let code = self.task.await.unwrap();
        (code, self.lines.0.lock().unwrap().clone())
    }
}

/// One address, one clock, one directory for volumes.
pub(crate) struct World {
    pub(crate) ip: IpAddr,
    pub(crate) clock: Clock,
    pub(crate) quotas: Quotas,
    pub(crate) volume: PathBuf,
    _directory: tempfile::TempDir,
}

static NEXT: AtomicU8 = AtomicU8::new(1);

/// Runs a test in a world of its own.
pub(crate) fn in_world<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    let runtime = FieldRuntime::start(Options::default()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let process = std::process::id().to_be_bytes();
    let ip =
        IpAddr::V4(Ipv4Addr::new(127, process[2] | 0x80, process[3], NEXT.fetch_add(1, Ordering::Relaxed)));
    let world = World {
        ip,
        clock: runtime.clock().clone(),
        quotas: Quotas::default(),
        volume: directory.path().join("data"),
        _directory: directory,
    };
    std::fs::create_dir(&world.volume).unwrap();
    runtime.block_on(test(world));
}

impl World {
    /// Starts a program with this environment beside what all of them are given.
    pub(crate) fn start(&self, entrypoint: &str, arguments: &[&str], env: &[(&str, &str)]) -> Running {
        let mut all: BTreeMap<String, String> = [
            ("PGDATA", "/data/pgdata"),
            ("POSTGRES_PASSWORD", SUPERUSER),
            ("DB_HOST", "db.msp.svc.cluster.local"),
            ("DB_PASSWORD_SERVER", "app-password"),
            ("DB_PASSWORD_SUPERUSER", SUPERUSER),
            ("DB_USER_PGBOUNCER", "app_user_pgbouncer"),
            ("DB_PASSWORD_PGBOUNCER", "pool-password"),
            ("REDIS_HOST", "redis"),
            ("REDIS_PASSWORD", "redis-password"),
            ("REDIS_DATA_DIR", "/data/redis"),
            ("NEXTAUTH_SECRET", "sealed"),
            ("POSTGRES_SEEDS", "db"),
            ("POSTGRES_PWD", SUPERUSER),
            ("RUN_MIGRATIONS", "true"),
            ("RUN_SEEDS", "true"),
            ("BOOTSTRAP_MODE", "fresh"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        all.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let lines = Arc::new(Lines::default());
        let stop = CancellationToken::new();
        let context = Context {
            env: all,
            args: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            ip: self.ip,
            mounts: Mounts::new(vec![(PathBuf::from("/data"), self.volume.clone())])
                .within(self.quotas.clone()),
            network: Arc::new(OneAddress(self.ip)),
            log: Arc::clone(&lines) as Arc<dyn LogLine>,
            memory: Memory::default(),
            clock: self.clock.clone(),
            stop: stop.clone(),
        };
        let program = program(entrypoint).unwrap();
        Running { lines, stop, task: tokio::spawn(program.run(context)), clock: self.clock.clone() }
    }

    /// A database server that is up.
    pub(crate) async fn database(&self) -> Running {
        let db = self.start("/bin/db", &[], &[]);
        db.says("ready to accept connections").await;
        db
    }

    /// A database that the bootstrap job has prepared.
    pub(crate) async fn bootstrapped(&self) -> Running {
        let db = self.database().await;
        let (code, log) = self.start("/bin/bootstrap", &[], &[]).end().await;
        assert_eq!(code, 0, "{log:#?}");
        db
    }

    /// A client of the database, signed in.
    pub(crate) async fn client(
        &self,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let stream = TcpStream::connect((self.ip, 5432)).await.unwrap();
        let mut config = tokio_postgres::Config::new();
        config.user(user).password(password).dbname(database);
        let (client, connection) = config.connect_raw(stream, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Sends a request, waits for the end of the answer.
    pub(crate) async fn http(&self, port: u16, request: &str, body: &str) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = TcpStream::connect((self.ip, port)).await.unwrap();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}
