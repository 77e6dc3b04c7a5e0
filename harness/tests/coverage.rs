//! The catalogue's gate: what exists is tried, and what is tried claims something.
//!
//! What cannot be held yet stands in [`OPEN`], by the gate's own words; a line there that is no gap any more fails too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use smoke_harness::fault::{LeadsTo, Shows, faults, heals};
use smoke_harness::scenario::{Scenario, code_names, load, read};
use smoke_harness::world::{Capability, factories};

/// Gaps of today. Only those of worlds with a machine below Kubernetes may stay until there is such a world.
const OPEN: &[&str] = &["code host has no scenario"];

/// Everything that is not as it must be.
fn gaps(scenarios: &[Scenario]) -> BTreeSet<String> {
    let mut gaps = BTreeSet::new();
    let expected: BTreeSet<&str> = scenarios.iter().flat_map(expected_codes).collect();
    let codes = code_names();
    gaps.extend(
        codes
            .into_iter()
            .filter(|code| !expected.contains(code))
            .map(|code| format!("code {code} has no scenario")),
    );
    let set: BTreeSet<&str> = scenarios.iter().flat_map(|it| &it.faults).map(|fault| fault.name()).collect();
    gaps.extend(
        faults().filter(|it| !set.contains(it.name)).map(|it| format!("fault {} has no scenario", it.name)),
    );
    let done: BTreeSet<&str> = scenarios.iter().flat_map(|it| &it.heal).map(|step| step.name()).collect();
    gaps.extend(
        heals()
            .filter(|it| !done.contains(it.name))
            .map(|it| format!("heal verb {} has no scenario", it.name)),
    );
    gaps.extend(scenarios.iter().filter_map(without_code));
    gaps.extend(scenarios.iter().filter_map(nowhere));
    gaps
}

/// Codes that a scenario asks for: before its heal, or when another cause is mended.
fn expected_codes(scenario: &Scenario) -> impl Iterator<Item = &'static str> {
    let revealed = scenario.recovers.as_ref().and_then(|recovers| recovers.blocker);
    scenario.expect.blockers.iter().map(|blocker| blocker.code).chain(revealed)
}

/// A fault that leads to a blocker needs a scenario that names one of its codes: as expected, as transient, or as what
/// must never show; or that asks the operator's command alone.
fn without_code(scenario: &Scenario) -> Option<String> {
    let said: BTreeSet<&str> = expected_codes(scenario)
        .chain(scenario.expect.never.iter().filter_map(|never| never.blocker))
        .chain(scenario.expect.transient.iter().map(|it| it.code))
        .collect();
    let silent = scenario.faults.iter().find(|fault| {
        let LeadsTo::Blocker(codes) = fault.kind.leads_to else { return false };
        let told_by_command = scenario.asks_the_operator_alone()
            || fault.kind.shows == Shows::Operator && scenario.expect.operator.is_some();
        !told_by_command && !codes.iter().any(|code| said.contains(code))
    });
    // What follows from another fault's blocker is not a blocker of its own.
    let explained = scenario.faults.len() > 1 && !scenario.expect.blockers.is_empty();
    let silent = silent.filter(|_| !explained)?;
    Some(format!("scenario {} names no code of {}", scenario.name, silent.name()))
}

/// A scenario that no world can play, not even on a machine that has every program a world asks for.
fn nowhere(scenario: &Scenario) -> Option<String> {
    let worlds = factories();
    in_none_of(scenario, |need| {
        worlds.iter().any(|it| it.capabilities().contains(&need) || it.lacks(need).is_some())
    })
}

/// A scenario that needs something which is nowhere.
fn in_none_of(scenario: &Scenario, somewhere: impl Fn(Capability) -> bool) -> Option<String> {
    let able = scenario.needs().into_iter().all(somewhere);
    (!able).then(|| format!("scenario {} can be played in no world", scenario.name))
}

/// Files in a folder of scenarios, and below it, that no run plays.
fn idle_files(folder: &Path, played: &[Scenario]) -> BTreeSet<String> {
    let played: BTreeSet<PathBuf> = played.iter().map(|scenario| scenario.path.clone()).collect();
    files_below(folder)
        .into_iter()
        .filter(|path| path.file_name().is_none_or(|name| name != "README.md") && !played.contains(path))
        .map(|path| {
            format!("file {} is played by no run", path.strip_prefix(folder).unwrap_or(&path).display())
        })
        .collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of scenarios").flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn scenario(text: &str) -> Scenario {
    let text = format!("name: x\nstory: A test wrote it.\n{text}");
    read(Path::new("x.yaml"), &text).expect("a scenario")
}

#[test]
fn every_code_fault_and_heal_verb_has_a_scenario_and_every_scenario_a_code_and_a_world() {
    let gaps = gaps(&load(&ours()).unwrap());
    let open: BTreeSet<String> = OPEN.iter().map(|it| (*it).to_owned()).collect();
    let new: Vec<&String> = gaps.difference(&open).collect();
    let stale: Vec<&String> = open.difference(&gaps).collect();
    assert!(new.is_empty() && stale.is_empty(), "gaps: {new:#?}\nno gaps any more: {stale:#?}");
}

#[test]
fn every_file_of_the_folder_is_played_by_the_suite() {
    assert_eq!(idle_files(&ours(), &load(&ours()).unwrap()), BTreeSet::new());
}

#[test]
fn a_catalogue_without_a_scenario_lacks_every_code_fault_and_verb_by_name() {
    let gaps = gaps(&[]);
    for gap in [
        "code dns has no scenario",
        "fault dns.refused has no scenario",
        "heal verb flux.reconcile has no scenario",
    ] {
        assert!(gaps.contains(gap), "{gap} is not in {gaps:#?}");
    }
}

#[test]
fn a_scenario_whose_fault_leads_to_a_code_must_name_one() {
    let fault = "faults:\n  - registry.missing-tag: { image: db }\n";
    let silent = scenario(&format!("{fault}expect:\n  eventually: {{ rollup: failed_action_required }}\n"));
    assert_eq!(without_code(&silent).as_deref(), Some("scenario x names no code of registry.missing-tag"));
    let named = "expect:\n  eventually: { blockers: [ { code: image-not-found } ] }\n";
    assert_eq!(without_code(&scenario(&format!("{fault}{named}"))), None);
    let never =
        "expect:\n  never: [ { blocker: image-not-found } ]\n  eventually: { rollup: fully_healthy }\n";
    assert_eq!(without_code(&scenario(&format!("{fault}{never}"))), None);
}

#[test]
fn a_scenario_that_needs_what_no_world_has_is_played_nowhere() {
    let on_a_machine = scenario("requires: [host]\nexpect:\n  eventually: { rollup: fully_healthy }\n");
    let on_clusters = |need| Capability::OF_A_CLUSTER.contains(&need);
    let told = in_none_of(&on_a_machine, on_clusters);
    assert_eq!(told.as_deref(), Some("scenario x can be played in no world"));
    assert_eq!(nowhere(&on_a_machine), None, "a talosctl is all that it takes");
}

#[test]
fn a_file_in_a_folder_below_is_played_by_no_run_and_so_is_one_with_another_ending() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("later")).unwrap();
    let text = "name: x\nstory: A test wrote it.\nexpect:\n  eventually: { rollup: fully_healthy }\n";
    for name in ["x.yaml", "later/x.yaml", "x.yaml.off"] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let idle = idle_files(folder.path(), &load(folder.path()).unwrap());
    let wanted = ["file later/x.yaml is played by no run", "file x.yaml.off is played by no run"];
    assert_eq!(idle, wanted.map(str::to_owned).into());
}
