//! What a machine says: on its console, and to whoever asks for its kernel log.

use std::sync::{Mutex, MutexGuard, PoisonError};

use field_clock::Clock;
use jiff::Timestamp;

/// Lines since the machine was switched on.
#[derive(Debug)]
pub(crate) struct Journal {
    clock: Clock,
    lines: Mutex<Vec<(Timestamp, String)>>,
}

impl Journal {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, lines: Mutex::default() }
    }

    /// Talos itself says something.
    pub(crate) fn say(&self, text: &str) {
        self.write(format!("[talos] {text}"));
    }

    /// The container runtime in it says something.
    pub(crate) fn runtime(&self, text: &str) {
        self.write(format!("level=info msg={text}"));
    }

    fn write(&self, text: String) {
        tracing::debug!(target: "console", "{text}");
        let at = self.clock.now();
        self.lines().push((at, text));
    }

    /// A machine that starts has said nothing.
    pub(crate) fn begin_anew(&self) {
        self.lines().clear();
    }

    /// As `dmesg` shows it, one line with its end each.
    pub(crate) fn kernel_log(&self) -> Vec<String> {
        self.lines().iter().map(|(at, text)| format!("user: warning: [{at}]: {text}\n")).collect()
    }

    fn lines(&self) -> MutexGuard<'_, Vec<(Timestamp, String)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
