//! Saving a machine and going on from there.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use smoke_vm::{
    Disk, DiskTrouble, Machine, Mebibytes, QmpError, SnapshotError, StartError, Tag, UserNetwork, Wish,
    make_blank,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Trials;
use crate::lab::{Lab, PORT, SOON, tell};

/// For how long there is no machine between two that have the same snapshot; much longer than anything is inexact here.
const AWAY: Duration = Duration::from_secs(5);

pub(crate) fn list(trials: &mut Trials) {
    trials.add("a_restored_machine_knows_what_it_knew_and_has_what_it_had", restored);
    trials.add("a_snapshot_outlives_its_machine", outlived);
    trials.add("after_a_restore_sessions_are_dialled_again_and_the_clock_is_set", resumed);
    trials.add("a_snapshot_that_fails_says_why_and_the_machine_goes_on", failed);
}

fn tag(name: &str) -> Tag {
    Tag::new(name).unwrap()
}

async fn restored(lab: Arc<Lab>) {
    let machine = lab.resume("restored", UserNetwork::new()).await;
    tell(&machine, "known=before; printf 'before\\n' | dd of=/dev/vda conv=fsync 2>/dev/null").await;
    let saved = machine.save(&tag("one")).await.unwrap();
    tell(&machine, "known=after; printf 'after\\n' | dd of=/dev/vda conv=fsync 2>/dev/null").await;
    assert_eq!(tell(&machine, "echo $known; head -n 1 /dev/vda").await, "after\nafter");
    let restored = machine.restore(&tag("one")).await.unwrap();
    println!("vm: saved in {} ms, restored in {} ms", saved.as_millis(), restored.as_millis());
    assert_eq!(tell(&machine, "echo $known").await, "before");
    tell(&machine, "echo 3 >/proc/sys/vm/drop_caches").await;
    assert_eq!(tell(&machine, "head -n 1 /dev/vda").await, "before");
    machine.forget(&tag("one")).await.unwrap();
    assert!(machine.restore(&tag("one")).await.is_err(), "what was forgotten is not there");
}

async fn outlived(lab: Arc<Lab>) {
    let disk = lab.file("outlived-kept.qcow2");
    make_blank(&disk, Mebibytes(64), &lab.host().clock).await.unwrap();
    let specification = || lab.bare("outlived").disk(Disk::kept("root", &disk)).specify().unwrap();
    let machine = lab.boot(lab.bare("outlived").disk(Disk::kept("root", &disk))).await;
    tell(&machine, "known=once").await;
    machine.save(&tag("later")).await.unwrap();
    let saved = seconds_now();
    machine.kill().await;
    lab.host().clock.sleep(AWAY).await;
    let began = lab.host().clock.now();
    let machine = Machine::start_from(specification(), &tag("later"), lab.host()).await.unwrap();
    assert_eq!(tell(&machine, "echo $known").await, "once");
    let took = lab.host().clock.now().duration_since(began);
    println!("vm: another process answered from a snapshot after {} ms", took.as_millis());
    let guest = guest_seconds(&machine).await;
    let ran = seconds_now() - began.as_second();
    assert!(guest <= saved + ran + 1, "its clock goes on where it was saved, {saved}: {guest} after {ran} s");
    set_clock(&machine).await;
    machine.kill().await;
    let absent = Machine::start_from(specification(), &tag("never"), lab.host()).await.unwrap_err();
    assert!(matches!(absent, StartError::Snapshot { .. }), "{absent}");
}

async fn resumed(lab: Arc<Lab>) {
    let machine = lab.resume("resumed", UserNetwork::new()).await;
    tell(&machine, &format!("nc -ll -p {PORT} -e cat & sleep 0.2")).await;
    let address = machine.reached_at(PORT).unwrap();
    let mut session = dial(address).await;
    machine.save(&tag("listening")).await.unwrap();
    machine.restore(&tag("listening")).await.unwrap();
    let _ = session.write_all(b"still there?\n").await;
    let mut again = dial(address).await;
    again.write_all(b"once more\n").await.unwrap();
    assert_eq!(heard(&lab, &mut again, 10).await, "once more\n");
    set_clock(&machine).await;
}

/// Connects, and makes sure that it is the guest that answers: QEMU takes every connection.
async fn dial(address: std::net::SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"hello\n").await.unwrap();
    let mut buffer = [0; 6];
    stream.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"hello\n");
    stream
}

async fn heard(lab: &Lab, stream: &mut TcpStream, length: usize) -> String {
    let mut buffer = vec![0; length];
    lab.host().clock.timeout(SOON, stream.read_exact(&mut buffer)).await.unwrap().unwrap();
    String::from_utf8(buffer).unwrap()
}

/// Sets the guest's clock by its battery-backed one, and makes sure that it tells the host's time then.
async fn set_clock(machine: &Machine) {
    // In the same process it has hardly gone wrong by itself.
    tell(machine, "date -u -s @1000000000 >/dev/null; hwclock --hctosys --utc").await;
    let before = seconds_now();
    let guest = guest_seconds(machine).await;
    let after = seconds_now();
    // The battery-backed clock counts whole seconds.
    assert!((before - 1..=after + 1).contains(&guest), "between {before} and {after} the guest says {guest}");
}

async fn guest_seconds(machine: &Machine) -> i64 {
    tell(machine, "date -u +%s").await.parse().unwrap()
}

fn seconds_now() -> i64 {
    field_clock::Clock::wall().now().as_second()
}

async fn failed(lab: Arc<Lab>) {
    let machine = lab.resume("failed", UserNetwork::new()).await;
    let absent = machine.restore(&tag("never")).await.unwrap_err();
    let SnapshotError::Monitor { source: QmpError::Job { reason, .. }, .. } = &absent else {
        panic!("{absent}")
    };
    assert!(reason.contains("never"), "the job says which: {reason}");
    machine.go_on().await.unwrap();
    assert_eq!(tell(&machine, "echo still there").await, "still there");
    machine.kill().await;

    // What follows needs no guest that has booted.
    let start = async |wish: Wish| Machine::start(wish.specify().unwrap(), lab.host()).await.unwrap();
    let machine = start(lab.bare("diskless")).await;
    let nowhere = machine.save(&tag("one")).await.unwrap_err();
    assert!(matches!(nowhere, SnapshotError::NoDisk { .. }), "{nowhere}");
    machine.kill().await;

    let disk = lab.file("no-room.qcow2");
    make_blank(&disk, Mebibytes(64), &lab.host().clock).await.unwrap();
    let machine = start(lab.bare("roomless").disk(Disk::kept("root", &disk).with(DiskTrouble::NoRoom))).await;
    let full = machine.save(&tag("one")).await.unwrap_err();
    assert!(matches!(full, SnapshotError::Monitor { source: QmpError::Job { .. }, .. }), "{full}");
    let status = machine.qmp().execute("query-status", json!({})).await.unwrap();
    assert_eq!(status["status"], "running", "the machine goes on");
    assert!(fs::metadata(&disk).unwrap().len() < 8 << 20);
}
