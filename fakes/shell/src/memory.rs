//! Memory and disk that a container uses, as far as its commands declare it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::descriptor::ENOSPC;

/// What a container without a limit may use: about what a small node has left.
const NODE_MEMORY: u64 = 2 << 30;
/// What a container may write to its disks, all in all; a bound for the machine's sake.
const DISK: u64 = 512 << 20;

/// The memory of one container.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: u64,
    used: AtomicU64,
    exceeded: AtomicBool,
}

impl Memory {
    pub(crate) fn new(limit: Option<u64>) -> Arc<Self> {
        let limit = limit.unwrap_or(NODE_MEMORY);
        Arc::new(Self { limit, used: AtomicU64::new(0), exceeded: AtomicBool::new(false) })
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Whether something of the container was killed for its memory.
    pub(crate) fn was_exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }
}

/// The part of one process or file; given back when it ends.
#[derive(Debug)]
pub(crate) struct MemoryUse {
    of: Arc<Memory>,
    mine: AtomicU64,
    kept: bool,
}

/// There is no more memory: the process is to be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl MemoryUse {
    pub(crate) fn new(of: &Arc<Memory>) -> Self {
        Self { of: Arc::clone(of), mine: AtomicU64::new(0), kept: false }
    }

    /// For a file: what it takes stays taken when it is closed.
    pub(crate) fn of_file(of: &Arc<Memory>) -> Self {
        Self { of: Arc::clone(of), mine: AtomicU64::new(0), kept: true }
    }

    /// Takes some more, and notes when that was too much; whoever runs the process looks.
    pub(crate) fn keep(&self, bytes: u64) {
        // The note that is left is what counts here.
        let _ = self.grow(bytes);
    }

    pub(crate) fn grow(&self, bytes: u64) -> Result<(), Exhausted> {
        self.mine.fetch_add(bytes, Ordering::Relaxed);
        let used = self.of.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if used > self.of.limit {
            self.of.exceeded.store(true, Ordering::Relaxed);
            return Err(Exhausted);
        }
        Ok(())
    }

    pub(crate) fn shrink(&self, bytes: u64) {
        let bytes = bytes.min(self.mine.load(Ordering::Relaxed));
        self.mine.fetch_sub(bytes, Ordering::Relaxed);
        self.of.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.of.used() > self.of.limit
    }
}

impl Drop for MemoryUse {
    fn drop(&mut self) {
        if !self.kept {
            self.of.used.fetch_sub(self.mine.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

/// What may still be written.
#[derive(Debug)]
pub(crate) struct Quota(AtomicU64);

impl Default for Quota {
    fn default() -> Self {
        Self(AtomicU64::new(DISK))
    }
}

impl Quota {
    pub(crate) fn take(&self, bytes: u64) -> io::Result<()> {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(|_| ()).map_err(|_| io::Error::from_raw_os_error(ENOSPC))
    }
}
