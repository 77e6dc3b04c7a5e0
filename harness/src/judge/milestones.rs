//! First observations.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::rules::says;
use super::{Finding, History, Rule, View};
use crate::scenario::{Milestone, Rollup, Scenario, Tier};
use crate::timeline::{Event, Phase, Target, Timeline, What, elapsed};

/// When milestones were first seen, folded from events one by one.
#[derive(Debug, Clone, Default)]
pub struct Milestones {
    seen: BTreeMap<Milestone, Seen>,
    start: Option<Timestamp>,
    landed: Option<Timestamp>,
    healed: Option<Timestamp>,
    /// Whether the last document says what `recovers` asks for.
    stands: bool,
}

/// A first observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// First seen.
    pub at: Timestamp,
    /// Last looked for in vain.
    pub not_until: Option<Timestamp>,
}

impl Milestones {
    /// All of a timeline.
    pub fn of(timeline: &Timeline, scenario: &Scenario) -> Self {
        let mut milestones = Self::default();
        for event in &timeline.events {
            milestones.observe(event, scenario);
        }
        milestones
    }

    /// Takes the next event in; returns the milestones that it shows for the first time.
    pub fn observe(&mut self, event: &Event, scenario: &Scenario) -> Vec<Milestone> {
        let mut new = Vec::new();
        match &event.what {
            What::Phase { phase: Phase::Install } => self.start = Some(event.at),
            What::Phase { phase: Phase::Recovered } => {
                self.healed = Some(event.at);
                // What the heal's steps waited for may be there when they end.
                if self.stands && self.first(Milestone::Recovered, event.at, None) {
                    new.push(Milestone::Recovered);
                }
            }
            What::Injected { .. } => self.landed = self.landed.max(Some(event.at)),
            What::Receipt(receipt) if receipt.count > 0 => self.landed = self.landed.max(receipt.first),
            What::Probe { target, answer, until } => {
                let milestone = match target {
                    Target::Page if answer.page() => Some(Milestone::StatusPage),
                    Target::App if answer.useful() => Some(Milestone::App),
                    Target::Page | Target::App | Target::Healthz | Target::Unsigned => None,
                };
                new.extend(milestone.filter(|milestone| self.first(*milestone, event.at, *until)));
            }
            What::Status { document, until, .. } => {
                let wanted = scenario.recovers.as_ref();
                self.stands = wanted.is_some_and(|wanted| says(wanted, View(document)));
                for milestone in self.said(View(document), scenario) {
                    if self.first(milestone, event.at, *until) {
                        new.push(milestone);
                    }
                }
            }
            What::Silent { .. } => self.stands = false,
            _ => {}
        }
        new
    }

    fn said(&self, view: View<'_>, scenario: &Scenario) -> Vec<Milestone> {
        let mut said = Vec::new();
        if view.tier(Tier::Login) == Some(true) {
            said.push(Milestone::LoginReady);
        }
        if view.rollup() == Some(Rollup::FullyHealthy.name()) {
            said.push(Milestone::FullyHealthy);
        }
        let wanted = &scenario.expect.blockers;
        let fits = |seen: &super::SeenBlocker<'_>| {
            wanted.iter().any(|blocker| {
                seen.is(blocker.code)
                    && blocker.component.as_ref().is_none_or(|component| seen.component == component)
            })
        };
        if view.blockers().iter().any(fits) {
            said.push(Milestone::Blocker);
        }
        if self.healed.is_some() && scenario.recovers.as_ref().is_some_and(|wanted| says(wanted, view)) {
            said.push(Milestone::Recovered);
        }
        said
    }

    fn first(&mut self, milestone: Milestone, at: Timestamp, not_until: Option<Timestamp>) -> bool {
        let new = !self.seen.contains_key(&milestone);
        self.seen.entry(milestone).or_insert(Seen { at, not_until });
        new
    }

    /// When it was first seen, if ever.
    pub fn get(&self, milestone: Milestone) -> Option<Seen> {
        self.seen.get(&milestone).copied()
    }

    /// From when a milestone's budget counts: a blocker's from the moment at which the last fault landed, a recovery's
    /// from the end of the heal steps, all others' from the start of the install.
    pub fn base(&self, milestone: Milestone) -> Option<Timestamp> {
        match milestone {
            Milestone::Blocker => self.landed.or(self.start),
            Milestone::Recovered => self.healed,
            Milestone::StatusPage | Milestone::App | Milestone::LoginReady | Milestone::FullyHealthy => {
                self.start
            }
        }
    }

    /// How long a milestone took, from its base.
    pub fn took(&self, milestone: Milestone) -> Option<jiff::SignedDuration> {
        let took = self.get(milestone)?.at.duration_since(self.base(milestone)?);
        Some(took.max(jiff::SignedDuration::ZERO))
    }

    /// `order`: no milestone was still looked for in vain when a later one had been seen.
    pub(super) fn order(&self, wanted: &[Milestone], history: &History) -> Vec<Finding> {
        let mut found = Vec::new();
        let expected =
            || wanted.iter().map(|milestone| milestone.name()).collect::<Vec<_>>().join(" before ");
        for (index, milestone) in wanted.iter().enumerate() {
            // What the heal brought does not count.
            let in_time = |seen: &Seen| {
                *milestone == Milestone::Recovered || history.heal.is_none_or(|heal| seen.at < heal)
            };
            let Some(seen) = self.get(*milestone).filter(in_time) else {
                let when = format!("until {}", history.offset(history.judged_at()));
                let seen = format!("no {milestone}");
                found.push(Finding { rule: Rule::Order, expected: expected(), seen, when });
                continue;
            };
            let overtaken = wanted[..index].iter().find(|earlier| {
                let other = self.get(**earlier);
                other.is_some_and(|other| other.not_until.is_some_and(|not| not >= seen.at))
            });
            if let Some(earlier) = overtaken {
                let other = self.get(*earlier).map_or(history.end, |seen| seen.at);
                let when = format!("{earlier} only at {}", history.offset(other));
                let seen = format!("{milestone} at {}", history.offset(seen.at));
                found.push(Finding { rule: Rule::Order, expected: expected(), seen, when });
            }
        }
        found
    }

    /// `within`: budgets in field time.
    pub(super) fn within(&self, wanted: &BTreeMap<Milestone, Duration>, history: &History) -> Vec<Finding> {
        let mut found = Vec::new();
        for (milestone, budget) in wanted {
            let budget = jiff::SignedDuration::try_from(*budget).unwrap_or(jiff::SignedDuration::MAX);
            let expected = format!("{milestone} within {}", elapsed(budget));
            match (self.get(*milestone), self.took(*milestone)) {
                (Some(seen), Some(took)) if took > budget => {
                    let when = format!("at {}", history.offset(seen.at));
                    let seen = format!("it after {}", elapsed(took));
                    found.push(Finding { rule: Rule::Within, expected, seen, when });
                }
                (Some(_), Some(_)) => {}
                _ => {
                    let when = format!("until {}", history.offset(history.end));
                    found.push(Finding {
                        rule: Rule::Within,
                        expected,
                        seen: format!("no {milestone}"),
                        when,
                    });
                }
            }
        }
        found
    }
}
