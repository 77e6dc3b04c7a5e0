//! What Helm writes about its work; the last lines of it are told with a failure.

use std::sync::{Mutex, PoisonError};

use cluster_api::Store;
use serde_json::Value;

/// How many lines are told.
const TOLD: usize = 10;

/// The lines, each with its time.
pub(in crate::helm) struct Journal {
    store: Store,
    lines: Mutex<Vec<String>>,
}

impl Journal {
    pub(in crate::helm) fn new(store: &Store) -> Self {
        Self { store: store.clone(), lines: Mutex::default() }
    }

    /// Another action begins.
    pub(in crate::helm) fn clear(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// `words: {"a":1}`.
    pub(super) fn note(&self, words: &str, details: &Value) {
        let line = format!("{}: {words}: {details}", self.store.clock().now());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// The last lines, as an event tells them after its message; nothing when there are none.
    pub(in crate::helm) fn told(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return String::new();
        }
        format!("\n\nLast Helm logs:\n\n{}", lines[lines.len().saturating_sub(TOLD)..].join("\n"))
    }
}
