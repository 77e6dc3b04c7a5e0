//! Remembers what a terminal would have shown.

use std::time::Duration;

use smoke_harness::report::Terminal;
use smoke_harness::run::{Kept, Outcome, Plan, Stop, Voice};

/// What a terminal would have shown.
pub(crate) struct Notes {
    terminal: Terminal<Vec<u8>>,
    /// Thrown as soon as worlds are kept, as a person who has seen enough does.
    pub(crate) enough: Stop,
}

impl Default for Notes {
    fn default() -> Self {
        Self { terminal: Terminal::new(Vec::new()), enough: Stop::default() }
    }
}

impl Notes {
    /// The lines so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.terminal.output()).into_owned()
    }
}

impl Voice for Notes {
    fn begin(&mut self, plan: &Plan, runs: usize) {
        self.terminal.begin(plan, runs);
    }

    fn slow(&mut self, name: &str, duration: Duration, last: &str) {
        self.terminal.slow(name, duration, last);
    }

    fn ended(&mut self, outcome: &Outcome) {
        self.terminal.ended(outcome);
    }

    fn kept(&mut self, kept: &[(String, Kept)]) {
        self.terminal.kept(kept);
        self.enough.throw();
    }
}
