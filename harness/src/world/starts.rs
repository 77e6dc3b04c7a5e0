//! What was started in containers, as the runtime saw it: the receipts of causes that reach a program by its environment.

use std::sync::{Arc, Mutex, PoisonError};

use cluster_node::ContainerSpec;
use jiff::Timestamp;

/// A container that was started.
#[derive(Debug, Clone)]
pub(in crate::world) struct Start {
    pub(in crate::world) at: Timestamp,
    pub(in crate::world) pod: String,
    pub(in crate::world) container: String,
    pub(in crate::world) arguments: Vec<String>,
    pub(in crate::world) environment: Vec<(String, String)>,
}

impl Start {
    /// A start as the node's runtime is told of it.
    pub(in crate::world) fn of(spec: &ContainerSpec) -> Self {
        Self {
            at: spec.clock.now(),
            pod: spec.pod.clone(),
            container: spec.container.clone(),
            arguments: spec.argv.clone(),
            environment: spec.env.clone(),
        }
    }

    /// A variable's value.
    pub(in crate::world) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Every start of a world, in order. Values of variables stay in this process.
#[derive(Debug, Clone, Default)]
pub(in crate::world) struct Starts(Arc<Mutex<Vec<Start>>>, Arc<Mutex<Vec<(String, u32)>>>);

impl Starts {
    pub(in crate::world) fn note(&self, start: Start) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(start);
    }

    /// Forgets every start, for a cluster that begins anew.
    pub(in crate::world) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A container that is a process of its own.
    pub(in crate::world) fn note_process(&self, container: &str, pid: u32) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).push((container.to_owned(), pid));
    }

    /// The newest process of a container of this name; it may have ended.
    pub(in crate::world) fn process(&self, container: &str) -> Option<u32> {
        let all = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rfind(|(name, _)| name == container).map(|(_, pid)| *pid)
    }

    /// All of them.
    pub(in crate::world) fn all(&self) -> Vec<Start> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those of a container of this name.
    pub(in crate::world) fn of(&self, container: &str) -> Vec<Start> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|start| start.container == container).cloned().collect()
    }
}
