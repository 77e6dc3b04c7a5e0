//! What was started in containers, as the runtime saw it: the receipts of causes that reach a program by its environment.

use std::sync::{Arc, Mutex, PoisonError};

use cluster_node::ContainerSpec;
use jiff::Timestamp;

/// A container that was started.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) at: Timestamp,
    pub(super) pod: String,
    pub(super) container: String,
    pub(super) arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Start {
    /// A variable's value.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Every start of a world, in order. Values of variables stay in this process.
#[derive(Debug, Clone, Default)]
pub(super) struct Starts(Arc<Mutex<Vec<Start>>>, Arc<Mutex<Vec<(String, u32)>>>);

impl Starts {
    pub(super) fn note(&self, spec: &ContainerSpec) {
        let start = Start {
            at: spec.clock.now(),
            pod: spec.pod.clone(),
            container: spec.container.clone(),
            arguments: spec.argv.clone(),
            environment: spec.env.clone(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(start);
    }

    /// A container that is a process of its own.
    pub(super) fn note_process(&self, container: &str, pid: u32) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).push((container.to_owned(), pid));
    }

    /// The newest process of a container of this name; it may have ended.
    pub(super) fn process(&self, container: &str) -> Option<u32> {
        let all = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rfind(|(name, _)| name == container).map(|(_, pid)| *pid)
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Start> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those of a container of this name.
    pub(super) fn of(&self, container: &str) -> Vec<Start> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|start| start.container == container).cloned().collect()
    }
}
