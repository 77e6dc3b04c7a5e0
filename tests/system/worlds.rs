//! `smoke fidelity --world`: the same scenarios in two worlds.

use serde_json::Value;

use crate::smoke::Desk;

/// The operator's command, as this build made it.
const APPLIANCE: &str = env!("CARGO_BIN_EXE_appliance");

#[tokio::test]
async fn the_simulated_world_does_not_differ_from_itself() {
    let desk = Desk::new();
    // One that begins with the install, and one that any healthy install will do for.
    let names = ["missing-worker-tag", "hand-set-image"];
    let ran = desk.smoke(&["fidelity", "--world", "sim", names[0], names[1], "--json"]).await;
    let told: Value = serde_json::from_str(&ran.ended(0).out).expect("JSON");
    for name in names {
        let scenario = &told["scenarios"][name];
        assert_eq!(scenario["share"], 1.0, "{scenario:#}");
        assert_eq!(scenario["only"]["sim-again"], Value::Array(Vec::new()), "{scenario:#}");
        let streams = &told["streams"]["cases"][format!("scenario/{name}")];
        // In which order two pods come and go is chance.
        assert!(streams["share"].as_f64() > Some(0.5) && streams["failure"].is_null(), "{streams:#}");
        for world in ["sim", "sim-again"] {
            assert!(desk.report().join(world).join(name).join("timeline.jsonl").is_file());
            assert!(desk.report().join("recordings").join(world).join(name).join("case.json").is_file());
        }
    }
    let kept = std::fs::read_to_string(desk.report().join("fidelity.json")).expect("what differs is kept");
    assert_eq!(kept, ran.out);
    let late = std::fs::read_to_string(desk.report().join("recordings/sim").join(names[1]).join("case.json"));
    let late: Value = serde_json::from_str(&late.expect("a description")).expect("JSON");
    assert_eq!(late["fromSeconds"], late["cause"][0]["atSeconds"], "{late:#}");
    let again = desk.smoke(&["fidelity", "--world", "sim", names[0]]).await;
    again.ended(2).said("it is not empty");
}

#[tokio::test]
async fn what_only_one_world_showed_is_named_and_fails() {
    let desk = Desk::new();
    let seen = desk.at("seen").display().to_string();
    let script = format!(
        "if /bin/mkdir {seen} 2> /dev/null; then echo the site greets; fi\nexec {APPLIANCE} \"$@\"\n"
    );
    let script = desk.write("greets.sh", &script).display().to_string();
    let command = format!("/bin/sh {script}");
    let ran = desk.smoke(&["fidelity", "--world", "sim", "healthy", "--operator-command", &command]).await;
    assert!(ran.ended(1).out.contains("only sim-again operator: the site greets"), "{ran}");
    assert!(ran.out.contains("1 scenarios in both, 0 without a difference"), "{ran}");
}

#[tokio::test]
async fn what_is_no_world_and_what_is_no_comparison_is_bad_usage() {
    let desk = Desk::new();
    desk.smoke(&["fidelity", "--world", "moon"]).await.ended(2).said("no world is named `moon`");
    desk.smoke(&["fidelity", "--world", "sim", "helthy"]).await.ended(2).said("did you mean `healthy`?");
    desk.smoke(&["fidelity"]).await.ended(2).said("--recordings");
}
