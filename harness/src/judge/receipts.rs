//! Whether the faults happened to anybody.

use super::{Finding, History, Rule};
use crate::scenario::Scenario;
use crate::timeline::{Timeline, What};

/// A finding for every fault without a receipt, and for every act that was not done.
pub(super) fn missing(timeline: &Timeline, scenario: &Scenario, history: &History) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, fault) in scenario.faults.iter().enumerate() {
        let landed = timeline
            .events
            .iter()
            .any(|event| matches!(&event.what, What::Receipt(note) if note.index == index && note.count > 0));
        if landed {
            continue;
        }
        let refused = timeline.events.iter().find_map(|event| match &event.what {
            What::NotInjected { index: at, reason, .. } if *at == index => Some((event.at, reason.clone())),
            _ => None,
        });
        let injected = timeline
            .events
            .iter()
            .any(|event| matches!(&event.what, What::Injected { index: at, .. } if *at == index));
        let (seen, at) = match (refused, injected, fault.at) {
            (Some((at, reason)), ..) => (format!("that it could not be set: {reason}"), at),
            (None, true, _) => ("no sign that it happened to anybody".to_owned(), history.end),
            (None, false, Some(at)) => (format!("that it was not set, for {at} never came"), history.end),
            (None, false, None) => ("that it was not set".to_owned(), history.end),
        };
        found.push(Finding {
            rule: Rule::Receipt,
            expected: format!("{fault} to land: {}", fault.kind.receipt),
            seen,
            when: format!("until {}", history.offset(at)),
        });
    }
    let done = |act: &str| {
        timeline.events.iter().any(|event| matches!(&event.what, What::Acted { act: it } if it == act))
    };
    let acts = scenario.acts.iter().map(ToString::to_string).filter(|act| !done(act));
    found.extend(acts.map(|act| Finding {
        rule: Rule::Receipt,
        expected: format!("{act} to be done"),
        seen: "that it was not, or not to its end".to_owned(),
        when: format!("until {}", history.offset(history.end)),
    }));
    found
}
