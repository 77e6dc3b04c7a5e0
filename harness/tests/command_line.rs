//! What `smoke` answers before it runs anything.

use std::ffi::OsString;
use std::path::Path;

use smoke_harness::cli::run_with;
use smoke_harness::run::ExitStatus;
use smoke_harness::world::Binaries;

fn smoke(arguments: &[&str]) -> ExitStatus {
    let binaries = Binaries {
        appliance: "/nowhere/appliance".into(),
        appliance_status: "/nowhere/appliance-status".into(),
    };
    let line = std::iter::once("smoke").chain(arguments.iter().copied()).map(OsString::from);
    run_with(line, binaries)
}

fn ours() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").display().to_string()
}

#[test]
fn good_scenarios_pass_the_lint_and_a_bad_one_is_bad_usage() {
    assert_eq!(smoke(&["lint", &ours()]), ExitStatus::Passed);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.yaml"), "name: x\nstori: s\n").unwrap();
    assert_eq!(smoke(&["lint", &folder.path().display().to_string()]), ExitStatus::Usage);
}

#[test]
fn names_that_are_nobodys_are_bad_usage() {
    assert_eq!(smoke(&["run", "helthy", "--scenarios", &ours()]), ExitStatus::Usage);
    assert_eq!(smoke(&["run", "--world", "moon", "--scenarios", &ours()]), ExitStatus::Usage);
    assert_eq!(smoke(&["run", "--require-world", "moon", "--scenarios", &ours()]), ExitStatus::Usage);
    assert_eq!(smoke(&["explain", "registry.mising-tag"]), ExitStatus::Usage);
    assert_eq!(smoke(&["frobnicate"]), ExitStatus::Usage);
    assert_eq!(smoke(&["run", "--speed", "0", "--scenarios", &ours()]), ExitStatus::Usage);
    assert_eq!(smoke(&["run", "--status-command", "a 'b", "--scenarios", &ours()]), ExitStatus::Usage);
}

#[test]
fn without_its_siblings_the_run_is_broken() {
    assert_eq!(smoke(&["run", "--scenarios", &ours()]), ExitStatus::Broken);
}

#[test]
fn what_only_tells_something_succeeds() {
    assert_eq!(smoke(&["list", "--scenarios", &ours()]), ExitStatus::Passed);
    assert_eq!(smoke(&["list", "--json", "--scenarios", &ours()]), ExitStatus::Passed);
    assert_eq!(smoke(&["schema"]), ExitStatus::Passed);
    assert_eq!(smoke(&["explain", "image-not-found"]), ExitStatus::Passed);
    assert_eq!(smoke(&["--help"]), ExitStatus::Passed);
}
