//! A matrix as people read it on a terminal.

use super::{Matrix, Totals};

/// A line per cell, then what is wrong, then the sum.
pub fn table(matrix: &Matrix) -> String {
    let cells: Vec<_> = matrix.cells().collect();
    let width = |head: &str, of: fn(&(&str, &str)) -> usize| {
        let longest = cells.iter().map(|(faults, code, _)| of(&(faults, code))).max().unwrap_or_default();
        longest.max(head.len())
    };
    let (faults, code) = (width("fault", |it| it.0.len()), width("blocker", |it| it.1.len()));
    let mut text = format!(
        "{:faults$}  {:code$}  {:>8}  {:>5}  {:>7}  {:>5}\n",
        "fault", "blocker", "expected", "found", "missing", "extra"
    );
    for (row, column, cell) in &cells {
        text.push_str(&format!(
            "{row:faults$}  {column:code$}  {:>8}  {:>5}  {:>7}  {:>5}\n",
            cell.expected,
            cell.found,
            cell.missing.len(),
            cell.extra.len(),
        ));
    }
    for (row, column, cell) in &cells {
        for scenario in &cell.missing {
            text.push_str(&format!("missing: {column} of {row}, in {scenario}\n"));
        }
        for scenario in &cell.extra {
            text.push_str(&format!("extra: {column} of {row}, in {scenario}\n"));
        }
    }
    for run in matrix.unjudged() {
        text.push_str(&format!("not counted: {}: {}\n", run.scenario, run.reason));
    }
    text.push_str(&format!("{}\n", matrix.totals()));
    text
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { runs, unjudged, expected, found, missing, extra } = self;
        write!(
            f,
            "{runs} runs, {expected} blockers expected, {found} found, {missing} missing, {extra} extra"
        )?;
        if *unjudged > 0 { write!(f, "; {unjudged} runs not counted") } else { Ok(()) }
    }
}
