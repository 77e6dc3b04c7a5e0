//! A voice that keeps to itself.

use std::time::Duration;

use smoke_harness::run::{Kept, Outcome, Plan, Voice};

/// What is found is read from the summary.
pub(crate) struct Silence;

impl Voice for Silence {
    fn begin(&mut self, _plan: &Plan, _runs: usize) {}

    fn slow(&mut self, _name: &str, _duration: Duration, _last: &str) {}

    fn ended(&mut self, _outcome: &Outcome) {}

    fn kept(&mut self, _kept: &[(String, Kept)]) {}
}
