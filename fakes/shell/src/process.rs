//! The processes of a container.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cluster_node::PodNetwork;
use field_clock::Clock;
use futures::future::BoxFuture;
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::descriptor::{Descriptor, EBADF};
use crate::files::Files;
use crate::memory::{Exhausted, Memory, MemoryUse};
use crate::signal::{Sender, Signal, Signals};

/// What all processes of a container share.
pub(crate) struct World {
    pub(crate) files: Files,
    pub(crate) hostname: String,
    pub(crate) ip: IpAddr,
    pub(crate) network: PodNetwork,
    pub(crate) clock: Clock,
    pub(crate) memory: Arc<Memory>,
    /// What scripts see of chance: the same for the same run of the same pod.
    pub(crate) chance: Mutex<StdRng>,
    pub(crate) processes: Processes,
    /// Ends everything at once.
    pub(crate) ended: CancellationToken,
}

impl World {
    /// A number below `bound`.
    pub(crate) fn random(&self, bound: usize) -> usize {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..bound.max(1))
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

/// The table of processes.
#[derive(Default)]
pub(crate) struct Processes {
    table: Mutex<HashMap<u32, Entry>>,
    last: AtomicU32,
}

/// One line of the table.
pub(crate) struct Entry {
    pub(crate) parent: u32,
    pub(crate) title: String,
    pub(crate) signals: Arc<Signals>,
}

impl Processes {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Entry>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The signals of a process, while it lives.
    pub(crate) fn signals(&self, pid: u32) -> Option<Arc<Signals>> {
        self.lock().get(&pid).map(|entry| Arc::clone(&entry.signals))
    }

    /// Process, parent and command line of all, in their order.
    pub(crate) fn list(&self) -> Vec<(u32, u32, String)> {
        let mut all: Vec<_> =
            self.lock().iter().map(|(pid, entry)| (*pid, entry.parent, entry.title.clone())).collect();
        all.sort_by_key(|(pid, ..)| *pid);
        all
    }

    pub(crate) fn rename(&self, pid: u32, title: String) {
        if let Some(entry) = self.lock().get_mut(&pid) {
            entry.title = title;
        }
    }

    /// Sends a signal to all but one.
    pub(crate) fn send_to_all_but(&self, but: u32, signal: Signal) {
        let all: Vec<Arc<Signals>> = {
            let table = self.lock();
            let others = table.iter().filter(|(pid, _)| **pid != but && **pid != 1);
            others.map(|(_, entry)| Arc::clone(&entry.signals)).collect()
        };
        for signals in all {
            signals.send(signal, Sender::Inside);
        }
    }
}

/// A process, as its code sees itself.
pub(crate) struct Process {
    pub(crate) world: Arc<World>,
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) descriptors: BTreeMap<i32, Descriptor>,
    pub(crate) cwd: String,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) umask: u32,
    pub(crate) memory: MemoryUse,
}

/// How a process ended.
#[derive(Clone, Copy, Debug)]
struct Ended {
    code: i32,
    by_signal: bool,
}

/// A child that was started.
#[derive(Clone)]
pub(crate) struct Child {
    pub(crate) pid: u32,
    status: watch::Receiver<Option<Ended>>,
}

impl Child {
    /// Waits for its exit status.
    pub(crate) async fn wait(&mut self) -> i32 {
        match self.status.wait_for(Option::is_some).await.map(|ended| *ended) {
            Ok(Some(ended)) => ended.code,
            Ok(None) | Err(_) => Signal::KILL.status(),
        }
    }

    /// Whether a signal put an end to it.
    pub(crate) fn was_killed(&self) -> bool {
        self.status.borrow().is_some_and(|ended| ended.by_signal)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.status.borrow().is_none() && self.status.has_changed().is_ok()
    }
}

