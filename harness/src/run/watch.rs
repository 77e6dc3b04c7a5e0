//! Waiting for what is expected, with a reason to stop.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::Budgets;
use crate::judge::{Milestones, View, blocker_mismatches, document_mismatches, recovery_mismatches};
use crate::scenario::{Milestone, Pattern, Scenario};
use crate::timeline::{Event, Journal, What};
use crate::world::OperatorEnd;

/// So many times what counts as quiet, a receipt may come after the words that it explains.
const AFTER_THE_END: u32 = 3;

/// What a wait came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Go on.
    NotYet,
    /// It is there, and nothing changes any more.
    Settled,
    /// Nothing changes any more, and it is not there.
    SettledOtherwise,
    /// There is no more time.
    Unsettled,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// What `eventually` and `operator` ask for.
    Eventually,
    /// What `recovers` asks for.
    Recovers,
}

/// Follows the timeline as it grows.
pub(super) struct Watch<'s> {
    scenario: &'s Scenario,
    budgets: Budgets,
    journal: Journal,
    next: usize,
    pub(super) milestones: Milestones,
    document: Option<Arc<Value>>,
    silent: bool,
    known: HashSet<String>,
    changed: Timestamp,
    began: Timestamp,
    met: Option<Timestamp>,
    operator: Option<OperatorEnd>,
    /// What the operator's command must print and has not yet.
    unprinted: Vec<&'s Pattern>,
}

impl<'s> Watch<'s> {
    pub(super) fn new(scenario: &'s Scenario, budgets: Budgets, journal: Journal, now: Timestamp) -> Self {
        Self {
            scenario,
            budgets,
            journal,
            next: 0,
            milestones: Milestones::default(),
            document: None,
            silent: true,
            known: HashSet::new(),
            changed: now,
            began: now,
            met: None,
            operator: None,
            unprinted: scenario.expect.operator.iter().flat_map(|operator| &operator.prints).collect(),
        }
    }

    /// A new phase: everything is news again.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.known.clear();
        self.changed = now;
        self.began = now;
        self.met = None;
    }

    /// Takes in what happened since the last time; returns and notes milestones that were reached.
    pub(super) fn catch_up(&mut self) -> Vec<Milestone> {
        let mut next = self.next;
        let mut new = Vec::new();
        let journal = self.journal.clone();
        journal.since(&mut next, |event| {
            self.take(event);
            new.extend(self.milestones.observe(event, self.scenario));
        });
        self.next = next;
        for milestone in &new {
            journal.note(What::Milestone { milestone: *milestone });
        }
        new
    }

    fn take(&mut self, event: &Event) {
        match &event.what {
            What::Status { document, substance, .. } => {
                self.document = Some(Arc::clone(document));
                self.silent = false;
                self.news(substance, event.at);
            }
            What::Silent { problem, .. } => {
                self.document = None;
                self.silent = true;
                self.news(problem, event.at);
            }
            What::OperatorEnded { end } => {
                self.operator = Some(*end);
                self.changed_at(event.at);
            }
            What::Operator { text, .. } => self.unprinted.retain(|pattern| !pattern.matches(text)),
            What::Injected { .. } | What::Acted { .. } => self.changed_at(event.at),
            _ => {}
        }
    }

    /// What was said before is no change when it is said again.
    fn news(&mut self, substance: &str, at: Timestamp) {
        if self.known.insert(substance.to_owned()) {
            self.changed_at(at);
        }
    }

    /// What happened before this began, as in an install that stands, is no news.
    fn changed_at(&mut self, at: Timestamp) {
        self.changed = self.changed.max(at);
    }

    /// Whether to go on waiting. `landed` says whether every fault has its receipt.
    pub(super) fn wait(&mut self, goal: Goal, landed: Landed, now: Timestamp) -> Wait {
        let met = landed == Landed::All && self.met(goal);
        let since = if met { Some(*self.met.get_or_insert(now)) } else { None };
        self.met = since;
        let quiet = |budget: Duration, from: Timestamp| reached(from, now, budget);
        if since.is_some_and(|since| quiet(self.budgets.quiet, since.max(self.changed))) {
            return Wait::Settled;
        }
        let patience = if self.has_told_all(goal) {
            AFTER_THE_END * self.budgets.quiet
        } else if self.silent {
            self.budgets.silence
        } else {
            self.budgets.patience
        };
        // Where the command's end is asked for, it decides when there is nothing more to come.
        let open = goal == Goal::Eventually && !self.operator_has_ended();
        // What is said by turns with something else is met at times; it has to stay first.
        if !met && !open && quiet(patience, self.changed) {
            return Wait::SettledOtherwise;
        }
        if quiet(self.budgets.ceiling, self.began) { Wait::Unsettled } else { Wait::NotYet }
    }

    /// Nothing is asked for but what the command says, and the command has ended.
    fn has_told_all(&self, goal: Goal) -> bool {
        goal == Goal::Eventually && self.scenario.asks_the_operator_alone() && self.operator.is_some()
    }

    /// Where it matters how it ended.
    fn operator_has_ended(&self) -> bool {
        let operator = self.scenario.expect.operator.as_ref();
        operator.is_none_or(|wanted| wanted.exit.is_none()) || self.operator.is_some()
    }

    fn met(&self, goal: Goal) -> bool {
        let Some(document) = &self.document else {
            let alone = goal == Goal::Eventually && self.scenario.asks_the_operator_alone();
            return alone && self.unprinted.is_empty() && self.operator_has_ended();
        };
        let view = View(document);
        match goal {
            Goal::Eventually => {
                let expect = &self.scenario.expect;
                self.operator_has_ended()
                    && self.unprinted.is_empty()
                    && document_mismatches(&expect.eventually, view).is_empty()
                    && blocker_mismatches(&expect.blockers, view).is_empty()
            }
            Goal::Recovers => {
                let wanted = self.scenario.recovers.as_ref();
                wanted.is_none_or(|wanted| recovery_mismatches(wanted, view).is_empty())
            }
        }
    }
}

/// Whether every fault has its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landed {
    /// Every one.
    All,
    /// Not every one.
    NotAll,
}

fn reached(from: Timestamp, now: Timestamp, budget: Duration) -> bool {
    Duration::try_from(now.duration_since(from)).is_ok_and(|waited| waited >= budget)
}
