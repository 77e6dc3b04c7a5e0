//! Mistakes in files and on the command line are shown where they are, with what was meant.

use crate::smoke::Desk;

const EXPECT: &str = "expect:\n  eventually: { rollup: fully_healthy }\n";

/// What is wrong, in which line, the line itself, and what was meant.
const MISTAKES: [(&str, &str, usize, &str, &str); 6] = [
    (
        "field",
        "fautls:\n  - registry.missing-tag: { image: db }\nexpect:\n  eventually: { rollup: fully_healthy }\n",
        3,
        "fautls:",
        "did you mean `faults`?",
    ),
    (
        "inner-field",
        "expect:\n  eventually:\n    rolup: fully_healthy\n",
        5,
        "rolup: fully_healthy",
        "did you mean `rollup`?",
    ),
    (
        "fault",
        "faults:\n  - registry.mising-tag: { image: db }\nexpect:\n  eventually: { rollup: fully_healthy }\n",
        4,
        "- registry.mising-tag: { image: db }",
        "did you mean `registry.missing-tag`?",
    ),
    (
        "component",
        "faults:\n  - registry.missing-tag: { image: workflow-wroker }\nexpect:\n  eventually: { rollup: fully_healthy }\n",
        4,
        "- registry.missing-tag: { image: workflow-wroker }",
        "did you mean `workflow-worker`?",
    ),
    (
        "state",
        "expect:\n  eventually: { rollup: fully_helthy }\n",
        4,
        "eventually: { rollup: fully_helthy }",
        "did you mean `fully_healthy`?",
    ),
    (
        "code",
        "expect:\n  eventually:\n    blockers: [ { code: image-not-fuond } ]\n",
        5,
        "blockers: [ { code: image-not-fuond } ]",
        "did you mean `image-not-found`?",
    ),
];

#[tokio::test]
async fn a_misspelt_field_fault_or_name_in_a_file_is_shown_in_its_line_with_the_nearest_name() {
    let desk = Desk::new();
    for (name, text, line, itself, meant) in MISTAKES {
        let folder = format!("wrong-{name}");
        desk.scenario(&folder, name, text);
        desk.scenario(&folder, "right", EXPECT);
        let folder = desk.at(&folder);
        let place = format!("{}:{line}:", folder.join(format!("{name}.yaml")).display());
        for command in [["run", "--scenarios"].as_slice(), &["lint"]] {
            let mut arguments = command.to_vec();
            let folder = folder.display().to_string();
            arguments.push(&folder);
            let ran = desk.smoke(&arguments).await;
            ran.ended(2).said(&place).said(&format!("{line} | ")).said(itself).said(meant);
        }
    }
    assert!(!desk.report().join("report.json").exists(), "nothing was run");
}

#[tokio::test]
async fn a_misspelt_scenario_world_or_flag_is_bad_usage_with_the_nearest_name() {
    let desk = Desk::new();
    desk.smoke(&["run", "missing-worker-tga"]).await.ended(2).said("did you mean `missing-worker-tag`?");
    desk.smoke(&["run", "healthy", "--world", "smi"]).await.ended(2).said("did you mean `sim`?");
    desk.smoke(&["run", "--kepe", "always"]).await.ended(2).said("--keep");
    desk.smoke(&["explain", "registry.mising-tag"])
        .await
        .ended(2)
        .said("did you mean `registry.missing-tag`?");
    desk.smoke(&["run", "--scenarios", "/nowhere"]).await.ended(2).said("/nowhere");
    desk.smoke(&["run", "--status-command", "'open"]).await.ended(2).said("--status-command");
}

#[tokio::test]
async fn a_folder_without_scenarios_is_not_a_success() {
    let desk = Desk::new();
    desk.write("empty/notes.txt", "No scenario.\n");
    let folder = desk.at("empty").display().to_string();
    desk.smoke(&["run", "--scenarios", &folder]).await.ended(4).said("nothing was run");
}
