//! Status documents with their times.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::timeline::{Phase, Timeline, What, elapsed, offset};

/// What the status service said, and when.
#[derive(Debug)]
pub struct History {
    /// When the install began.
    pub start: Timestamp,
    /// When the heal began, or the recovery where nothing had to be done for it.
    pub heal: Option<Timestamp>,
    /// When the recovery began, if there was one.
    pub recovered: Option<Timestamp>,
    /// When the settled phase was reached; not set where nothing settled.
    pub settled: Option<Timestamp>,
    /// When the run ended.
    pub end: Timestamp,
    /// In order.
    pub spells: Vec<Spell>,
}

/// One answer, for as long as it was the same.
#[derive(Debug)]
pub struct Spell {
    /// First seen.
    pub from: Timestamp,
    /// First seen otherwise, or the end.
    pub to: Timestamp,
    /// What was said.
    pub said: Said,
}

/// What the status service said.
#[derive(Debug)]
pub enum Said {
    /// This document.
    Document(Arc<Value>),
    /// Nothing, for this reason.
    Nothing(String),
}

impl Spell {
    /// The document, if there was one.
    pub fn document(&self) -> Option<&Value> {
        match &self.said {
            Said::Document(document) => Some(document),
            Said::Nothing(_) => None,
        }
    }
}

impl History {
    /// The history in a timeline.
    pub fn of(timeline: &Timeline) -> Self {
        let end = timeline.end();
        let mut spells: Vec<Spell> = Vec::new();
        for event in &timeline.events {
            let said = match &event.what {
                What::Status { document, .. } => Said::Document(Arc::clone(document)),
                What::Silent { problem, .. } => Said::Nothing(problem.clone()),
                _ => continue,
            };
            if let Some(last) = spells.last_mut() {
                last.to = event.at;
            }
            spells.push(Spell { from: event.at, to: end, said });
        }
        Self {
            start: timeline.start(),
            heal: timeline.phase(Phase::Heal).or_else(|| timeline.phase(Phase::Recovered)),
            recovered: timeline.phase(Phase::Recovered),
            settled: timeline.phase(Phase::Settled),
            end,
            spells,
        }
    }

    /// The moment at which what `eventually` asks for must hold: just before the heal, or the end.
    pub fn judged_at(&self) -> Timestamp {
        self.heal.unwrap_or(self.end)
    }

    /// Spells that began before the heal.
    pub fn before_heal(&self) -> &[Spell] {
        let count =
            self.heal.map_or(self.spells.len(), |heal| self.spells.partition_point(|s| s.from < heal));
        &self.spells[..count]
    }

    /// Spells that lasted beyond the end of the heal steps.
    pub fn after_heal(&self) -> &[Spell] {
        let Some(begin) = self.recovered.or(self.heal) else { return &[] };
        let first = self.spells.partition_point(|spell| spell.to <= begin && spell.to != self.end);
        &self.spells[first..]
    }

    /// `+4m10s`.
    pub fn offset(&self, at: Timestamp) -> String {
        offset(self.start, at)
    }

    /// `since +4m10s (for 36m)`, seen from `until`.
    pub fn since(&self, from: Timestamp, until: Timestamp) -> String {
        format!("since {} (for {})", self.offset(from), elapsed(until.duration_since(from)))
    }
}

/// How long the last of these spells has been saying what `read` reads in it.
pub(super) fn same_since<T: PartialEq>(spells: &[Spell], read: impl Fn(&Spell) -> T) -> Option<Timestamp> {
    let last = read(spells.last()?);
    spells.iter().rev().take_while(|spell| read(spell) == last).last().map(|spell| spell.from)
}
