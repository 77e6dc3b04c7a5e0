//! Containers.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use cluster_node::{
    Container, ContainerSpec, ExecIo, ExecOutcome, ExecTarget, Exit, ExitCause, Runtime, StartError,
};
use field_clock::Clock;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sha2::Digest as _;
use tokio_util::sync::CancellationToken;

use crate::descriptor::{Descriptor, ENOTDIR, LogStream};
use crate::files::{Files, Follow, Identity};
use crate::images::Image;
use crate::memory::Memory;
use crate::process::{Child, Process, Processes, World};
use crate::programs::{self, find};
use crate::signal::{Sender, Signal};

/// How often a name is asked for in the cluster's domains before it is taken as it is.
const NDOTS: &str = "options ndots:5\n";
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What the node tells programs outside of containers; a container does not have it.
const HOST_ONLY: &str = "SERVICE_ACCOUNT_DIR";

/// Runs containers in this process. Their files lie in a directory.
#[derive(Debug)]
pub struct ShellRuntime {
    directory: PathBuf,
    started: AtomicU64,
    running: Mutex<HashMap<(String, String), Weak<Running>>>,
}

/// A container's world, and what every command in it begins with.
#[derive(Debug)]
struct Running {
    world: Arc<World>,
    cwd: String,
    env: BTreeMap<String, String>,
}

impl ShellRuntime {
    /// Keeps the roots of its containers below `directory`, which has to exist as long as it runs.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), started: AtomicU64::new(0), running: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Weak<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn world(&self, spec: &ContainerSpec, root: PathBuf, number: u64) -> Result<World, StartError> {
        let memory = Memory::new(spec.memory_limit);
        let hostname =
            spec.env.iter().find(|(name, _)| name == "HOSTNAME").map_or(&spec.pod, |(_, host)| host);
        let resolv_conf = resolv_conf(spec);
        let programs = Image::of(spec).programs();
        let identity = Identity { hostname, ip: spec.ip, resolv_conf: &resolv_conf, programs: &programs };
        let files = Files::create(root, &spec.mounts, &identity, &memory, &spec.clock)
            .map_err(|error| StartError::Other { message: format!("cannot make the root: {error}") })?;
        Ok(World {
            files,
            hostname: hostname.clone(),
            ip: spec.ip,
            network: spec.network.clone(),
            clock: spec.clock.clone(),
            memory,
            chance: Mutex::new(StdRng::seed_from_u64(seed(spec, number))),
            processes: Processes::default(),
            ended: CancellationToken::new(),
        })
    }
}

#[async_trait]
impl Runtime for ShellRuntime {
    async fn start(&self, spec: ContainerSpec) -> Result<Box<dyn Container>, StartError> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let root = self.directory.join(format!("{}-{number}", spec.container));
        let world = Arc::new(self.world(&spec, root.clone(), number)?);
        let cwd = working_directory(&world, &spec)?;
        let mut env: BTreeMap<String, String> = spec.env.iter().cloned().collect();
        env.remove(HOST_ONLY);
        env.entry("PATH".into()).or_insert_with(|| USUAL_PATH.into());
        env.entry("HOME".into()).or_insert_with(|| "/root".into());
        let mut process = Process::first(&world, cwd.clone(), env.clone());
        let argv = if spec.argv.is_empty() {
            vec![Image::of(&spec).command().to_owned()]
        } else {
            spec.argv.clone()
        };
        let name = &argv[0];
        let search = env.get("PATH").cloned().unwrap_or_default();
        let (_, program) =
            find(&process, &search, name).map_err(|failure| programs::start_error(failure, name))?;
        for (fd, descriptor) in [
            (0, Descriptor::Null),
            (1, Descriptor::Log(Arc::new(LogStream::new(spec.log.clone())))),
            (2, Descriptor::Log(Arc::new(LogStream::new(spec.log.clone())))),
        ] {
            process.descriptors.insert(fd, descriptor);
        }
        let child = process.start(argv.join(" "), |process| programs::run(process, argv, program));
        let running = Arc::new(Running { world: Arc::clone(&world), cwd, env });
        let key = (spec.pod_uid.clone(), spec.container.clone());
        let mut all = self.lock();
        all.retain(|_, running| running.strong_count() > 0);
        all.insert(key, Arc::downgrade(&running));
        drop(all);
        let clock = spec.clock.clone();
        Ok(Box::new(ShellContainer { child, running, clock, root, exit: None }))
    }

    async fn exec(&self, target: ExecTarget, argv: Vec<String>, io: ExecIo) -> ExecOutcome {
        let key = (target.pod_uid, target.container);
        let found = self.lock().get(&key).and_then(Weak::upgrade);
        let Some(running) = found.filter(|running| !running.world.ended.is_cancelled()) else {
            return ExecOutcome::NotStarted(StartError::Other { message: "container not running".into() });
        };
        let Some(name) = argv.first().cloned() else {
            return ExecOutcome::NotStarted(StartError::Other { message: "no command specified".into() });
        };
        let mut process = Process::first(&running.world, running.cwd.clone(), running.env.clone());
        let search = running.env.get("PATH").cloned().unwrap_or_default();
        let program = match find(&process, &search, &name) {
            Ok((_, program)) => program,
            Err(failure) => return ExecOutcome::NotStarted(programs::start_error(failure, &name)),
        };
        process.descriptors.insert(0, Descriptor::Input(Arc::new(tokio::sync::Mutex::new(io.stdin))));
        process.descriptors.insert(1, Descriptor::Output(Arc::new(tokio::sync::Mutex::new(io.stdout))));
        process.descriptors.insert(2, Descriptor::Output(Arc::new(tokio::sync::Mutex::new(io.stderr))));
        let world = Arc::clone(&running.world);
        drop(running);
        let mut child = process.start(argv.join(" "), |process| programs::run(process, argv, program));
        // Whoever stops waiting for a command wants it to be gone.
        let _guard = KillOnDrop { world, pid: child.pid };
        ExecOutcome::Ran { code: child.wait().await }
    }
}

