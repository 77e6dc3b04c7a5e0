//! What has to be remembered between two looks.

use std::collections::{BTreeMap, BTreeSet};

use appliance_status_model::BlockerCode;
use jiff::{SignedDuration, Timestamp};

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
    /// When what is held back or held on to changes although nothing happens.
    dues: BTreeSet<Timestamp>,
}

impl Memory {
    /// When the same facts mean something else than they did at the last look: a grace ends, or a cause is let go.
    #[must_use]
    pub fn dues(&self) -> &BTreeSet<Timestamp> {
        &self.dues
    }

    /// Begins a look.
    pub(crate) fn begin(&mut self) {
        self.dues.clear();
    }

    /// The same facts mean something else so many seconds after that moment; says whether that is over.
    pub(crate) fn is_over(&mut self, seconds: i64, after: Timestamp, now: Timestamp) -> bool {
        let end = after.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        if now >= end {
            return true;
        }
        self.dues.insert(end);
        false
    }

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
                self.is_over(finding.grace, first, now)
            })
            .collect();
        self.first_seen = seen;
        ripe
    }

    /// Whether a finding has stood for its grace without following from another. Programs that a mended cause has left
    /// unready get the same time to recover as those that go wrong by themselves, and so do pods that the scheduler has not
    /// looked at again: a real one takes seconds for that.
    pub(crate) fn stands_alone(&mut self, finding: &Finding, now: Timestamp) -> bool {
        let recovers = matches!(
            finding.code,
            BlockerCode::Workload
                | BlockerCode::BackgroundWorkload
                | BlockerCode::Scheduling
                | BlockerCode::Helm
        );
        let last = self.explained.get(&finding.identity()).filter(|_| recovers).copied();
        last.is_none_or(|last| self.is_over(finding.grace, last, now))
    }

    /// Notes which findings follow from another at this look.
    pub(crate) fn note_explained(&mut self, explained: Vec<Identity>, now: Timestamp) {
        self.explained.retain(|identity, _| self.first_seen.contains_key(identity));
        self.explained.extend(explained.into_iter().map(|identity| (identity, now)));
    }
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, Component};
    use jiff::SignedDuration;

    use crate::samples::{break_component, codes, container, healthy, now, waiting};
    use crate::{Memory, assess};

    #[test]
    fn whoever_looks_when_a_grace_ends_sees_what_it_held_back_and_not_before() {
        let (mut known, mut memory) = (healthy(), Memory::default());
        assess(&known, &mut memory, now());
        assert!(memory.dues().is_empty());
        let text = "failed to resolve reference: lookup ghcr.io: no such host";
        let broken = container("main", "img:1", waiting("ImagePullBackOff", text));
        break_component(&mut known, Component::EmailService, broken);
        assert!(assess(&known, &mut memory, now()).top_blockers.is_empty());
        let due = *memory.dues().first().unwrap();
        assert!(due > now());
        let before = due - SignedDuration::from_millis(1);
        assert!(assess(&known, &mut memory, before).top_blockers.is_empty());
        assert_eq!(memory.dues().first(), Some(&due));
        assert_eq!(codes(&assess(&known, &mut memory, due)), [(BlockerCode::Dns, "email-service")]);
    }
}
