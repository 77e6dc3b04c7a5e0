//! An append-only list that others may follow.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Ledger<T> {
    entries: Mutex<Vec<T>>,
    count: watch::Sender<usize>,
}

impl<T> Default for Ledger<T> {
    fn default() -> Self {
        Self { entries: Mutex::new(Vec::new()), count: watch::Sender::new(0) }
    }
}

impl<T> Ledger<T> {
    pub(crate) fn append(&self, entry: T) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(entry);
        self.count.send_replace(entries.len());
    }

    /// Copies the entries from number `start` on.
    pub(crate) fn copy_from<U>(&self, start: usize, copy: impl FnMut(&T) -> U) -> Vec<U> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().skip(start).map(copy).collect()
    }

    /// Forgets every entry.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clear();
        self.count.send_replace(0);
    }

    /// How many entries there are, and a sign at every new one.
    pub(crate) fn follow(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }
}
