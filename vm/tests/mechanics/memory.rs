//! Memory that is taken away from guests.

use std::sync::Arc;
use std::time::Duration;

use smoke_vm::{Machine, Mebibytes, MemoryError, UserNetwork};

use crate::Trials;
use crate::lab::{Lab, SOON, tell};

/// What a guest of the lab is made with, and what it is left.
const MADE: u64 = 128;
const LEFT: u64 = 96;

pub(crate) fn list(trials: &mut Trials) {
    trials.add("a_guest_whose_memory_is_taken_away_sees_a_smaller_machine", taken);
    trials.add("a_guest_without_the_driver_is_told_from_one_that_gave_back", deaf);
}

/// In MiB, as the guest counts it.
async fn counted(machine: &Machine) -> u64 {
    let line = tell(machine, "grep MemTotal: /proc/meminfo").await;
    let kibibytes = line.split_whitespace().nth(1).and_then(|figure| figure.parse::<u64>().ok());
    kibibytes.unwrap_or_else(|| panic!("no figure in {line:?}")) / 1024
}

async fn taken(lab: Arc<Lab>) {
    let machine = lab.resume("smaller", UserNetwork::new()).await;
    let before = counted(&machine).await;
    machine.leave_memory(Mebibytes(96), SOON).await.unwrap();
    let smaller = counted(&machine).await;
    assert_eq!(before - smaller, MADE - LEFT, "{before} MiB before, {smaller} MiB after");
    machine.leave_memory(Mebibytes(128), SOON).await.unwrap();
    assert_eq!(counted(&machine).await, before);
    let error = machine.leave_memory(Mebibytes(129), SOON).await.unwrap_err();
    assert!(matches!(error, MemoryError::More { wished: 129, .. }), "{error}");
}

async fn deaf(lab: Arc<Lab>) {
    let machine = lab.resume("deaf", UserNetwork::new()).await;
    tell(&machine, "rmmod virtio_balloon").await;
    let before = counted(&machine).await;
    let error = machine.leave_memory(Mebibytes(96), Duration::from_secs(2)).await.unwrap_err();
    let MemoryError::Kept { wished: 96, has: 128, .. } = &error else { panic!("{error}") };
    assert_eq!(counted(&machine).await, before);
}
