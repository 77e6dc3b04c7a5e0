//! What has to be remembered between two looks.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::finding::{Finding, Identity};
use crate::flux::{FluxId, FluxMemory};
use crate::held::Told;

/// What has to be remembered between two looks. A service that starts anew starts with an empty one.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    first_seen: BTreeMap<Identity, Timestamp>,
    /// Causes that were told last and may lose the pods that told them.
    pub(crate) told: BTreeMap<Identity, Told>,
    pub(crate) flux: BTreeMap<FluxId, FluxMemory>,
    /// UID of the volume against which a bootstrap job was seen to complete.
    pub(crate) bootstrapped: Option<String>,
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
}
