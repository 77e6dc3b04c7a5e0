//! What a machine says: on its console, and to whoever asks for its kernel log.

use std::sync::{Mutex, MutexGuard, PoisonError};

use field_clock::Clock;
use jiff::Timestamp;

/// Lines, and where those begin that came since the machine was started last.
#[derive(Debug, Default)]
struct Lines {
    all: Vec<(Timestamp, String)>,
    began: usize,
}

/// All that a machine has said.
#[derive(Debug)]
pub(crate) struct Journal {
    clock: Clock,
    lines: Mutex<Lines>,
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
        self.lines().all.push((at, text));
    }

    /// A machine that starts has said nothing.
    pub(crate) fn begin_anew(&self) {
        let mut lines = self.lines();
        lines.began = lines.all.len();
    }

    /// As `dmesg` shows it, one line with its end each.
    pub(crate) fn kernel_log(&self) -> Vec<String> {
        let lines = self.lines();
        lines.all[lines.began..].iter().map(|(at, text)| format!("user: warning: [{at}]: {text}\n")).collect()
    }

    /// All that it ever said.
    pub(crate) fn history(&self) -> Vec<(Timestamp, String)> {
        self.lines().all.clone()
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
