//! A runner that is killed in the middle leaves nothing once somebody has looked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Child;

use crate::program::until;
use crate::smoke::Desk;

/// Programs other than the runner that have to do with a place: it is in their arguments or in their environment.
fn programs_at(place: &Path) -> Vec<(u32, String)> {
    let place = place.display().to_string().into_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("a list of processes").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process that is gone, or is somebody else's, has nothing to read.
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let here = |bytes: &[u8]| bytes.windows(place.len()).any(|window| window == place);
        let program = arguments.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(program).rsplit('/').next().unwrap_or_default().to_owned();
        if name.starts_with("appliance") && (here(&arguments) || here(&environment)) {
            found.push((pid, name));
        }
    }
    found
}

/// Whether a process is still there.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Kills a runner whose world has a command and a status service; they are returned, with the world's place.
async fn kill_in_the_middle(desk: &Desk) -> (Vec<(u32, String)>, PathBuf) {
    // Slow enough that there is a middle.
    let mut command = desk.command(&["run", "healthy", "--speed", "15"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut runner: Child = command.spawn().expect("smoke starts");
    let found = until("command and status service", async || {
        assert_eq!(
            runner.try_wait().expect("it can be waited for"),
            None,
            "the runner ended before its middle"
        );
        let found = programs_at(&desk.worlds());
        let named = |wanted: &str| found.iter().any(|(_, name)| name == wanted);
        (named("appliance") && named("appliance-status")).then_some(found)
    })
    .await;
    runner.kill().await.expect("it runs");
    let worlds = desk.worlds_left();
    assert_eq!(worlds.len(), 1, "one world was under way: {worlds:?}");
    (found, worlds.into_iter().next().expect("one"))
}

#[tokio::test]
async fn what_a_killed_runner_left_is_gone_after_a_clean() {
    let desk = Desk::new();
    let (programs, world) = kill_in_the_middle(&desk).await;
    desk.smoke(&["clean"]).await.ended(0);
    gone(&desk, &programs, &world).await;
}

#[tokio::test]
async fn what_a_killed_runner_left_is_gone_after_the_next_start() {
    let desk = Desk::new();
    let (programs, world) = kill_in_the_middle(&desk).await;
    desk.smoke(&["run", "healthy"]).await.ended(0);
    gone(&desk, &programs, &world).await;
}

async fn gone(desk: &Desk, programs: &[(u32, String)], world: &Path) {
    assert!(!world.exists(), "{} is still there", world.display());
    assert_eq!(desk.worlds_left(), Vec::<PathBuf>::new());
    // A killed process is there until the system has taken it away.
    until(&format!("end of {programs:?}"), async || {
        programs.iter().all(|(pid, _)| !lives(*pid)).then_some(())
    })
    .await;
    assert_eq!(programs_at(&desk.worlds()), Vec::new());
}
