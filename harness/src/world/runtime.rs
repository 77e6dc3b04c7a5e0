//! The runtime of worlds whose time is the machine's: one for a factory, made when the first scenario wants it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};

/// What goes on beside a scenario is little: watches, relays, the lines of processes.
const THREADS: usize = 4;

/// A runtime that is there once it was asked for.
#[derive(Default)]
pub(in crate::world) struct SharedRuntime(Mutex<Option<Arc<Runtime>>>);

impl SharedRuntime {
    /// The runtime.
    ///
    /// # Errors
    /// This system gives no threads for it.
    pub(in crate::world) fn get(&self) -> io::Result<Arc<Runtime>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*held {
            return Ok(Arc::clone(runtime));
        }
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        Ok(Arc::clone(held.insert(Arc::new(runtime))))
    }

    /// The runtime, where anybody has asked for it.
    pub(in crate::world) fn made(&self) -> Option<Arc<Runtime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
