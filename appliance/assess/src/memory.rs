//! What has to be remembered between two looks.

use std::collections::BTreeMap;

use appliance_status_model::BlockerCode;
use jiff::Timestamp;

use crate::bootstrap::PastFailure;
use crate::finding::{Finding, Identity};
use crate::flux::{FluxId, FluxMemory};
use crate::held::Told;

/// What has to be remembered between two looks. A service that starts anew starts with an empty one.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    first_seen: BTreeMap<Identity, Timestamp>,
    /// When a finding that stands still followed from another last.
    explained: BTreeMap<Identity, Timestamp>,
    /// Causes that were told last and may lose the pods that told them.
    pub(crate) told: BTreeMap<Identity, Told>,
    pub(crate) flux: BTreeMap<FluxId, FluxMemory>,
    /// UID of the volume against which a bootstrap job was seen to complete.
    pub(crate) bootstrapped: Option<String>,
    /// The newest bootstrap job, where it failed.
    pub(crate) bootstrap_failed: Option<PastFailure>,
    /// Login was ready once.
    pub(crate) login_was_ready: bool,
    /// Since when the login page does not answer.
    pub(crate) probe_failing_since: Option<Timestamp>,
}

impl Memory {
    /// Forgets findings that are gone and says of each other one whether its grace is over.
    pub(crate) fn ripe(&mut self, findings: &[Finding], now: Timestamp) -> Vec<bool> {
        let mut seen = BTreeMap::new();
        let ripe = findings
            .iter()
            .map(|finding| {
                let identity = finding.identity();
                let first = self.first_seen.get(&identity).copied().unwrap_or(now);
                let first = finding.since.map_or(first, |since| since.min(first));
                seen.insert(identity, first);
                now.duration_since(first).as_secs() >= finding.grace
            })
            .collect();
        self.first_seen = seen;
        ripe
    }

    /// Whether a finding has stood for its grace without following from another. Programs that a mended cause has left
    /// unready get the same time to recover as those that go wrong by themselves.
    pub(crate) fn stands_alone(&self, finding: &Finding, now: Timestamp) -> bool {
        let recovers = matches!(finding.code, BlockerCode::Workload | BlockerCode::BackgroundWorkload);
        let last = self.explained.get(&finding.identity()).filter(|_| recovers);
        last.is_none_or(|last| now.duration_since(*last).as_secs() >= finding.grace)
    }

    /// Notes which findings follow from another at this look.
    pub(crate) fn note_explained(&mut self, explained: Vec<Identity>, now: Timestamp) {
        self.explained.retain(|identity, _| self.first_seen.contains_key(identity));
        self.explained.extend(explained.into_iter().map(|identity| (identity, now)));
    }
}
