//! The world does not know the scenario: any of the nine components' tags may be missing.

use serde_json::Value;

use crate::smoke::Desk;

/// Components, with whether people can log in without them.
const COMPONENTS: [(&str, Login); 9] = [
    ("alga-core", Login::NeedsIt),
    ("db", Login::NeedsIt),
    ("redis", Login::NeedsIt),
    ("pgbouncer", Login::NeedsIt),
    ("temporal", Login::GoesWithout),
    ("temporal-ui", Login::GoesWithout),
    ("workflow-worker", Login::GoesWithout),
    ("email-service", Login::GoesWithout),
    ("temporal-worker", Login::GoesWithout),
];

#[derive(Clone, Copy, PartialEq)]
enum Login {
    NeedsIt,
    GoesWithout,
}

/// The last part of a component's repository, and the tag, as the release has them.
fn image(component: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/images.json");
    let list: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("the list")).expect("JSON");
    let program = format!("/bin/{component}");
    let images = list["images"].as_array().expect("a list");
    let found = images.iter().find(|image| image["entrypoint"][0] == *program);
    let reference =
        found.unwrap_or_else(|| panic!("no image runs {program}"))["image"].as_str().expect("a text");
    reference.rsplit('/').next().unwrap_or(reference).to_owned()
}

fn scenario(component: &str, login: Login) -> String {
    let image = image(component).replace('.', "\\\\.");
    let (rollup, blocking, tiers, never) = match login {
        Login::NeedsIt => ("failed_action_required", true, "{ login: not-ready }", "ready_to_log_in"),
        Login::GoesWithout => (
            "ready_with_background_issues",
            false,
            "{ login: ready, background: not-ready }",
            "failed_action_required",
        ),
    };
    format!(
        "faults:
  - registry.missing-tag: {{ image: {component} }}
expect:
  eventually:
    rollup: {rollup}
    blockers:
      - code: image-not-found
        component: {component}
        loginBlocking: {blocking}
        layer: Image tag availability
        reason: \"/^Image tag not found: [^ ]*{image}/\"
    tiers: {tiers}
    components: {{ {component}: not-ready }}
  never: [ {{ rollup: {never} }}, {{ rollup: fully_healthy }} ]
"
    )
}

#[tokio::test]
async fn a_missing_tag_of_any_component_is_named_with_its_image_and_its_rollup() {
    let desk = Desk::new();
    for (component, login) in COMPONENTS {
        desk.scenario("elsewhere", &format!("without-{component}"), &scenario(component, login));
    }
    let folder = desk.at("elsewhere");
    let ran = desk.smoke(&["run", "--scenarios", &folder.display().to_string()]).await;
    ran.ended(0).said("9 passed");
    for (component, _) in COMPONENTS {
        let entry = desk.scenario_report(&format!("without-{component}"));
        assert_eq!(entry["verdict"], "passed", "{entry:#}");
        let receipt = &entry["receipt"][0];
        assert!(receipt["count"].as_u64() > Some(0), "the registry refused nothing: {entry:#}");
        let refusal = receipt["evidence"][0].as_str().unwrap_or_default();
        assert!(refusal.ends_with(": 404"), "the registry said something else: {refusal}");
    }
    assert_eq!(desk.worlds_left(), Vec::<std::path::PathBuf>::new());
}
