//! The same install without faults: what shows there does not come from a fault.

use serde::{Deserialize, Serialize};

use super::{Finding, History, Rule, View};
use crate::scenario::{Milestone, Scenario};
use crate::timeline::{Timeline, What};

/// What a faultless run showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Every blocker that it named at any moment.
    pub shown: Vec<Shown>,
    /// Milestones of every install that it did not reach.
    pub missing: Vec<Milestone>,
    /// How long it took: `+5m00s`.
    pub until: String,
}

/// What every install without faults reaches.
const OF_EVERY_INSTALL: [Milestone; 2] = [Milestone::StatusPage, Milestone::LoginReady];

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
        let reached = |wanted: &Milestone| {
            let is_it = |what: &What| matches!(what, What::Milestone { milestone } if milestone == wanted);
            timeline.events.iter().any(|event| is_it(&event.what))
        };
        let missing = OF_EVERY_INSTALL.into_iter().filter(|wanted| !reached(wanted)).collect();
        Self { shown, missing, until: history.offset(history.end) }
    }

    /// The appliance did not install although nothing was done to it.
    pub(super) fn never_installed(&self) -> Option<Finding> {
        let names = |prefix: &str| {
            let names: Vec<String> = self.missing.iter().map(|it| format!("{prefix}{it}")).collect();
            names.join(", ")
        };
        (!self.missing.is_empty()).then(|| Finding {
            rule: Rule::Control,
            expected: format!("the same install without faults to reach {}", names("")),
            seen: names("no "),
            when: format!("until {} of the control", self.until),
        })
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
