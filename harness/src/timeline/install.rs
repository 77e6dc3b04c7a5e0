//! The part of a timeline in which an appliance was installed: what another run on the same install begins with.

use serde_json::Value;

use super::event::{Phase, What};
use super::journal::Timeline;
use crate::scenario::Milestone;

impl Timeline {
    /// What was seen of the install until all was healthy, without what only that run was about; nothing where that never came
    /// about, or the operator's command had not ended well by then.
    #[must_use]
    pub fn install(&self) -> Option<Self> {
        let healthy = |what: &What| matches!(what, What::Milestone { milestone: Milestone::FullyHealthy });
        let end = self.events.iter().position(|event| healthy(&event.what))?;
        let mut events = self.events[..end].to_vec();
        events.retain(|event| match &event.what {
            What::Status { .. } | What::Silent { .. } | What::Probe { .. } => true,
            What::Operator { .. } | What::OperatorEnded { .. } => true,
            What::Phase { phase } => *phase == Phase::Install,
            _ => false,
        });
        let ended = events.iter().any(|event| matches!(event.what, What::OperatorEnded { .. }));
        ended.then_some(Self { events })
    }

    /// Whether the last thing that the status service said is that all is healthy, and nothing else.
    #[must_use]
    pub fn ends_healthy(&self) -> bool {
        let last = self.events.iter().rev().find_map(|event| match &event.what {
            What::Status { document, .. } => Some(is_healthy(document)),
            What::Silent { .. } => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }
}

/// Whether a status document says that all is healthy, and names no blocker.
#[must_use]
pub fn is_healthy(document: &Value) -> bool {
    let blockers = document["topBlockers"].as_array().map_or(0, Vec::len);
    document["rollup"]["state"] == "fully_healthy" && blockers == 0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::timeline::Event;
    use crate::world::OperatorEnd;

    fn timeline(whats: Vec<What>) -> Timeline {
        let at = Timestamp::UNIX_EPOCH;
        Timeline { events: whats.into_iter().map(|what| Event { at, what }).collect() }
    }

    fn status(state: &str) -> What {
        let document = Arc::new(json!({ "rollup": { "state": state }, "topBlockers": [] }));
        What::Status { hash: state.to_owned(), substance: state.to_owned(), document, until: None }
    }

    #[test]
    fn an_install_is_what_was_seen_until_all_was_healthy() {
        let healthy = || What::Milestone { milestone: Milestone::FullyHealthy };
        let whats = vec![
            What::Phase { phase: Phase::Install },
            What::Phase { phase: Phase::Fault },
            status("installing"),
            What::OperatorEnded { end: OperatorEnd::Exited(0) },
            status("fully_healthy"),
            healthy(),
            status("ready_with_background_issues"),
        ];
        let whole = timeline(whats.clone());
        assert_eq!(whole.install().unwrap().events.len(), 4);
        assert!(!whole.ends_healthy() && whole.install().unwrap().ends_healthy());
        assert!(
            timeline(vec![status("fully_healthy"), healthy()]).install().is_none(),
            "the command still ran"
        );
        assert!(timeline(whats[..4].to_vec()).install().is_none(), "it was never healthy");
    }
}
