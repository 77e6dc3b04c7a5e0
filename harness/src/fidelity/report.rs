//! What came of all cases: for people, and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::accepted::{Side, reason};
use super::case::{Case, Family};
use super::compare::{Comparison, Tally};
use super::signal::{Class, Signal, Signals};
use crate::recording::Stream;

/// What came of one case.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Whose recording it is.
    pub family: Family,
    /// Signal by signal.
    pub comparison: Comparison,
    /// The same with the order of all that is said of an object, whoever says it.
    pub strict: Tally,
    /// Lines of the recording and of the simulation, before anything was taken out or together.
    pub raw: [usize; 2],
    /// Why it could not be replayed.
    pub failure: Option<String>,
}

impl CaseResult {
    /// Compares two streams of a case.
    pub fn of(case: &Case, recorded: &Stream, simulated: &Stream, failure: Option<String>) -> Self {
        let read = |stream: &Stream| Signals::of(stream, &case.name, &case.namespaces);
        let (recorded, simulated) = (read(recorded), read(simulated));
        Self {
            name: case.name.clone(),
            family: case.family,
            comparison: Comparison::of(&recorded, &simulated),
            strict: Comparison::strict(&recorded, &simulated).tally(),
            raw: [recorded.raw, simulated.raw],
            failure,
        }
    }

    /// As it is; a case that could not be replayed has said nothing of what it should have.
    pub fn tally(&self) -> Tally {
        let tally = self.comparison.tally();
        if self.failure.is_some() { Tally { both: 0, either: tally.either.max(1) } } else { tally }
    }

    /// With accepted differences counted as matches.
    pub fn tally_with_accepted(&self) -> Tally {
        let tally = self.tally();
        Tally { both: tally.both + self.accepted(), ..tally }
    }

    /// How many differences are accepted.
    pub fn accepted(&self) -> usize {
        let count = |signals: &[Signal], side| {
            signals.iter().filter(|signal| reason(self.family, side, signal).is_some()).count()
        };
        count(&self.comparison.missing, Side::Recorded) + count(&self.comparison.extra, Side::Simulated)
    }
}

/// What came of all cases.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Case by case.
    pub cases: Vec<CaseResult>,
}

impl Report {
    /// The cases of one recorder.
    fn of(&self, family: Family) -> impl Iterator<Item = &CaseResult> {
        self.cases.iter().filter(move |case| case.family == family)
    }

    /// The share over all cases of one recorder, as it is and with accepted differences; nothing when there are none.
    pub fn share(&self, family: Family) -> Option<(f64, f64)> {
        self.of(family).next()?;
        let (mut raw, mut accepted) = (Tally::default(), Tally::default());
        for case in self.of(family) {
            raw += case.tally();
            accepted += case.tally_with_accepted();
        }
        Some((raw.share(), accepted.share()))
    }

    /// A table for people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for family in Family::ALL {
            let Some((raw, accepted)) = self.share(family) else { continue };
            text.push_str(&self.summary(family, raw, accepted));
        }
        text
    }

    fn summary(&self, family: Family, raw: f64, accepted: f64) -> String {
        let mut text = String::new();
        let lines = |side: usize| self.of(family).map(|case| case.raw[side]).sum::<usize>();
        let mut all = Tally::default();
        let mut classes: BTreeMap<Class, Tally> = BTreeMap::new();
        for case in self.of(family) {
            all += case.tally();
            for (class, tally) in case.comparison.classes() {
                *classes.entry(class).or_default() += tally;
            }
        }
        let excused: usize = self.of(family).map(CaseResult::accepted).sum();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{}: share {raw:.4} ({} of {} signals), with {excused} accepted differences {accepted:.4}",
            family.name(),
            all.both,
            all.either
        );
        let mut strict = Tally::default();
        self.of(family).for_each(|case| strict += case.strict);
        let _ = writeln!(
            text,
            "  as if all that is said of an object came from one mouth: {:.4}",
            strict.share()
        );
        let _ = writeln!(text, "  lines {} recorded, {} simulated", lines(0), lines(1));
        for (class, tally) in classes.iter().filter(|(_, tally)| tally.either > 0) {
            let _ = writeln!(
                text,
                "  {:<10} {:.4}  {} of {}",
                class.name(),
                tally.share(),
                tally.both,
                tally.either
            );
        }
        if let Some(worst) = self.of(family).min_by(|a, b| a.tally().share().total_cmp(&b.tally().share())) {
            let _ = writeln!(text, "  worst case {} {:.4}", worst.name, worst.tally().share());
        }
        text
    }

    /// One line for a case.
    pub fn line(case: &CaseResult) -> String {
        let tally = case.tally();
        let failure = case.failure.as_ref().map_or(String::new(), |why| format!("  not replayed: {why}"));
        format!(
            "{:<10} {:<34} {:.4}  {:>4} of {:>4}  missing {:>3}  extra {:>3}{failure}",
            case.family.name(),
            case.name,
            tally.share(),
            tally.both,
            tally.either,
            case.comparison.missing.len(),
            case.comparison.extra.len(),
        )
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let mut all = Tally::default();
        let mut with_accepted = Tally::default();
        for case in &self.cases {
            all += case.tally();
            with_accepted += case.tally_with_accepted();
        }
        let shares = |family: Family| {
            self.share(family)
                .map_or(Value::Null, |(raw, accepted)| json!({"share": raw, "withAccepted": accepted}))
        };
        let cases: serde_json::Map<String, Value> =
            self.cases.iter().map(|case| (key(case), case_json(case))).collect();
        json!({
            "share": all.share(),
            "shareWithAccepted": with_accepted.share(),
            "kubernetes": shares(Family::Kubernetes),
            "flux": shares(Family::Flux),
            "scenarios": shares(Family::Scenario),
            "cases": cases,
        })
    }
}

fn key(case: &CaseResult) -> String {
    match case.family {
        Family::Kubernetes => case.name.clone(),
        Family::Flux => format!("flux/{}", case.name),
        Family::Scenario => format!("scenario/{}", case.name),
    }
}

fn case_json(case: &CaseResult) -> Value {
    let list = |signals: &[Signal], side: Side| -> Vec<Value> {
        signals
            .iter()
            .map(|signal| {
                let mut value = json!({
                    "class": signal.class.name(), "object": signal.object, "signal": signal.words, "atSeconds": signal.at,
                });
                if let Some(reason) = reason(case.family, side, signal) {
                    value["accepted"] = json!(reason);
                }
                value
            })
            .collect()
    };
    json!({
        "share": case.tally().share(),
        "shareWithAccepted": case.tally_with_accepted().share(),
        "shareInStrictOrder": case.strict.share(),
        "signals": case.tally().either,
        "lines": {"recorded": case.raw[0], "simulated": case.raw[1]},
        "missing": list(&case.comparison.missing, Side::Recorded),
        "extra": list(&case.comparison.extra, Side::Simulated),
        "failure": case.failure,
    })
}
