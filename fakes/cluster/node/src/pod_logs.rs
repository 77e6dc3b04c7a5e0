//! The logs of all pods on the node, and the answers to those who ask for them.

mod read;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::logs::LogSink;

pub(crate) use read::{container_name, container_status, read, unreachable};

/// A run of a container and what it wrote.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) log: LogSink,
    /// Ends with the run.
    over: CancellationToken,
}

impl Run {
    /// A run that is over when `over` is cancelled.
    pub(crate) fn new(id: &str, log: &LogSink, over: &CancellationToken) -> Self {
        Self { id: id.to_owned(), log: log.clone(), over: over.clone() }
    }
}

#[derive(Default)]
struct Runs {
    current: Option<Run>,
    previous: Option<Run>,
}

struct Entry {
    namespace: String,
    pod: String,
    containers: HashMap<String, Runs>,
}

/// The logs of all pods by UID.
#[derive(Default)]
pub(crate) struct PodLogs {
    pods: Mutex<HashMap<String, Entry>>,
}

/// Which run of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Current,
    Previous,
}

impl PodLogs {
    /// A new run begins; the one before becomes the previous.
    pub(crate) fn begin(&self, uid: &str, namespace: &str, pod: &str, container: &str, run: Run) {
        let mut pods = self.lock();
        let entry = pods.entry(uid.to_owned()).or_insert_with(|| Entry {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            containers: HashMap::new(),
        });
        let runs = entry.containers.entry(container.to_owned()).or_default();
        runs.previous = runs.current.take();
        runs.current = Some(run);
    }

    /// The pod is gone, and its logs with it.
    pub(crate) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    pub(crate) fn find(&self, namespace: &str, pod: &str, container: &str, which: Which) -> Option<Run> {
        let pods = self.lock();
        let entry = pods.values().find(|entry| entry.pod == pod && entry.namespace == namespace)?;
        let runs = entry.containers.get(container)?;
        match which {
            Which::Current => runs.current.clone(),
            Which::Previous => runs.previous.clone(),
        }
    }

    /// Ends when the run with this id does.
    fn over(&self, id: &str) -> CancellationToken {
        let pods = self.lock();
        let runs =
            pods.values().flat_map(|entry| entry.containers.values()).flat_map(|r| [&r.current, &r.previous]);
        let found = runs.flatten().find(|run| run.id == id).map(|run| run.over.clone());
        found.unwrap_or_else(|| {
            let over = CancellationToken::new();
            over.cancel();
            over
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
