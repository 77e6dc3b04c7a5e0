//! Which of a Job's pods have been counted, and how.

use std::collections::HashSet;
use std::time::Duration;

use cluster_api::object;
use jiff::Timestamp;
use serde_json::Value;

use crate::control::{int, moment};
use crate::pods;

const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(600);

/// Ended pods of one Job, each counted once, also after it is gone.
#[derive(Debug, Default)]
pub(super) struct Tally {
    job: String,
    before: (i64, i64),
    succeeded: HashSet<String>,
    failed: HashSet<String>,
    ignored: HashSet<String>,
    failures_in_a_row: u32,
    last_failure: Option<Timestamp>,
}

impl Tally {
    pub(super) fn of(job: &Value) -> Self {
        Self {
            job: object::uid(job).to_owned(),
            before: (int(&job["status"]["succeeded"]), int(&job["status"]["failed"])),
            ..Self::default()
        }
    }

    pub(super) fn is_of(&self, job: &Value) -> bool {
        self.job == object::uid(job)
    }

    pub(super) fn count(&mut self, pod: &Value) {
        match pods::phase(pod) {
            "Succeeded" => {
                self.failures_in_a_row = 0;
                self.succeeded.insert(object::uid(pod).to_owned());
            }
            "Failed" => self.fail(pod),
            _ if object::is_deleting(pod) => self.fail(pod),
            _ => {}
        }
    }

    pub(super) fn fail(&mut self, pod: &Value) {
        let uid = object::uid(pod);
        if self.ignored.contains(uid) || self.succeeded.contains(uid) || !self.failed.insert(uid.to_owned()) {
            return;
        }
        self.failures_in_a_row += 1;
        self.last_failure = self.last_failure.max(ended(pod));
    }

    /// A pod that the controller itself takes away counts as nothing.
    pub(super) fn ignore(&mut self, pod: &Value) {
        self.ignored.insert(object::uid(pod).to_owned());
    }

    pub(super) fn succeeded(&self) -> i64 {
        self.before.0.max(count(&self.succeeded))
    }

    pub(super) fn failed(&self) -> i64 {
        self.before.1.max(count(&self.failed))
    }

    /// When the next pod may be made after failures: 10 s after the end of the last one, doubling.
    pub(super) fn next_try(&self) -> Option<Timestamp> {
        let doublings = self.failures_in_a_row.checked_sub(1)?.min(10);
        Some(self.last_failure? + (FIRST_BACK_OFF * 2u32.pow(doublings)).min(LONGEST_BACK_OFF))
    }
}

fn count(uids: &HashSet<String>) -> i64 {
    i64::try_from(uids.len()).unwrap_or(i64::MAX)
}

/// When the last container of a pod ended, or the pod was told to.
fn ended(pod: &Value) -> Option<Timestamp> {
    let containers = pod["status"]["containerStatuses"].as_array().map_or(&[][..], Vec::as_slice);
    let last = containers.iter().filter_map(|c| moment(&c["state"]["terminated"]["finishedAt"])).max();
    last.or_else(|| moment(&pod["metadata"]["deletionTimestamp"]))
        .or_else(|| moment(&pod["metadata"]["creationTimestamp"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failed(uid: &str, end: &str) -> Value {
        json!({"metadata": {"uid": uid}, "status": {"phase": "Failed",
            "containerStatuses": [{"state": {"terminated": {"finishedAt": end}}}]}})
    }

    #[test]
    fn the_pause_before_another_try_doubles_from_ten_seconds_after_the_end() {
        let mut tally = Tally::of(&json!({}));
        tally.count(&failed("a", "2026-01-01T00:00:00Z"));
        tally.count(&failed("a", "2026-01-01T00:00:00Z"));
        assert_eq!(tally.next_try(), Some("2026-01-01T00:00:10Z".parse().unwrap()));
        tally.count(&failed("b", "2026-01-01T00:01:00Z"));
        assert_eq!(tally.next_try(), Some("2026-01-01T00:01:20Z".parse().unwrap()));
        assert_eq!(tally.failed(), 2);
    }

    #[test]
    fn a_pod_taken_away_by_the_controller_is_no_failure() {
        let mut tally = Tally::of(&json!({}));
        let pod = json!({"metadata": {"uid": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
        tally.ignore(&pod);
        tally.count(&pod);
        assert_eq!(tally.failed(), 0);
    }
}
