//! Scenario files: what people see when one is wrong, the schema, and the folder's page.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use smoke_harness::scenario::{catalogue, load, read, schema};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn complaint(text: &str) -> String {
    read(Path::new("x.yaml"), text).expect_err("it is wrong").to_string()
}

#[test]
fn a_misspelt_field_is_shown_in_its_line_with_what_was_meant() {
    let said = complaint("name: x\nstory: It broke.\nexpect:\n  eventualy: { rollup: installing }\n");
    assert_eq!(
        said,
        "x.yaml:4:3: expect has no field `eventualy`; did you mean `eventually`?\n  |\n4 |   eventualy: { rollup: \
         installing }\n  |   ^"
    );
}

#[test]
fn a_misspelt_fault_is_shown_with_the_nearest_one() {
    let said = complaint(
        "name: x\nstory: s\nfaults:\n  - registry.mising-tag: { image: db }\nexpect:\n  eventually: {}\n",
    );
    assert_eq!(
        said,
        "x.yaml:4:5: no fault is named `registry.mising-tag`; did you mean `registry.missing-tag`?\n  |\n4 |   - \
         registry.mising-tag: { image: db }\n  |     ^"
    );
}

#[test]
fn every_name_of_the_vocabulary_is_checked_and_all_problems_of_a_file_come_at_once() {
    let said = complaint(
        "name: x
story: s
faults:
  - registry.missing-tag: { image: workflow-wroker }
  - registry.error: { status: 200 }
  - dns.refused: {}
    at: login-redy
expect:
  order: [status-pag]
  eventually:
    rollup: fully_helthy
    tiers: { logn: ready }
    blockers: [ { code: image-not-fond, component: db } ]
  within: { blocker: 60 }
heal:
  - registry.publish-tga: { image: db }
",
    );
    let heads: Vec<&str> = said.lines().filter(|line| line.starts_with("x.yaml:")).collect();
    assert_eq!(
        heads,
        [
            "x.yaml:1:1: a scenario that heals says with `recovers` what holds at the end",
            "x.yaml:4:36: no image of a release is named `workflow-wroker`; did you mean `workflow-worker`?",
            "x.yaml:5:31: `status` is an HTTP status from 400 to 599, not the number 200",
            "x.yaml:7:9: no milestone is named `login-redy`; did you mean `login-ready`?",
            "x.yaml:9:11: no milestone is named `status-pag`; did you mean `status-page`?",
            "x.yaml:11:13: no rollup state is named `fully_helthy`; did you mean `fully_healthy`?",
            "x.yaml:12:14: no tier is named `logn`; did you mean `login`?",
            "x.yaml:13:25: no blocker code is named `image-not-fond`; did you mean `image-not-found`?",
            "x.yaml:14:22: a budget is a duration such as 20s or 5m, not the number 60",
            "x.yaml:16:5: no heal verb is named `registry.publish-tga`; did you mean `registry.publish-tag`?",
        ]
    );
}

#[test]
fn what_is_no_yaml_is_located_too() {
    let said = complaint("name: x\nstory: [a\nexpect: {}\n");
    assert!(said.starts_with("x.yaml:") && said.contains("this is not YAML"), "{said}");
}

#[test]
fn a_missing_parameter_and_one_too_many_are_located() {
    let said = complaint(
        "name: x\nstory: s\nfaults:\n  - registry.missing-tag: { imag: db }\nexpect:\n  eventually: {}\n",
    );
    assert!(
        said.contains("x.yaml:4:29: registry.missing-tag has no field `imag`; did you mean `image`?"),
        "{said}"
    );
    let said = complaint("name: x\nstory: s\nfaults: [registry.missing-tag]\nexpect:\n  eventually: {}\n");
    assert!(said.contains("x.yaml:3:10: registry.missing-tag has no `image`"), "{said}");
}

#[test]
fn a_scenario_is_named_as_its_file() {
    let said = complaint("name: y\nstory: s\nexpect:\n  eventually: {}\n");
    assert!(said.contains("the name is `y` and the file's is `x`"), "{said}");
}

#[test]
fn the_schema_accepts_every_scenario_of_the_folder() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for scenario in load(&folder()).unwrap() {
        let text = std::fs::read_to_string(&scenario.path).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", scenario.name);
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good =
        json!({ "name": "x", "story": "s", "faults": ["dns.refused"], "expect": { "eventually": {} } });
    assert!(validator.is_valid(&good));
    for (pointer, wrong) in [
        ("/expect/eventually", json!({ "rollup": "fine" })),
        ("/faults", json!([{ "registry.missing-tag": {} }])),
        ("/faults", json!(["registry.missing-tag"])),
        ("/story", json!(7)),
        ("/expect", json!({})),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}

#[test]
fn the_folders_page_is_as_new_as_its_scenarios() {
    let page = std::fs::read_to_string(folder().join("README.md")).unwrap_or_default();
    let new = catalogue(&load(&folder()).unwrap());
    assert!(
        page == new,
        "scenarios/README.md is old; print it with: cargo run --bin smoke -- list --markdown"
    );
}

#[test]
fn a_fault_at_a_moment_that_cannot_come_is_refused() {
    let file = |faults: &str| format!("name: x\nstory: s\nfaults:\n{faults}expect:\n  eventually: {{}}\n");
    let said = complaint(&file("  - dns.refused: {}\n    at: recovered\n"));
    assert!(said.starts_with("x.yaml:5:9: faults are set before the heal"), "{said}");
    let said = complaint(&file("  - dns.refused: {}\n    at: blocker\n"));
    assert!(said.contains("no blocker comes before the first fault"), "{said}");
    let both = file("  - dns.refused\n  - registry.unreachable: {}\n    at: blocker\n");
    assert!(read(Path::new("x.yaml"), &both).is_ok());
}

#[test]
fn parameters_of_every_kind_are_checked() {
    let said = complaint(
        "name: x
story: s
faults:
  - registry.slow: { image: alga-core, takes: 16 }
  - volume.subpath-dangling: { component: alga-core }
  - service-links.enabled: { component: temporal-ui, service: Not_A_Name }
expect:
  eventually: {}
heal:
  - bootstrap.retry: { mode: recovr, dns-servers: \"1.1.1.1,resolver\" }
recovers: { rollup: fully_healthy }
",
    );
    let heads: Vec<&str> = said.lines().filter(|line| line.starts_with("x.yaml:")).collect();
    assert_eq!(heads.len(), 5, "{said}");
    assert!(heads[0].contains("a duration such as 20s or 5m"), "{said}");
    assert!(
        heads[1].contains("no component with a volume is named `alga-core`; known are db, redis"),
        "{said}"
    );
    assert!(heads[2].contains("`Not_A_Name` is no name of a Service"), "{said}");
    assert!(heads[3].contains("did you mean `recover`?"), "{said}");
    assert!(heads[4].contains("`resolver` is no IP address"), "{said}");
}
