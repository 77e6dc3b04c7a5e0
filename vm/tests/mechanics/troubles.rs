//! Machines and guests that come to grief: each is told by its cause, in time, with the console's last lines.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use smoke_vm::{Awaited, Disk, DiskTrouble, End, GaveUp, Halt, Mebibytes, UserNetwork};

use crate::Trials;
use crate::lab::{Lab, SOON, pattern, run, tell};

/// Far more than any of these takes: who waits to its end has not given up early.
const LONG: Duration = Duration::from_secs(60);

pub(crate) fn list(trials: &mut Trials) {
    trials.add("a_qemu_that_is_killed_ends_the_wait_with_the_last_lines", killed);
    trials.add("a_guest_that_hangs_is_given_up_after_its_limit_with_the_last_lines", hung);
    trials.add("a_guest_that_panics_is_given_up_at_once_with_its_own_words", panicked);
    trials.add("a_line_that_says_otherwise_ends_the_wait", otherwise);
    trials.add("a_host_without_room_stops_the_machine_and_is_told_from_a_hung_guest", no_room);
    trials.add("a_guest_without_room_is_the_guests_own_trouble", own_room);
}

fn never() -> Awaited {
    Awaited::line("what never comes", pattern("^nobody says this"), LONG)
}

async fn killed(lab: Arc<Lab>) {
    let machine = lab.resume("killed", UserNetwork::new()).await;
    let directory = machine.directory().to_owned();
    tell(&machine, "echo the last words").await;
    let pid = Pid::from_raw(i32::try_from(machine.pid()).unwrap());
    let clock = lab.host().clock.clone();
    let blow = async {
        clock.sleep(Duration::from_millis(300)).await;
        kill(pid, Signal::SIGKILL).unwrap();
    };
    let awaited = never();
    let (waited, ()) = tokio::join!(machine.wait_for(&awaited), blow);
    let error = waited.unwrap_err();
    let GaveUp::Ended(ended) = &error.why else { panic!("{error}") };
    assert_eq!(ended.process, End::Signal(9));
    assert!(error.after < SOON, "{error}");
    assert!(error.to_string().contains("the last words"), "{error}");
    drop(machine);
    assert!(!directory.exists());
}

async fn hung(lab: Arc<Lab>) {
    let machine = lab.resume("hung", UserNetwork::new()).await;
    let from = machine.type_line("echo and then; while :; do :; done").await.unwrap();
    machine.wait_for(&Awaited::line("its word", pattern("^and then"), SOON).since(from)).await.unwrap();
    let limit = Duration::from_secs(2);
    let awaited = Awaited::line("what never comes", pattern("^nobody says this"), limit);
    let error = machine.wait_for(&awaited).await.unwrap_err();
    let GaveUp::Late { silent } = error.why else { panic!("{error}") };
    assert!(silent >= limit, "{silent:?}");
    assert!((limit..limit + SOON).contains(&error.after), "{error}");
    assert_eq!(error.last.last().map(String::as_str), Some("and then"));
}

async fn panicked(lab: Arc<Lab>) {
    let machine = lab.resume("panicked", UserNetwork::new()).await;
    // Without its first process no kernel goes on.
    machine.type_line("echo leaving; exit 3").await.unwrap();
    let error = machine.wait_for(&never()).await.unwrap_err();
    let GaveUp::Panicked(words) = &error.why else { panic!("{error}") };
    assert!(words.contains("Attempted to kill init"), "{words}");
    assert!(error.after < SOON && error.to_string().contains("leaving"), "{error}");
}

async fn otherwise(lab: Arc<Lab>) {
    let machine = lab.resume("otherwise", UserNetwork::new()).await;
    let from = machine.type_line("echo 'service[udevd](Failed): no rules'").await.unwrap();
    let awaited = never().since(from).unless(pattern(r"service\[\w+\]\(Failed\)"));
    let error = machine.wait_for(&awaited).await.unwrap_err();
    assert_eq!(error.why, GaveUp::Never("service[udevd](Failed): no rules".into()));
}

async fn no_room(lab: Arc<Lab>) {
    let disk = Disk::blank("data", Mebibytes(16)).with(DiskTrouble::NoRoom);
    let machine = lab.boot(lab.bare("no-room").disk(disk)).await;
    machine.type_line("echo writing; dd if=/dev/zero of=/dev/vda bs=64k count=1 conv=fsync").await.unwrap();
    let error = machine.wait_for(&never()).await.unwrap_err();
    assert_eq!(error.why, GaveUp::Halted(Halt::NoRoom { disk: "data".into() }), "{error}");
    assert!(error.after < SOON && error.to_string().contains("writing"), "{error}");
}

async fn own_room(lab: Arc<Lab>) {
    let machine = lab.boot(lab.bare("own-room").disk(Disk::blank("data", Mebibytes(1)))).await;
    let (said, well) = run(&machine, "dd if=/dev/zero of=/dev/vda bs=64k conv=fsync").await;
    assert!(!well && said.join(" ").contains("No space left on device"), "{said:?}");
    assert_eq!(tell(&machine, "echo alive").await, "alive");
}
