//! `smoke record`: what a cluster said while a scenario was played in it, and the replay of that.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use smoke_harness::fidelity::Stream;

use crate::kept::{hidden, secrets};
use crate::program::until;
use crate::smoke::{Desk, Keeper, Ran};

/// The status service, as this build made it.
const STATUS: &str = env!("CARGO_BIN_EXE_appliance-status");

/// Fails as soon as the world is as it should be, so that the world of a failed run is kept.
const TOO_STRICT: &str = "faults:
  - registry.missing-tag: { image: email-service }
expect:
  eventually:
    rollup: ready_with_background_issues
    blockers: [ { code: image-not-found, component: email-service } ]
  never: [ { blocker: image-not-found } ]
";

/// A directory for recordings on the desk, as an argument.
fn into(desk: &Desk) -> String {
    desk.at("recordings").display().to_string()
}

fn description(place: &Path) -> Value {
    let text = std::fs::read_to_string(place.join("case.json")).expect("a description");
    serde_json::from_str(&text).expect("JSON")
}

/// The share of the only case.
fn share(ran: &Ran, case: &str) -> f64 {
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("no JSON in {ran}"));
    told["cases"][case]["share"].as_f64().unwrap_or_else(|| panic!("no {case} in {told:#}"))
}

#[tokio::test]
async fn a_recorded_scenario_says_nearly_the_same_when_it_is_played_again() {
    let desk = Desk::new();
    let into = into(&desk);
    let recorded = desk.smoke(&["record", "missing-worker-tag", "--into", &into]).await;
    recorded.ended(0);
    let place = desk.at("recordings").join("missing-worker-tag");
    assert!(recorded.out.contains("missing-worker-tag: recorded in"), "{recorded}");
    let told = description(&place);
    let report = desk.scenario_report("missing-worker-tag");
    assert_eq!(told["scenarioHash"], report["scenarioHash"]);
    assert_eq!(
        (told["world"].as_str(), told["scenario"].as_str()),
        (Some("sim"), Some("missing-worker-tag"))
    );
    let cause = &told["cause"][0];
    assert_eq!(
        (cause["fault"].as_str(), cause["image"].as_str()),
        (Some("registry.missing-tag"), Some("workflow-worker"))
    );
    let second = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no second in {told:#}"));
    assert!(second(&cause["atSeconds"]) < 1.0, "{told:#}");
    assert!(second(&cause["untilSeconds"]) < second(&told["recordedSeconds"]), "{told:#}");
    for file in
        ["pods", "events", "helmreleases", "kustomizations", "ocirepositories", "statefulsets", "nodes"]
    {
        assert!(place.join(format!("{file}.watch.jsonl")).is_file(), "nothing of {file}");
    }
    let refused = std::fs::read_to_string(place.join("timeline.txt")).unwrap_or_default();
    assert!(!refused.contains("NotFound"), "a kind that is not there yet is no refusal: {refused}");
    let names = std::fs::read_to_string(place.join("releases.jsonl")).expect("Helm's releases");
    assert!(names.contains("sh.helm.release.v1.alga-core.v1") && !names.contains("\"data\""), "{names}");
    let replayed = desk.smoke(&["fidelity", "--recordings", &into, "--json"]).await;
    let whole = share(replayed.ended(0), "scenario/missing-worker-tag");
    assert!(whole > 0.97, "{whole}");
    // Half of what was recorded costs its share, and who asks for more is refused.
    std::fs::remove_file(place.join("events.watch.jsonl")).expect("it was there");
    let half = desk.smoke(&["fidelity", "--recordings", &into, "--json", "--at-least", "0.95"]).await;
    assert!(share(half.ended(1), "scenario/missing-worker-tag") < whole - 0.05);
}

#[tokio::test]
async fn a_recording_holds_no_secret_of_its_site() {
    let desk = Desk::new();
    desk.scenario("scenarios", "too-strict", TOO_STRICT);
    let folder = desk.at("scenarios").display().to_string();
    // A status service that tells its token to its log.
    let script = format!("echo \"signed with $STATUS_TOKEN\"\nexec {STATUS} \"$@\"\n");
    let command = format!("/bin/sh {}", desk.write("talks.sh", &script).display());
    let arguments = ["record", "--scenarios", &folder, "--into", &into(&desk), "--status-command", &command];
    let keeper = Keeper::start(&desk, &arguments).await;
    let secrets = secrets(&keeper.kubeconfig, &keeper.status.1).await;
    keeper.let_go().await.ended(1);
    let place = desk.at("recordings").join("too-strict");
    let stream = Stream::read(&place).expect("a recording, though the scenario failed");
    assert!(stream.lines.len() > 300 && stream.logs.len() > 10, "{} lines", stream.lines.len());
    assert!(stream.logs.iter().any(|look| look.text.contains("signed with [secret]")), "it was in a log");
    hidden(&desk.at("recordings"), &secrets);
}

#[tokio::test]
async fn a_run_that_is_broken_off_leaves_what_was_recorded_and_says_so() {
    let desk = Desk::new();
    let into = into(&desk);
    let mut command = desk.command(&["record", "healthy", "--speed", "1", "--into", &into]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("smoke starts");
    let timeline = desk.report().join("healthy/timeline.jsonl");
    let begun = async || std::fs::read_to_string(&timeline).ok().filter(|text| text.contains("\"operator\""));
    until("word of the operator's command", begun).await;
    let pid = i32::try_from(child.id().expect("it runs")).expect("process ids are small");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("it runs");
    let ran = Ran::of(child.wait_with_output().await.expect("it ends"));
    assert!(ran.ended(3).out.contains("up to where the run ended: interrupted"), "{ran}");
    assert_eq!(description(&desk.at("recordings").join("healthy"))["broken"], "interrupted");
    let replayed = desk.smoke(&["fidelity", "--recordings", &into]).await;
    assert!(replayed.ended(1).out.contains("ended early: interrupted"), "{replayed}");
}

#[tokio::test]
async fn nothing_is_recorded_over_what_is_there() {
    let desk = Desk::new();
    let file = desk.write("recordings/missing-worker-tag/notes.md", "Mine.");
    let names = ["healthy", "missing-worker-tag"];
    let ran = desk.smoke(&["record", names[0], names[1], "--into", &into(&desk)]).await;
    ran.ended(2).said("missing-worker-tag: it is not empty; hint: name another directory");
    assert_eq!(std::fs::read_to_string(file).expect("it is still there"), "Mine.");
    assert!(!desk.at("recordings").join("healthy").exists() && !desk.report().exists(), "nothing was run");
}

#[tokio::test]
async fn a_world_that_nobody_knows_and_a_second_turn_are_bad_usage() {
    let desk = Desk::new();
    let into = into(&desk);
    desk.smoke(&["record", "healthy", "--world", "kin", "--into", &into])
        .await
        .ended(2)
        .said("did you mean `kind`?");
    desk.smoke(&["record", "healthy", "--repeat", "2", "--into", &into])
        .await
        .ended(2)
        .said("leave out --repeat");
    desk.smoke(&["record", "healthy"]).await.ended(2).said("--into");
    assert!(!desk.at("recordings").exists() && desk.worlds_left() == Vec::<PathBuf>::new());
}
