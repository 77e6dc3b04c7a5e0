//! The main job needs no privilege and no network.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::lanes;
use crate::program::{find, finish};
use crate::smoke::{Desk, Ran, SMOKE};

/// `nobody` on every system.
const NOBODY: u32 = 65534;

/// Whether these tests may become somebody else.
fn root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

#[tokio::test]
async fn the_main_job_passes_as_an_ordinary_user() {
    if !root() {
        let reason = "these tests are not run by root, so that all of them are run by an ordinary user";
        return lanes::did_not_run("setpriv", reason);
    }
    let Some(setpriv) = find("setpriv") else {
        return lanes::did_not_run("setpriv", "there is no setpriv on the path");
    };
    let desk = Desk::new();
    give_away(&desk);
    let demoted = demotion(&setpriv);
    let smoke = reachable(&demoted, &desk).await;
    let ran = run(&desk, &demoted, &smoke).await;
    ran.ended(0).said("2 passed");
    let report = std::fs::metadata(desk.report().join("report.json")).expect("a report");
    assert_eq!(report.uid(), NOBODY);
    lanes::ran("setpriv", 1);
}

#[tokio::test]
async fn the_main_job_passes_in_a_network_namespace_that_has_only_a_loopback() {
    let namespace = match namespace("ip link set lo up && exec \"$@\"").await {
        Ok(namespace) => namespace,
        Err(reason) => return lanes::did_not_run("unshare", &reason),
    };
    let desk = Desk::new();
    let mut wrapper = namespace;
    let mut smoke = PathBuf::from(SMOKE);
    if let Some(setpriv) = find("setpriv").filter(|_| root()) {
        // Both at once: in a namespace root has powers that an ordinary user has not.
        give_away(&desk);
        let demoted = demotion(&setpriv);
        smoke = reachable(&demoted, &desk).await;
        wrapper.extend(demoted);
    }
    run(&desk, &wrapper, &smoke).await.ended(0).said("2 passed");
    lanes::ran("unshare", 1);
}

#[tokio::test]
async fn a_machine_without_a_loopback_skips_with_the_reason_and_is_broken_where_the_world_is_required() {
    let namespace = match namespace("exec \"$@\"").await {
        Ok(namespace) => namespace,
        Err(reason) => return lanes::did_not_run("unshare", &reason),
    };
    let desk = Desk::new();
    let ran = run(&desk, &namespace, Path::new(SMOKE)).await;
    ran.ended(4).said("2 skipped").said("no loopback network");
    let mut required = namespace;
    required.extend(["env".into(), "SMOKE_REQUIRE_WORLD=sim".into()]);
    run(&desk, &required, Path::new(SMOKE)).await.ended(3).said("2 broken").said("required here");
}

/// Runs the two scenarios of the main job that touch everything, behind a wrapper.
async fn run(desk: &Desk, wrapper: &[String], smoke: &Path) -> Ran {
    let (program, arguments) = wrapper.split_first().expect("a wrapper");
    let mut command = Command::new(program);
    command.args(arguments).arg(smoke).args(["run", "healthy", "missing-worker-tag"]);
    desk.at_home(&mut command);
    command.env("HOME", desk.at("home"));
    Ran::of(finish(command).await)
}

/// A wrapper that runs its arguments in a network namespace of their own, after this script's first part.
async fn namespace(script: &str) -> Result<Vec<String>, String> {
    let Some(unshare) = find("unshare") else { return Err("there is no unshare on the path".to_owned()) };
    if script.contains("ip ") && find("ip").is_none() {
        return Err("there is no ip on the path, to set the loopback up".to_owned());
    }
    let mut wrapper = vec![unshare.display().to_string()];
    // Who is not root becomes root of a user namespace, and only there.
    wrapper.push(if root() { "-n".to_owned() } else { "-rn".to_owned() });
    wrapper.extend(["--", "sh", "-c"].map(str::to_owned));
    wrapper.push(format!("PATH=$PATH:/usr/sbin:/sbin; {script}"));
    wrapper.push("sh".to_owned());
    let mut command = Command::new(&wrapper[0]);
    command.args(&wrapper[1..]).arg("true");
    let tried = finish(command).await;
    if tried.status.success() {
        return Ok(wrapper);
    }
    Err(String::from_utf8_lossy(&tried.stderr).trim().replace('\n', "; "))
}

fn demotion(setpriv: &Path) -> Vec<String> {
    let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
    let mut wrapper = vec![setpriv.display().to_string()];
    wrapper.extend(ids);
    wrapper.extend(["--clear-groups", "--no-new-privs", "--"].map(str::to_owned));
    wrapper
}

/// Lets the ordinary user write on the desk.
fn give_away(desk: &Desk) {
    let home = desk.at("home");
    std::fs::create_dir(&home).expect("a folder");
    for place in [desk.at(""), home] {
        chown(&place, Some(NOBODY), Some(NOBODY)).expect("root may do this");
    }
}

/// The runner, where the ordinary user can start it: with its siblings on the desk if the build is in a private place.
async fn reachable(demoted: &[String], desk: &Desk) -> PathBuf {
    let mut command = Command::new(&demoted[0]);
    command.args(&demoted[1..]).args(["sh", "-c", "test -x \"$1\" && test -r \"$2\"", "sh", SMOKE]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/healthy.yaml"));
    if finish(command).await.status.success() {
        return SMOKE.into();
    }
    let bin = desk.at("bin");
    std::fs::create_dir(&bin).expect("a folder");
    let binaries = [SMOKE, env!("CARGO_BIN_EXE_appliance"), env!("CARGO_BIN_EXE_appliance-status")];
    for binary in binaries.map(Path::new) {
        let copy = bin.join(binary.file_name().expect("a name"));
        std::fs::copy(binary, &copy).expect("a copy");
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).expect("root may do this");
    }
    bin.join("smoke")
}
