//! A status service that lies is caught, with a message that says what was expected, what was last seen, and since when.

use serde_json::Value;

use crate::program::lying_status;
use crate::smoke::{Desk, Ran};

async fn run_with(desk: &Desk, lie: &str) -> (Ran, Vec<Value>) {
    let command = format!("'{}' {lie}", lying_status().await.display());
    let ran = desk.smoke(&["run", "missing-worker-tag", "--status-command", &command]).await;
    ran.ended(1);
    let entry = desk.scenario_report("missing-worker-tag");
    assert_eq!(entry["verdict"], "failed", "{entry:#}");
    assert!(entry["receipt"][0]["count"].as_u64() > Some(0), "the fault landed all the same: {entry:#}");
    let failures = entry["failures"].as_array().cloned().unwrap_or_default();
    for failure in &failures {
        ran.said(failure["message"].as_str().expect("a text"));
    }
    (ran, failures)
}

/// The failure that expected this; it says since when.
#[track_caller]
fn failure<'f>(failures: &'f [Value], expected: &str) -> &'f str {
    let fits = |failure: &&Value| failure["expected"].as_str().is_some_and(|text| text.contains(expected));
    let found =
        failures.iter().find(fits).unwrap_or_else(|| panic!("nobody expected {expected}: {failures:#?}"));
    let when = found["when"].as_str().unwrap_or_default();
    assert!(when.starts_with("since +") && when.contains("(for "), "since when? {found:#}");
    found["seen"].as_str().expect("a text")
}

#[tokio::test]
async fn a_service_that_always_says_fully_healthy_fails() {
    let desk = Desk::new();
    let (ran, failures) = run_with(&desk, "healthy").await;
    assert_eq!(failure(&failures, "rollup ready_with_background_issues"), "rollup fully_healthy");
    assert_eq!(failure(&failures, "blocker image-not-found of workflow-worker"), "no blocker");
    assert_eq!(failure(&failures, "tier background not-ready"), "tier background ready");
    ran.said("expected rollup ready_with_background_issues; last seen rollup fully_healthy, since +");
    assert_eq!(desk.worlds_left(), Vec::<std::path::PathBuf>::new(), "{ran}");
}

#[tokio::test]
async fn a_service_that_never_answers_fails() {
    let desk = Desk::new();
    let (ran, failures) = run_with(&desk, "silent").await;
    let seen = failure(&failures, "rollup ready_with_background_issues");
    assert!(seen.contains("not once an answer from /api/status"), "{seen}");
    assert!(seen.contains("no answer within 10 s"), "{seen}");
    assert_eq!(desk.worlds_left(), Vec::<std::path::PathBuf>::new(), "{ran}");
}

#[tokio::test]
async fn a_service_that_answers_later_than_anybody_waits_has_no_page() {
    let desk = Desk::new();
    let expect =
        "expect:\n  eventually: { rollup: fully_healthy, blockers: [] }\n  within: { status-page: 20s }\n";
    desk.scenario("scenarios", "in-time", expect);
    let folder = desk.at("scenarios").display().to_string();
    let lying = lying_status().await;
    let run = async |lie: &str| {
        let command = format!("'{}' {lie}", lying.display());
        desk.smoke(&["run", "--scenarios", &folder, "--status-command", &command]).await
    };
    // What it says is old and without an event, but it is there in time.
    let in_time = run("healthy").await;
    in_time.ended(1).said("a timestamp");
    assert!(!in_time.err.contains("no status-page"), "{in_time}");
    let late = run("late 60").await;
    late.ended(1)
        .said("expected status-page within 20s; last seen no status-page")
        .said("no answer within 10 s");
}
