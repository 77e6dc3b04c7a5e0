//! The guard with programs that are everywhere.

use std::time::Duration;

use field_clock::Clock;

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

fn sh(script: &str, directory: &Path) -> Guarded {
    let arguments = ["-c".to_owned(), script.to_owned()];
    Guarded::start("/bin/sh", &arguments, directory, &directory.join("words")).unwrap()
}

/// The program's process, once it is there.
async fn pid(directory: &Path) -> Pid {
    let written = async {
        loop {
            let text = fs::read_to_string(directory.join("pid")).unwrap_or_default();
            if let Ok(pid) = text.trim().parse() {
                return Pid::from_raw(pid);
            }
            Clock::wall().sleep(Duration::from_millis(5)).await;
        }
    };
    Clock::wall().timeout(LIMIT, written).await.expect("a guard says whom it guards")
}

async fn gone(what: &str, mut still_there: impl FnMut() -> bool) {
    let gone = async {
        while still_there() {
            Clock::wall().sleep(Duration::from_millis(5)).await;
        }
    };
    Clock::wall().timeout(LIMIT, gone).await.unwrap_or_else(|_| panic!("{what} is still there"));
}

fn lives(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    kill(pid, None).is_ok() && !stat.contains(") Z ")
}

#[tokio::test]
async fn a_programs_own_end_is_told_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(sh("exit 85", home.path()).wait().await.unwrap(), End::Code(85));
    assert_eq!(sh("kill -ABRT $$", home.path()).wait().await.unwrap(), End::Signal(6));
    let missing = Guarded::start("no-such-program", &[], home.path(), &home.path().join("words"));
    assert_eq!(missing.unwrap().wait().await.unwrap(), NOT_FOUND);
    assert!(last_words(&home.path().join("words")).contains("no-such-program"));
}

#[tokio::test]
async fn what_is_dropped_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let guarded = sh("exec sleep 600", home.path());
    let program = pid(home.path()).await;
    drop(guarded);
    gone("the program", || lives(program)).await;
}

#[tokio::test]
async fn a_program_that_is_ended_takes_its_guard_along_and_both_are_off_the_list() {
    let home = tempfile::tempdir().unwrap();
    let mut guarded = sh("exec sleep 600", home.path());
    let program = pid(home.path()).await;
    guarded.killer().aim(program);
    guarded.killer().kill();
    let end = Clock::wall().timeout(LIMIT, guarded.wait()).await.expect("the guard ends").unwrap();
    assert_eq!(end, End::Signal(9));
    assert_eq!(last_words(&home.path().join("words")), "it said nothing");
    assert!(kill(program, None).is_err(), "not even a zombie is left");
}

#[tokio::test]
async fn who_lets_go_of_the_pipe_without_a_word_leaves_neither_program_nor_directory() {
    let base = tempfile::tempdir().unwrap();
    let home = base.path().join("machine");
    fs::create_dir(&home).unwrap();
    let mut guarded = sh("exec sleep 600", &home);
    let program = pid(&home).await;
    // As the kernel does it for a process that is killed.
    guarded._lifeline.take();
    let end = Clock::wall().timeout(LIMIT, guarded.wait()).await.expect("the guard ends").unwrap();
    assert_eq!(end, End::Signal(9));
    gone("the program", || lives(program)).await;
    gone("the directory", || home.exists()).await;
}

#[test]
fn an_end_is_told_in_words() {
    assert_eq!(End::Code(1).to_string(), "ended with code 1");
    assert_eq!(End::Signal(9).to_string(), "was ended by SIGKILL");
}