impl Process {
    /// The first process of a container, or a command that comes from outside.
    pub(crate) fn first(world: &Arc<World>, cwd: String, env: BTreeMap<String, String>) -> Self {
        let pid = world.processes.last.fetch_add(1, Ordering::Relaxed) + 1;
        Self {
            pid,
            parent: 0,
            descriptors: BTreeMap::new(),
            cwd,
            env,
            signals: Arc::new(Signals::new(pid)),
            umask: 0o022,
            memory: MemoryUse::new(&world.memory),
            world: Arc::clone(world),
        }
    }

    /// A copy, to be started as a child.
    pub(crate) fn fork(&self) -> Self {
        let pid = self.world.processes.last.fetch_add(1, Ordering::Relaxed) + 1;
        Self {
            world: Arc::clone(&self.world),
            pid,
            parent: self.pid,
            descriptors: self.descriptors.clone(),
            cwd: self.cwd.clone(),
            env: self.env.clone(),
            signals: Arc::new(self.signals.of_child(pid)),
            umask: self.umask,
            memory: MemoryUse::new(&self.world.memory),
        }
    }

    /// Starts it as a task of its own.
    pub(crate) fn start(self, title: String, body: impl FnOnce(Self) -> BoxFuture<'static, i32>) -> Child {
        let (world, pid, signals) = (Arc::clone(&self.world), self.pid, Arc::clone(&self.signals));
        let entry = Entry { parent: self.parent, title, signals: Arc::clone(&signals) };
        world.processes.lock().insert(pid, entry);
        let (report, status) = watch::channel(None);
        let body = body(self);
        tokio::spawn(async move {
            let ended = world.ended.clone();
            let how = tokio::select! {
                biased;
                () = ended.cancelled() => Ended { code: Signal::KILL.status(), by_signal: true },
                signal = signals.killed() => Ended { code: signal.status(), by_signal: true },
                code = body => match signals.killed_by() {
                    // It killed itself, and its last step had not noticed.
                    Some(signal) => Ended { code: signal.status(), by_signal: true },
                    None => Ended { code, by_signal: false },
                },
            };
            world.processes.lock().remove(&pid);
            report.send_replace(Some(how));
        });
        Child { pid, status }
    }

    /// This process with another program: what it holds goes over.
    pub(crate) fn take_over(&mut self, env: BTreeMap<String, String>) -> Self {
        Self {
            world: Arc::clone(&self.world),
            pid: self.pid,
            parent: self.parent,
            descriptors: std::mem::take(&mut self.descriptors),
            cwd: self.cwd.clone(),
            env,
            signals: Arc::clone(&self.signals),
            umask: self.umask,
            memory: MemoryUse::new(&self.world.memory),
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.world.clock
    }

    pub(crate) fn files(&self) -> &Files {
        &self.world.files
    }

    pub(crate) fn descriptor(&self, fd: i32) -> io::Result<Descriptor> {
        self.descriptors.get(&fd).cloned().ok_or_else(|| io::Error::from_raw_os_error(EBADF))
    }

    /// Reads some of the standard input.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.descriptor(0)?.read(buffer).await
    }

    /// Reads one byte of a descriptor; nothing at the end.
    pub(crate) async fn read_byte(&self, fd: i32) -> io::Result<Option<u8>> {
        let mut byte = [0];
        Ok((self.descriptor(fd)?.read(&mut byte).await? > 0).then_some(byte[0]))
    }

    /// Writes to the standard output.
    pub(crate) async fn out(&self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.descriptor(1)?.write(bytes.as_ref()).await
    }

    /// Writes a line to the standard error; whether that works is nobody's concern.
    pub(crate) async fn complain(&self, line: &str) {
        if let Ok(error) = self.descriptor(2) {
            let _ = error.write(format!("{line}\n").as_bytes()).await;
        }
    }

    /// Uses more memory.
    pub(crate) fn grow(&self, bytes: u64) -> Result<(), Exhausted> {
        self.memory.grow(bytes)
    }
}
