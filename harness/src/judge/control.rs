//! The same install without faults: what shows there does not come from a fault.

use serde::{Deserialize, Serialize};

use super::{Finding, History, Rule, View};
use crate::scenario::Scenario;
use crate::timeline::Timeline;

/// What a faultless run showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Every blocker that it named at any moment.
    pub shown: Vec<Shown>,
}

/// A blocker that the control named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its code, or those that it may stand for.
    pub codes: Vec<String>,
    /// Whose.
    pub component: String,
    /// When first: `+12s`.
    pub first: String,
    /// Whether it still stood at the end.
    pub at_end: bool,
}

impl Control {
    /// What a faultless timeline shows.
    pub fn of(timeline: &Timeline) -> Self {
        let history = History::of(timeline);
        let mut shown: Vec<Shown> = Vec::new();
        for spell in &history.spells {
            let Some(document) = spell.document() else { continue };
            for blocker in View(document).blockers() {
                let codes: Vec<String> = blocker.codes.iter().map(|code| (*code).to_owned()).collect();
                let known = shown.iter().position(|s| s.codes == codes && s.component == blocker.component);
                let at_end = spell.to == history.end;
                match known {
                    Some(index) => shown[index].at_end = at_end,
                    None => {
                        let first = history.offset(spell.from);
                        shown.push(Shown { codes, component: blocker.component.to_owned(), first, at_end });
                    }
                }
            }
        }
        Self { shown }
    }

    /// Expected blockers that need no fault.
    pub(super) fn contradictions(&self, scenario: &Scenario) -> Vec<Finding> {
        let mut found = Vec::new();
        for blocker in &scenario.expect.blockers {
            let same = |shown: &&Shown| {
                shown.codes.iter().any(|code| code == blocker.code)
                    && blocker.component.as_ref().is_none_or(|component| *component == shown.component)
            };
            if let Some(shown) = self.shown.iter().find(same) {
                found.push(Finding {
                    rule: Rule::Control,
                    expected: format!("{} to come from the fault", blocker.code),
                    seen: format!("{} of {} without any fault", blocker.code, shown.component),
                    when: format!("from {} of the control on", shown.first),
                });
            }
        }
        found
    }
}