struct KillOnDrop {
    world: Arc<World>,
    pid: u32,
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(signals) = self.world.processes.signals(self.pid) {
            signals.send(Signal::KILL, Sender::Outside);
        }
    }
}

/// A number of its own for every run of every container.
fn seed(spec: &ContainerSpec, number: u64) -> u64 {
    let name = format!("{}/{}/{number}", spec.pod_uid, spec.container);
    let mut digest = [0; 8];
    digest.copy_from_slice(&sha2::Sha256::digest(name.as_bytes())[..8]);
    u64::from_le_bytes(digest)
}

fn resolv_conf(spec: &ContainerSpec) -> String {
    let servers = spec.network.servers();
    let search = spec.network.search();
    let mut text = String::new();
    if !search.is_empty() {
        text.push_str(&format!("search {}\n", search.join(" ")));
    }
    for server in servers {
        text.push_str(&format!("nameserver {}\n", server.ip()));
    }
    if !search.is_empty() {
        text.push_str(NDOTS);
    }
    text
}

/// The working directory; one that is not there is made, as container runtimes do.
fn working_directory(world: &World, spec: &ContainerSpec) -> Result<String, StartError> {
    let wanted = if spec.working_dir.is_empty() { "/" } else { &spec.working_dir };
    let fail = |error: &std::io::Error| StartError::Other {
        message: match error.raw_os_error() {
            Some(ENOTDIR) => format!("mkdir {wanted}: not a directory"),
            _ => format!("mkdir {wanted}: {}", crate::descriptor::strerror(error).to_lowercase()),
        },
    };
    let mut path = String::new();
    for part in wanted.split('/').filter(|part| !part.is_empty()) {
        path = format!("{path}/{part}");
        match world.files.metadata("/", &path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(fail(&std::io::Error::from_raw_os_error(ENOTDIR))),
            Err(_) => world.files.make_directory("/", &path, 0o022).map_err(|error| fail(&error))?,
        }
    }
    let place = world.files.find("/", wanted, Follow::Yes).map_err(|error| fail(&error))?;
    Ok(place.inside)
}

struct ShellContainer {
    child: Child,
    running: Arc<Running>,
    clock: Clock,
    root: PathBuf,
    exit: Option<Exit>,
}

#[async_trait]
impl Container for ShellContainer {
    async fn wait(&mut self) -> Exit {
        if let Some(exit) = self.exit {
            return exit;
        }
        let code = self.child.wait().await;
        // With its first process a container ends as a whole.
        self.running.world.ended.cancel();
        let out_of_memory = self.running.world.memory.was_exceeded();
        let cause = if out_of_memory { ExitCause::OutOfMemory } else { ExitCause::Program };
        *self.exit.insert(Exit { code, cause })
    }

    async fn stop(&mut self, grace: Duration) {
        let signals = self.running.world.processes.signals(self.child.pid);
        if let Some(signals) = &signals {
            signals.send(Signal::TERM, Sender::Outside);
        }
        let clock = self.clock.clone();
        if clock.timeout(grace, self.wait()).await.is_err() {
            if let Some(signals) = signals {
                signals.send(Signal::KILL, Sender::Outside);
            }
            self.wait().await;
        }
    }
}

impl Drop for ShellContainer {
    fn drop(&mut self) {
        self.running.world.ended.cancel();
        // What cannot be removed now goes with the directory of all.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
