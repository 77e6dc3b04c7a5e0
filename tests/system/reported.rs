//! The report directory: what programs read after a run.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{finish, until};
use crate::smoke::{Desk, Ran};

/// One of each verdict that a report may have on a machine where everything works.
fn write_scenarios(desk: &Desk) -> String {
    let worker =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/missing-worker-tag.yaml"));
    desk.write("mixed/missing-worker-tag.yaml", &worker.expect("the scenario"));
    let missing = "faults:\n  - registry.missing-tag: { image: email-service }\nexpect:\n";
    let blocker = "{ code: image-not-found, component: email-service }";
    let wrong = format!(
        "{missing}  eventually: {{ rollup: ready_with_background_issues, blockers: [ {blocker} ] }}
  never: [ {{ blocker: image-not-found }} ]\n"
    );
    desk.scenario("mixed", "too-strict", &wrong);
    let nobody = "faults:\n  - dns.nxdomain: { host: nobody.asks.example }\nexpect:\n  eventually: {}\n";
    desk.scenario("mixed", "nobody-asks", nobody);
    let host = "requires: [host]\nexpect:\n  eventually: { rollup: fully_healthy }\n";
    desk.scenario("mixed", "on-a-machine", host);
    desk.at("mixed").display().to_string()
}

#[tokio::test]
async fn a_report_holds_every_verdict_with_what_led_to_it() {
    let desk = Desk::new();
    let folder = write_scenarios(&desk);
    let mut command = desk.command(&["run", "--scenarios", &folder]);
    // Whoever lacks the program has no machine below Kubernetes.
    command.env("APPLIANCE_TALOSCTL", desk.at("no-talosctl"));
    let ran = Ran::of(finish(command).await);
    // A failed scenario outranks an invalid one.
    ran.ended(1).said("1 passed, 1 failed, 1 invalid, 1 skipped");
    let report = desk.read_report();
    assert!(report["version"].is_u64(), "{report:#}");
    assert_eq!(report["exitCode"], 1);
    passed(&desk.scenario_report("missing-worker-tag"));
    failed(&desk.scenario_report("too-strict"));
    let invalid = desk.scenario_report("nobody-asks");
    assert_eq!((&invalid["verdict"], &invalid["receipt"]), (&"invalid".into(), &serde_json::json!([])));
    let skipped = desk.scenario_report("on-a-machine");
    assert_eq!(skipped["verdict"], "skipped");
    assert!(skipped["reason"].as_str().is_some_and(|reason| reason.contains("host")), "{skipped:#}");
    junit(&desk.report());
    evidence(&desk.report().join("too-strict").join("evidence"));
    assert!(!desk.report().join("missing-worker-tag/evidence").exists(), "nothing was wrong there");
    page(&desk.report());
    replayed(&desk).await;
}

/// Every field that the design names, with a sensible value.
fn common(entry: &Value) {
    assert_eq!(entry["world"], "sim", "{entry:#}");
    assert!(entry["durationMs"].as_u64() > Some(0), "{entry:#}");
    let replay = entry["replay"].as_str().expect("a line");
    let name = entry["name"].as_str().expect("a name");
    assert!(replay.starts_with("cargo run --bin smoke -- run ") && replay.contains(name), "{replay}");
    for milestone in ["statusPageMs", "appMs", "loginReadyMs", "firstBlockerMs"] {
        assert!(entry["milestones"][milestone].is_u64(), "{milestone}: {entry:#}");
    }
    let receipt = &entry["receipt"][0];
    assert!(receipt["count"].as_u64() > Some(0) && receipt["evidence"][0].is_string(), "{entry:#}");
}

fn passed(entry: &Value) {
    common(entry);
    assert_eq!((&entry["verdict"], &entry["failures"]), (&"passed".into(), &serde_json::json!([])));
    assert!(entry["milestones"]["recoveredMs"].is_u64(), "{entry:#}");
}

