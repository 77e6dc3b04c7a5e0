//! `smoke matrix` on a report that was carried to another place, of scenarios that are not ours.

use serde_json::Value;

use crate::smoke::Desk;

#[tokio::test]
async fn a_carried_report_tells_fault_by_blocker_as_the_run_did() {
    let desk = Desk::new();
    let fault = "faults:\n  - registry.missing-tag: { image: email-service }\n";
    let named = "[ { code: image-not-found, component: email-service } ]";
    let right = format!(
        "{fault}expect:\n  eventually: {{ rollup: ready_with_background_issues, blockers: {named} }}\n"
    );
    desk.scenario("theirs", "right", &right);
    let wrong = format!("{fault}expect:\n  eventually: {{ blockers: [ {{ code: dns }} ] }}\n");
    desk.scenario("theirs", "wrong", &wrong);
    let folder = desk.at("theirs").display().to_string();
    desk.smoke(&["run", "--scenarios", &folder]).await.ended(1).said("1 missing, 1 extra");
    let of_the_run = desk.read_report()["matrix"].clone();
    // The scenarios are gone, and the report is elsewhere.
    let carried = desk.at("carried");
    std::fs::remove_dir_all(desk.at("theirs")).expect("it was there");
    std::fs::rename(desk.report(), &carried).expect("a move");
    let carried = carried.display().to_string();
    let told = desk.smoke(&["matrix", "--report", &carried, "--json"]).await;
    told.ended(1);
    let told: Value = serde_json::from_str(&told.out).expect("JSON");
    assert_eq!(told["matrix"], of_the_run);
    let cells = told["matrix"]["cells"].as_array().expect("a list");
    let of = |faults: &str, blocker: &str| {
        let is = |cell: &&Value| cell["faults"] == faults && cell["blocker"] == blocker;
        let cell = cells.iter().find(is).unwrap_or_else(|| panic!("no {blocker} of {faults}: {told:#}"));
        let count = |list: &str| cell[list].as_array().map_or(0, Vec::len);
        (cell["expected"].as_u64(), cell["found"].as_u64(), count("missing"), count("extra"))
    };
    assert_eq!(of("registry.missing-tag", "image-not-found"), (Some(1), Some(1), 0, 1));
    assert_eq!(of("registry.missing-tag", "dns"), (Some(1), Some(0), 1, 0));
    assert_eq!(of("none", "none"), (Some(1), Some(1), 0, 0));
    let words = desk.smoke(&["matrix", "--report", &carried]).await;
    assert!(words.ended(1).out.contains("missing: dns of registry.missing-tag, in wrong"), "{words}");
}

#[tokio::test]
async fn a_directory_without_timelines_is_bad_usage() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.at("empty")).expect("a folder");
    let empty = desk.at("empty").display().to_string();
    desk.smoke(&["matrix", "--report", &empty]).await.ended(2).said("no timelines in");
}
