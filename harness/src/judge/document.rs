//! What a document says otherwise than expected.

use super::{Rule, View};
use crate::scenario::{Document, Readiness};

/// One difference between what is expected and what a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Which rule it breaks.
    pub rule: Rule,
    /// What was expected.
    pub expected: String,
    /// What the document says.
    pub seen: String,
}

/// Every difference between `wanted` and a document.
pub fn document_mismatches(wanted: &Document, view: View<'_>) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let mut differs = |expected: String, seen: String| {
        if expected != seen {
            found.push(Mismatch { rule: Rule::Eventually, expected, seen });
        }
    };
    if let Some(rollup) = wanted.rollup {
        differs(format!("rollup {rollup}"), format!("rollup {}", view.rollup().unwrap_or("unknown")));
    }
    for (tier, readiness) in &wanted.tiers {
        differs(format!("tier {tier} {readiness}"), format!("tier {tier} {}", ready(view.tier(*tier))));
    }
    for (component, readiness) in &wanted.components {
        let seen = ready(view.component(*component));
        differs(format!("component {component} {readiness}"), format!("component {component} {seen}"));
    }
    for (component, operation) in &wanted.operations {
        let seen = view.operation(*component).unwrap_or("none");
        differs(format!("operation {operation} of {component}"), format!("operation {seen} of {component}"));
    }
    for read in &wanted.unread {
        let said = if view.fails_to_read(read) { "failing" } else { "well" };
        differs(format!("read of {read} failing"), format!("read of {read} {said}"));
    }
    if wanted.blocker.is_some() || wanted.component.is_some() {
        let expected =
            Document { blocker: wanted.blocker, component: wanted.component.clone(), ..Document::default() };
        let blockers = view.blockers();
        let fits = blockers.iter().any(|seen| {
            wanted.blocker.is_none_or(|code| seen.is(code))
                && wanted.component.as_ref().is_none_or(|component| seen.component == component)
        });
        let titles: Vec<String> = blockers.iter().map(super::SeenBlocker::title).collect();
        let seen = if titles.is_empty() {
            "no blocker".to_owned()
        } else {
            format!("blockers {}", titles.join(", "))
        };
        if !fits {
            differs(expected.to_string(), seen);
        }
    }
    found
}

/// As [`document_mismatches`], for a recovery: a blocker that it does not ask for is gone.
pub fn recovery_mismatches(wanted: &Document, view: View<'_>) -> Vec<Mismatch> {
    let mut found = document_mismatches(wanted, view);
    for blocker in view.blockers() {
        let asked_for = wanted.blocker.is_some_and(|code| blocker.is(code))
            && wanted.component.as_ref().is_none_or(|component| blocker.component == component);
        if !asked_for {
            let expected = wanted.blocker.map_or("no blocker".to_owned(), |code| format!("only {code}"));
            let seen = format!("{} still", blocker.title());
            found.push(Mismatch { rule: Rule::Recovers, expected, seen });
        }
    }
    found
}

fn ready(said: Option<bool>) -> &'static str {
    match said {
        Some(true) => Readiness::Ready.name(),
        Some(false) => Readiness::NotReady.name(),
        None => "unknown",
    }
}
