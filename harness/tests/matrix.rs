//! Fault × blocker, counted from stored timelines alone.

use std::ffi::OsString;
use std::path::Path;

use serde_json::{Value, json};
use smoke_harness::cli::run_with;
use smoke_harness::matrix::{Matrix, stored, table};
use smoke_harness::run::ExitStatus;
use smoke_harness::world::Binaries;

const TAG: &str = "registry.missing-tag";

fn header(name: &str, faults: &[&str], blockers: &Value, transient: &Value) -> Value {
    let faults: Vec<Value> = faults.iter().map(|it| json!({ "name": it, "text": it })).collect();
    json!({
        "kind": "header", "version": 2, "scenario": name, "world": "sim", "release": "1.0-rc5",
        "profile": "single-node", "speed": "max", "seed": 1,
        "claims": { "faults": faults, "blockers": blockers, "transient": transient },
    })
}

fn phase(name: &str) -> Value {
    json!({ "kind": "phase", "phase": name })
}

fn says(blockers: &[(&str, &str)]) -> Value {
    let blockers: Vec<Value> =
        blockers.iter().map(|(code, component)| json!({ "code": code, "component": component })).collect();
    let text = json!(blockers).to_string();
    json!({ "kind": "status", "hash": text, "substance": text, "document": { "topBlockers": blockers } })
}

/// Writes events a second apart.
fn write(report: &Path, name: &str, events: &[Value]) {
    let folder = report.join(name);
    std::fs::create_dir_all(&folder).expect("a folder of this test");
    let lines: String = events
        .iter()
        .enumerate()
        .map(|(second, event)| {
            let mut event = event.clone();
            event["at"] = json!(format!("2026-11-21T10:00:{second:02}Z"));
            format!("{event}\n")
        })
        .collect();
    std::fs::write(folder.join("timeline.jsonl"), lines).expect("a file of this test");
}

fn worker() -> Value {
    json!([{ "code": "image-not-found", "component": "workflow-worker" }])
}

/// A run with one fault in which these things were said one after the other.
fn run(report: &Path, name: &str, said: &[&[(&str, &str)]], transient: &Value) {
    let mut events = vec![header(name, &[TAG], &worker(), transient), phase("install")];
    events.extend(said.iter().map(|blockers| says(blockers)));
    events.extend([phase("settled"), phase("heal"), says(&[]), phase("end")]);
    write(report, name, &events);
}

/// Expected, found, missing, extra.
fn cell(matrix: &Matrix, faults: &str, code: &str) -> (usize, usize, Vec<String>, Vec<String>) {
    let found = matrix.cells().find(|(row, column, _)| (*row, *column) == (faults, code));
    let (_, _, cell) = found.unwrap_or_else(|| panic!("no {code} of {faults} in\n{}", table(matrix)));
    (cell.expected, cell.found, cell.missing.clone(), cell.extra.clone())
}

fn command(report: &Path) -> ExitStatus {
    let binaries = Binaries { appliance: "/nowhere".into(), appliance_status: "/nowhere".into() };
    let report = report.display().to_string();
    let line = ["smoke", "matrix", "--report", &report].map(OsString::from);
    run_with(line, binaries)
}

#[test]
fn what_is_expected_and_stands_at_the_end_is_found() {
    let report = tempfile::tempdir().unwrap();
    run(report.path(), "tag", &[&[], &[("image-not-found", "workflow-worker")]], &json!([]));
    let matrix = stored(report.path()).unwrap();
    assert_eq!(cell(&matrix, TAG, "image-not-found"), (1, 1, vec![], vec![]));
    assert!(matrix.is_exact(), "{}", table(&matrix));
    assert_eq!(command(report.path()), ExitStatus::Passed);
}

#[test]
fn what_shows_only_after_the_heal_is_extra_unless_the_heal_reveals_it() {
    let report = tempfile::tempdir().unwrap();
    let tag: &[(&str, &str)] = &[("image-not-found", "workflow-worker")];
    for (name, revealed) in [("strict", Value::Null), ("chained", json!("helm"))] {
        let mut header = header(name, &[TAG], &worker(), &json!([]));
        header["claims"]["revealed"] = revealed;
        let healed = [phase("settled"), phase("heal"), says(&[("helm", "db")]), phase("end")];
        let events: Vec<Value> = [header, phase("install"), says(tag)].into_iter().chain(healed).collect();
        write(report.path(), name, &events);
    }
    let matrix = stored(report.path()).unwrap();
    assert_eq!(cell(&matrix, TAG, "helm").3, ["strict (db) at +4s"]);
    assert_eq!(cell(&matrix, TAG, "image-not-found"), (2, 2, vec![], vec![]));
}

#[test]
fn what_was_there_and_went_before_the_end_is_missing() {
    let report = tempfile::tempdir().unwrap();
    run(report.path(), "tag", &[&[("image-not-found", "workflow-worker")], &[]], &json!([]));
    let matrix = stored(report.path()).unwrap();
    let missing = vec!["tag (workflow-worker)".to_owned()];
    assert_eq!(cell(&matrix, TAG, "image-not-found"), (1, 0, missing, vec![]));
    assert_eq!(command(report.path()), ExitStatus::Failed);
}

