//! The main job, and the commands around it.

use serde_json::Value;

use crate::smoke::Desk;

#[tokio::test]
async fn scenarios_pass_and_say_what_they_proved() {
    let desk = Desk::new();
    let ran = desk.smoke(&["run", "healthy", "missing-worker-tag"]).await;
    ran.ended(0)
        .said("Passed healthy")
        .said("Passed missing-worker-tag")
        .said("registry.missing-tag(image: workflow-worker) landed")
        .said("named image-not-found of workflow-worker")
        .said("recovered to rollup fully_healthy")
        .said(&desk.report().join("index.html").display().to_string());
    assert_eq!(ran.out, "", "what people read goes to standard error");
    assert_eq!(desk.worlds_left(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_named_scenario_is_run_alone_and_as_often_as_asked() {
    let desk = Desk::new();
    let ran = desk.smoke(&["run", "healthy", "--repeat", "2"]).await;
    ran.ended(0).said("2 passed");
    let report = desk.read_report();
    let names: Vec<&Value> =
        report["scenarios"].as_array().expect("a list").iter().map(|entry| &entry["name"]).collect();
    assert_eq!(names, ["healthy", "healthy"]);
}

#[tokio::test]
async fn the_scenarios_are_listed_for_people_and_for_programs() {
    let desk = Desk::new();
    let ran = desk.smoke(&["list"]).await;
    ran.ended(0);
    assert!(ran.out.lines().any(|line| line.starts_with("missing-worker-tag ")), "{ran}");
    let ran = desk.smoke(&["list", "--json"]).await;
    ran.ended(0);
    let list: Value = serde_json::from_str(&ran.out).expect("JSON");
    let names: Vec<&str> = list["scenarios"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    assert!(names.contains(&"healthy") && names.contains(&"missing-worker-tag"), "{names:?}");
}

#[tokio::test]
async fn our_own_scenarios_are_well_formed_and_the_schema_is_json() {
    let desk = Desk::new();
    desk.smoke(&["lint"]).await.ended(0);
    let ran = desk.smoke(&["schema"]).await;
    ran.ended(0);
    let schema: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert!(schema["$schema"].is_string(), "{schema:#}");
    let kept = include_str!("../../docs/scenario.schema.json");
    assert_eq!(ran.out, kept, "docs/scenario.schema.json is old; make it anew with: just docs");
}
