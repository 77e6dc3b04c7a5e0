//! Fault × blocker: what had to show, what was missing, what showed besides. Counted from timelines alone.
//!
//! ```text
//!   timeline ── run     one scenario's expected and missing blockers before its heal, and extra ones at any moment
//!   runs ────── matrix  a row for each set of faults, a cell for each blocker
//!   directory ─ stored  the matrix of a report directory, without its scenarios
//! ```

mod run;
mod stored;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

pub use run::{Extra, Missing, Run, Unreadable};
pub use stored::{MatrixError, stored};
pub use text::table;

/// The row of installs to which nothing was done.
pub const NO_FAULT: &str = "none";
/// The cell of runs that expect no blocker.
pub const NO_BLOCKER: &str = "none";

/// Fault × blocker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matrix {
    rows: BTreeMap<String, BTreeMap<String, Cell>>,
    runs: usize,
    unjudged: Vec<Unjudged>,
}

/// A set of faults and a blocker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// How many runs had to name it at the end of their settled phase.
    pub expected: usize,
    /// How many of these did.
    pub found: usize,
    /// Scenarios that did not name it although they had to.
    pub missing: Vec<String>,
    /// Scenarios that named it at some moment although nobody expects it, each with whose and when.
    pub extra: Vec<String>,
}

/// A run that says nothing about blockers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unjudged {
    /// The scenario.
    pub scenario: String,
    /// Why not.
    pub reason: String,
}

/// What a matrix amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Runs that were counted.
    pub runs: usize,
    /// Runs that say nothing about blockers.
    pub unjudged: usize,
    /// Blockers that had to show.
    pub expected: usize,
    /// Those of them that did.
    pub found: usize,
    /// Those of them that did not.
    pub missing: usize,
    /// Blockers that showed and nobody expected.
    pub extra: usize,
}

impl Matrix {
    /// Counts a run.
    pub fn add(&mut self, run: &Run) {
        if let Some(reason) = &run.unjudged {
            self.unjudged.push(Unjudged { scenario: run.scenario.clone(), reason: reason.clone() });
            return;
        }
        self.runs += 1;
        let row = self.rows.entry(run.row()).or_default();
        if run.expected.is_empty() && run.extra.is_empty() {
            row.entry(NO_BLOCKER.to_owned()).or_default().found += 1;
        }
        if run.expected.is_empty() {
            row.entry(NO_BLOCKER.to_owned()).or_default().expected += 1;
        }
        for code in &run.expected {
            row.entry(code.clone()).or_default().expected += 1;
        }
        for missing in &run.missing {
            let cell = row.entry(missing.code.clone()).or_default();
            cell.missing.push(format!("{}{}", run.scenario, missing.of()));
        }
        for extra in &run.extra {
            let cell = row.entry(extra.code.clone()).or_default();
            cell.extra.push(format!("{}{} at {}", run.scenario, extra.of(), extra.first));
        }
        for (code, cell) in row.iter_mut().filter(|(code, _)| *code != NO_BLOCKER) {
            debug_assert!(cell.expected >= cell.missing.len(), "{code} misses what nobody expects");
            cell.found = cell.expected - cell.missing.len();
        }
    }

    /// Every cell that is not empty, with its row and column.
    pub fn cells<'m>(&'m self) -> impl Iterator<Item = (&'m str, &'m str, &'m Cell)> {
        let cells = |(faults, row): (&'m String, &'m BTreeMap<String, Cell>)| {
            row.iter().map(move |(code, cell)| (faults.as_str(), code.as_str(), cell))
        };
        self.rows.iter().flat_map(cells)
    }

    /// Runs that say nothing about blockers.
    pub fn unjudged(&self) -> &[Unjudged] {
        &self.unjudged
    }

    /// What it amounts to.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { runs: self.runs, unjudged: self.unjudged.len(), ..Totals::default() };
        for (_, code, cell) in self.cells() {
            if code != NO_BLOCKER {
                totals.expected += cell.expected;
                totals.found += cell.found;
            }
            totals.missing += cell.missing.len();
            totals.extra += cell.extra.len();
        }
        totals
    }

    /// Whether every blocker that had to show did, and no other.
    pub fn is_exact(&self) -> bool {
        let totals = self.totals();
        totals.missing == 0 && totals.extra == 0
    }
}