#[test]
fn a_moment_is_enough_to_be_extra_unless_it_is_transient() {
    let report = tempfile::tempdir().unwrap();
    let end: &[(&str, &str)] = &[("image-not-found", "workflow-worker")];
    run(report.path(), "strict", &[&[("helm", "temporal")], end], &json!([]));
    run(
        report.path(),
        "lenient",
        &[&[("helm", "temporal")], end],
        &json!([{ "code": "helm", "reason": "it is tried again" }]),
    );
    let matrix = stored(report.path()).unwrap();
    assert_eq!(cell(&matrix, TAG, "helm"), (0, 0, vec![], vec!["strict (temporal) at +1s".to_owned()]));
    assert_eq!(cell(&matrix, TAG, "image-not-found").0, 2);
}

#[test]
fn what_is_transient_and_stays_is_extra() {
    let report = tempfile::tempdir().unwrap();
    let transient = json!([{ "code": "helm", "reason": "it is tried again" }]);
    let end: &[(&str, &str)] = &[("image-not-found", "workflow-worker"), ("helm", "temporal")];
    run(report.path(), "tag", &[end], &transient);
    assert_eq!(cell(&stored(report.path()).unwrap(), TAG, "helm").3.len(), 1);
}

#[test]
fn the_right_code_of_the_wrong_component_is_missing_and_extra_at_once() {
    let report = tempfile::tempdir().unwrap();
    run(report.path(), "tag", &[&[("image-not-found", "email-service")]], &json!([]));
    let (expected, found, missing, extra) = cell(&stored(report.path()).unwrap(), TAG, "image-not-found");
    assert_eq!((expected, found, missing.len(), extra.len()), (1, 0, 1, 1));
}

#[test]
fn two_faults_are_a_row_of_their_own_and_a_control_is_one_without_faults() {
    let report = tempfile::tempdir().unwrap();
    let none = json!([]);
    let control = header("control", &[], &none, &none);
    write(report.path(), "control", &[control, phase("install"), says(&[]), phase("settled"), phase("end")]);
    let both = header("both", &[TAG, "dns.refused"], &worker(), &none);
    let seen = says(&[("image-not-found", "workflow-worker")]);
    write(report.path(), "both", &[both, phase("install"), seen, phase("settled"), phase("end")]);
    let matrix = stored(report.path()).unwrap();
    assert_eq!(cell(&matrix, "none", "none"), (1, 1, vec![], vec![]));
    assert_eq!(cell(&matrix, "dns.refused + registry.missing-tag", "image-not-found").1, 1);
    assert_eq!(matrix.totals().expected, 1, "no blocker is not a blocker");
}

#[test]
fn a_run_whose_fault_was_not_set_is_not_counted_and_alone_proves_nothing() {
    let report = tempfile::tempdir().unwrap();
    let refused = json!({ "kind": "not-injected", "index": 0, "fault": TAG, "reason": "no such image" });
    let events = [header("tag", &[TAG], &worker(), &json!([])), phase("install"), refused, phase("end")];
    write(report.path(), "tag", &events);
    let matrix = stored(report.path()).unwrap();
    assert_eq!((matrix.totals().runs, matrix.totals().unjudged), (0, 1));
    assert!(table(&matrix).contains("not counted: tag: registry.missing-tag was not set: no such image"));
    assert_eq!(command(report.path()), ExitStatus::Invalid);
}

#[test]
fn what_cannot_be_counted_is_bad_usage_and_says_which_file_and_why() {
    let why = |write_it: &dyn Fn(&Path)| {
        let report = tempfile::tempdir().unwrap();
        write_it(report.path());
        assert_eq!(command(report.path()), ExitStatus::Usage);
        let error = stored(report.path()).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {cause}")
    };
    assert!(why(&|_| {}).contains("no timelines in"));
    assert!(why(&|it| std::fs::remove_dir(it).unwrap()).contains("read "));
    let broken = why(&|it| {
        write(it, "tag", &[header("tag", &[], &json!([]), &json!([]))]);
        let path = it.join("tag/timeline.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{{\"at\": \"2026")).unwrap();
    });
    assert!(broken.contains("tag/timeline.jsonl, line 2"), "{broken}");
    let cut = why(&|it| write(it, "tag", &[header("tag", &[], &json!([]), &json!([])), phase("install")]));
    assert!(cut.contains("breaks off"), "{cut}");
    let old = why(&|it| {
        let mut header = header("tag", &[], &json!([]), &json!([]));
        header["version"] = json!(1);
        header.as_object_mut().unwrap().remove("claims");
        write(it, "tag", &[header, phase("end")]);
    });
    assert!(old.contains("version 1") && old.contains("run the scenario again"), "{old}");
}
