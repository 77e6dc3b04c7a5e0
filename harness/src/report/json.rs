//! `report.json`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::replay::replay;
use crate::diagnosis::Diagnosis;
use crate::judge::Verdict;
use crate::matrix::{Cell, Matrix};
use crate::run::{Outcome, Plan, Summary};
use crate::scenario::{Milestone, expectation_hash, file_hash};
use crate::timeline::What;

/// The version of the format.
pub const REPORT_VERSION: u32 = 1;

/// The report.
pub fn report(plan: &Plan, summary: &Summary) -> Value {
    json!({
        "version": REPORT_VERSION,
        "exitCode": summary.status() as u8,
        "durationMs": millis(summary.duration),
        "world": plan.world,
        "speed": plan.speed.to_string(),
        "seed": plan.seed,
        "diagnosis": summary.diagnosis().map(|(all, beyond)| json!({ "withGrace": all, "beyondGrace": beyond })),
        "matrix": matrix(&summary.matrix),
        "remarks": summary.remarks,
        "scenarios": summary.outcomes.iter().map(|outcome| scenario(plan, outcome)).collect::<Vec<_>>(),
    })
}

/// Fault × blocker: its sums, and a cell for each pair that was expected or showed.
pub fn matrix(matrix: &Matrix) -> Value {
    let cell = |(faults, blocker, cell): (&str, &str, &Cell)| {
        json!({
            "faults": faults,
            "blocker": blocker,
            "expected": cell.expected,
            "found": cell.found,
            "missing": cell.missing,
            "extra": cell.extra,
        })
    };
    json!({
        "totals": matrix.totals(),
        "cells": matrix.cells().map(cell).collect::<Vec<_>>(),
        "notCounted": matrix.unjudged(),
    })
}

fn scenario(plan: &Plan, outcome: &Outcome) -> Value {
    let reason = match &outcome.verdict {
        Verdict::Broken(reason) | Verdict::Skipped(reason) => Some(reason),
        Verdict::Passed | Verdict::Failed | Verdict::Invalid => None,
    };
    let failures: Vec<Value> = outcome
        .findings
        .iter()
        .map(|finding| {
            json!({
                "rule": finding.rule,
                "expected": finding.expected,
                "seen": finding.seen,
                "when": finding.when,
                "message": finding.to_string(),
            })
        })
        .collect();
    let mut milestones = Map::new();
    for milestone in Milestone::ALL {
        let took =
            outcome.milestones.iter().find(|(seen, _)| seen == milestone).map(|(_, took)| millis(*took));
        milestones.insert(field(*milestone).to_owned(), json!(took));
    }
    let known = plan.scenarios.iter().find(|it| it.name == outcome.name);
    json!({
        "name": outcome.name,
        "turn": outcome.turn,
        "world": outcome.world,
        "identity": identity(outcome),
        "scenarioHash": known.map(file_hash),
        "expectationHash": known.map(expectation_hash),
        "verdict": outcome.verdict.name(),
        "reason": reason,
        "durationMs": millis(outcome.duration),
        "fieldMs": millis(outcome.field),
        "milestones": milestones,
        "diagnosis": outcome.diagnoses.iter().map(diagnosis).collect::<Vec<_>>(),
        "failures": failures,
        "receipt": outcome.receipts,
        "remarks": outcome.remarks,
        "replay": replay(plan, outcome),
        "directory": outcome.directory,
    })
}

/// What the world said of itself.
fn identity(outcome: &Outcome) -> Option<&BTreeMap<String, String>> {
    let timeline = outcome.timeline.as_ref()?;
    timeline.events.iter().rev().find_map(|event| match &event.what {
        What::World { identity } => Some(identity),
        _ => None,
    })
}

fn diagnosis(diagnosis: &Diagnosis) -> Value {
    let millis = |duration: SignedDuration| json!(duration.as_secs_f64() * 1e3);
    json!({
        "code": diagnosis.code,
        "when": diagnosis.when,
        "object": diagnosis.object,
        "graceMs": millis(diagnosis.grace),
        "fieldMs": millis(diagnosis.field),
        "machineMs": millis(diagnosis.machine),
        "tookMs": millis(diagnosis.took()),
        "beyondGraceMs": millis(diagnosis.beyond_grace()),
        "atMachineSpeed": diagnosis.paced,
        "assumed": diagnosis.assumed,
    })
}

fn field(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::StatusPage => "statusPageMs",
        Milestone::App => "appMs",
        Milestone::LoginReady => "loginReadyMs",
        Milestone::FullyHealthy => "fullyHealthyMs",
        Milestone::Blocker => "firstBlockerMs",
        Milestone::Recovered => "recoveredMs",
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
