//! Who is at fault: the appliance, the harness or its world, or nobody because nothing was proved.

use crate::smoke::Desk;

const HEALTHY: &str = "expect:\n  eventually: { rollup: fully_healthy, blockers: [] }\n";

#[tokio::test]
async fn a_fault_that_cannot_land_proves_nothing() {
    let desk = Desk::new();
    let fault = |text: &str| format!("faults:\n  - {text}\n{HEALTHY}");
    desk.scenario("scenarios", "nobody-asks", &fault("dns.nxdomain: { host: nobody.asks.example }"));
    desk.scenario("scenarios", "never-comes", &fault("registry.missing-tag: { image: db }\n  - registry.missing-tag: { image: redis }\n    at: login-ready"));
    let folder = desk.at("scenarios").display().to_string();
    let ran = desk.smoke(&["run", "--scenarios", &folder]).await;
    ran.ended(4).said("2 invalid");
    for (name, why) in [
        ("nobody-asks", "no sign that it happened to anybody"),
        ("never-comes", "it was not set, for login-ready never came"),
    ] {
        let entry = desk.scenario_report(name);
        assert_eq!(entry["verdict"], "invalid", "{entry:#}");
        assert_eq!(entry["failures"][0]["rule"], "receipt", "{entry:#}");
        let seen = entry["failures"][0]["seen"].as_str().unwrap_or_default();
        assert!(seen.contains(why), "{seen}");
    }
}

#[tokio::test]
async fn an_operators_command_that_fails_is_the_appliances_failure() {
    let desk = Desk::new();
    desk.scenario("scenarios", "unhelped", HEALTHY);
    let folder = desk.at("scenarios").display().to_string();
    let ran = desk.smoke(&["run", "--scenarios", &folder, "--operator-command", "/bin/false"]).await;
    ran.ended(1).said("expected rollup fully_healthy").said("not once an answer from /api/status");
}

#[tokio::test]
async fn an_operators_command_that_is_not_there_is_not_the_appliances_failure() {
    let desk = Desk::new();
    let ran = desk.smoke(&["run", "healthy", "--operator-command", "/nowhere/appliance"]).await;
    ran.ended(3).said("/nowhere/appliance").said("BROKEN healthy");
    let entry = desk.scenario_report("healthy");
    assert_eq!(entry["verdict"], "broken", "{entry:#}");
    assert!(
        entry["reason"].as_str().is_some_and(|reason| reason.contains("/nowhere/appliance")),
        "{entry:#}"
    );
    assert_eq!(desk.worlds_left(), Vec::<std::path::PathBuf>::new(), "{ran}");
}

#[tokio::test]
async fn a_world_without_a_place_is_broken() {
    let desk = Desk::new();
    let file = desk.write("taken", "not a folder\n");
    let mut command = desk.command(&["run", "healthy"]);
    command.env("SMOKE_RUN_DIR", &file);
    let ran = crate::smoke::Ran::of(crate::program::finish(command).await);
    ran.ended(3).said(&file.display().to_string());
}

#[tokio::test]
async fn a_runner_without_its_siblings_says_how_to_make_them() {
    let desk = Desk::new();
    let alone = desk.write("bin/smoke", "");
    std::fs::copy(crate::smoke::SMOKE, &alone).expect("a copy");
    let mut command = tokio::process::Command::new(&alone);
    command.args(["run", "healthy"]);
    desk.at_home(&mut command);
    let ran = crate::smoke::Ran::of(crate::program::finish(command).await);
    ran.ended(3).said("cargo build --bins");
}
