//! How machines end.

use std::sync::Arc;
use std::time::Duration;

use smoke_vm::{Awaited, End, HowStopped, Reboots, UserNetwork};

use crate::Trials;
use crate::lab::{Lab, SOON, pattern};

pub(crate) fn list(trials: &mut Trials) {
    trials.add("a_guest_that_is_asked_switches_itself_off", orderly);
    trials.add("a_guest_that_does_not_listen_loses_its_plug", forced);
    trials.add("a_guest_may_switch_itself_off_and_a_restart_may_be_its_end", by_itself);
}

async fn orderly(lab: Arc<Lab>) {
    let machine = lab.resume("orderly", UserNetwork::new()).await;
    let directory = machine.directory().to_owned();
    let stopped = machine.stop(SOON).await;
    assert_eq!(stopped.how, HowStopped::Orderly, "{stopped:?}");
    let ended = stopped.ended.unwrap();
    assert_eq!((ended.process, ended.reason.as_deref()), (End::Code(0), Some("guest-shutdown")));
    assert!(!directory.exists());
}

async fn forced(lab: Arc<Lab>) {
    let machine = lab.resume("forced", UserNetwork::new()).await;
    let deaf = machine.type_line("killall acpid; echo deaf").await.unwrap();
    machine.wait_for(&Awaited::line("the guest's word", pattern("^deaf"), SOON).since(deaf)).await.unwrap();
    let directory = machine.directory().to_owned();
    let began = lab.host().clock.now();
    let stopped = machine.stop(Duration::from_secs(2)).await;
    assert_eq!(stopped.how, HowStopped::Forced, "{stopped:?}");
    assert_eq!(stopped.ended.unwrap().process, End::Signal(9));
    assert_eq!(stopped.last.last().map(String::as_str), Some("deaf"));
    assert!(lab.host().clock.now().duration_since(began).as_secs() < 10, "it was not waited for longer");
    assert!(!directory.exists());
}

async fn by_itself(lab: Arc<Lab>) {
    let machine = lab.resume("off", UserNetwork::new()).await;
    machine.type_line("echo bye; poweroff -f").await.unwrap();
    let ended = machine.ended(SOON).await.unwrap();
    assert_eq!(ended.reason.as_deref(), Some("guest-shutdown"));
    let stopped = machine.stop(SOON).await;
    assert_eq!(stopped.how, HowStopped::Already);
    let machine = lab.boot(lab.bare("again").reboots(Reboots::End)).await;
    machine.type_line("reboot -f").await.unwrap();
    assert_eq!(machine.ended(SOON).await.unwrap().reason.as_deref(), Some("guest-reset"));
}