fn failed(entry: &Value) {
    common(entry);
    assert_eq!(entry["verdict"], "failed");
    assert_eq!(entry["milestones"]["recoveredMs"], Value::Null, "it was not asked to recover: {entry:#}");
    let failures = entry["failures"].as_array().expect("a list");
    assert_eq!(failures.len(), 1, "{entry:#}");
    for field in ["rule", "expected", "seen", "when", "message"] {
        assert!(failures[0][field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {entry:#}");
    }
    assert_eq!(failures[0]["rule"], "never");
}

fn junit(report: &Path) {
    let text = std::fs::read_to_string(report.join("junit.xml")).expect("junit.xml");
    assert!(text.starts_with("<?xml"), "{text}");
    assert_eq!(text.matches("<testcase ").count(), 4, "{text}");
    assert_eq!(text.matches("<failure ").count(), 1, "the failed one: {text}");
    assert_eq!(text.matches("<error ").count(), 1, "the invalid one: {text}");
    assert_eq!(text.matches("<skipped").count(), 1, "the skipped one: {text}");
    assert!(text.contains("tests=\"4\"") && text.contains("failures=\"1\""), "{text}");
}

fn evidence(folder: &Path) {
    let read =
        |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let pods: Value = serde_json::from_str(&read("pods.json")).expect("JSON");
    assert!(pods.to_string().contains("email-service"), "the pods of the world");
    assert!(read("operator.log").contains("Appliance status UI (submitted):"), "what the command printed");
    let status: Value = serde_json::from_str(&read("status.json")).expect("JSON");
    assert_eq!(status["rollup"]["state"], "ready_with_background_issues", "the last document");
}

fn page(report: &Path) {
    let text = std::fs::read_to_string(report.join("index.html")).expect("index.html");
    for name in ["missing-worker-tag", "too-strict", "nobody-asks", "on-a-machine", "<svg"] {
        assert!(text.contains(name), "no {name} in index.html");
    }
}

/// The line that the report gives reruns the scenario, wherever its file is.
async fn replayed(desk: &Desk) {
    let entry = desk.scenario_report("missing-worker-tag");
    let line = entry["replay"].as_str().expect("a line");
    let arguments = line.strip_prefix("cargo run --bin smoke -- ").expect("a command");
    let arguments: Vec<&str> = arguments.split(' ').collect();
    desk.smoke(&arguments).await.ended(0).said("1 passed");
    assert_eq!(desk.read_report()["scenarios"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_timeline_only_grows_and_tells_the_run_in_order() {
    let desk = Desk::new();
    let path = desk.report().join("missing-worker-tag/timeline.jsonl");
    let mut command = desk.command(&["run", "missing-worker-tag"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut runner = command.spawn().expect("smoke starts");
    let mut seen: Vec<u8> = Vec::new();
    let mut growths = 0;
    let status = until("end of the run", async || {
        let ended = runner.try_wait().expect("it can be waited for");
        let now = std::fs::read(&path).unwrap_or_default();
        assert!(now.starts_with(&seen), "what was written before has changed");
        growths += usize::from(now.len() > seen.len());
        seen = now;
        ended
    })
    .await;
    assert!(status.success(), "{status}");
    assert!(growths > 1, "it was written at once, after the run");
    let text = String::from_utf8(seen).expect("UTF-8");
    assert!(text.ends_with('\n'), "the last line is whole");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let times: Vec<&str> = events.iter().filter_map(|event| event["at"].as_str()).collect();
    assert_eq!(times.len(), events.len(), "every event has its time");
    assert_eq!(events[0]["kind"], "header");
    let phases: Vec<&str> = events.iter().filter_map(|event| event["phase"].as_str()).collect();
    assert_eq!(phases, ["install", "fault", "settled", "heal", "recovered", "end"]);
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
    for kind in
        ["injected", "receipt", "probe", "status", "milestone", "operator", "operator-ended", "healed"]
    {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
}
