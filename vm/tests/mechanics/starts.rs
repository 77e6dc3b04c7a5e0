//! How machines begin.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use smoke_vm::{
    Accelerator, Architecture, Awaited, Boot, Disk, Format, GuestTime, Host, Machine, Mebibytes, PROBE_LIMIT,
    QmpError, Specification, StartError, Tag, Wish, choose, probe,
};

use crate::Trials;
use crate::lab::{BOOT, Lab, SOON, pattern, ready, tell};

pub(crate) fn list(trials: &mut Trials) {
    trials.add("an_accelerator_is_only_taken_after_a_guest_ran_under_it", accelerator);
    trials.add("a_guest_boots_and_its_console_is_read_written_and_recorded", console);
    trials.add("the_monitor_answers_refuses_and_tells_what_happens", monitor);
    trials.add("a_machine_boots_from_its_disk_with_firmware", firmware);
    trials.add("a_machine_boots_with_uefi_and_is_restored_with_its_variables", uefi);
    trials.add("an_overlay_takes_every_write_and_its_base_stays_as_it_is", overlay);
    trials.add("a_guest_can_be_given_another_time", skew);
    trials.add("what_cannot_start_says_why_and_leaves_nothing", refused);
}

async fn accelerator(lab: Arc<Lab>) {
    let host = lab.host();
    let began = host.clock.now();
    let chosen = choose(Architecture::X86_64, &host.base, &host.clock).await.unwrap();
    println!("vm: accelerator {chosen}");
    let took = Duration::try_from(host.clock.now().duration_since(began)).unwrap();
    assert!(took < PROBE_LIMIT * 3, "{took:?}");
    match &chosen.refused {
        None => assert_eq!(chosen.accelerator, Accelerator::Kvm),
        Some((other, reason)) => {
            assert_eq!((chosen.accelerator, *other), (Accelerator::Tcg, Accelerator::Kvm));
            assert!(!reason.to_string().is_empty());
        }
    }
    // What was chosen keeps its word with a whole kernel.
    let host = Host { accelerator: chosen.accelerator, ..host.clone() };
    let machine = Machine::start(lab.bare("chosen").specify().unwrap(), &host).await.unwrap();
    ready(&machine).await;
    machine.kill().await;
    // What is on no Linux machine is refused in QEMU's words.
    let refused = probe(Architecture::X86_64, Accelerator::Hvf, &host.base, &host.clock).await.unwrap_err();
    assert!(refused.to_string().contains("hvf"), "{refused}");
}

async fn console(lab: Arc<Lab>) {
    let began = lab.host().clock.now();
    let machine = lab.boot(lab.bare("console")).await;
    println!("vm: booted to its shell in {} ms", lab.host().clock.now().duration_since(began).as_millis());
    assert_eq!(tell(&machine, "echo $((6 * 7))").await, "42");
    assert_eq!(tell(&machine, "nproc; uname -s").await, "1\nLinux");
    let recorded = fs::read_to_string(machine.console().recording()).unwrap();
    assert!(recorded.contains("guest: ready") && recorded.contains("\n42\r\n"), "{recorded}");
    assert!(machine.console().find(&pattern("no such words"), smoke_vm::Position::default()).is_none());
}

async fn monitor(lab: Arc<Lab>) {
    let machine = Machine::start(lab.bare("monitor").specify().unwrap(), lab.host()).await.unwrap();
    let qmp = machine.qmp();
    let mut events = qmp.events();
    assert_eq!(qmp.execute("query-status", json!({})).await.unwrap()["status"], "running");
    machine.pause().await.unwrap();
    assert_eq!(qmp.execute("query-status", json!({})).await.unwrap()["status"], "paused");
    machine.go_on().await.unwrap();
    let refused = qmp.execute("no-such-command", json!({})).await.unwrap_err();
    assert!(matches!(&refused, QmpError::Refused { class, .. } if class == "CommandNotFound"), "{refused}");
    let (stop, resume) = (events.recv().await.unwrap(), events.recv().await.unwrap());
    assert_eq!((stop.name.as_str(), resume.name.as_str()), ("STOP", "RESUME"));
    assert!(qmp.ask("info version").await.unwrap().contains('.'));
}

/// Writes `firmware ok` to the first serial port and stands still.
const BOOT_SECTOR: [u8; 33] = [
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, // cli; ds = 0
    0xbe, 0x14, 0x7c, // si = text
    0xba, 0xf8, 0x03, // dx = the port
    0xac, // next: al = [si++]
    0x84, 0xc0, // the end of the text?
    0x74, 0xfe, // then stand still
    0xee, // out
    0xeb, 0xf8, // once more
    0x90, // -
    b'f', b'i', b'r', b'm', b'w', b'a', b'r', b'e', b' ', b'o', b'k', b'\n', 0,
];

async fn firmware(lab: Arc<Lab>) {
    let mut image = vec![0; 1 << 20];
    image[..BOOT_SECTOR.len()].copy_from_slice(&BOOT_SECTOR);
    image[510..512].copy_from_slice(&[0x55, 0xaa]);
    let path = lab.file("firmware.img");
    fs::write(&path, &image).unwrap();
    let wish = Wish::new("firmware", Boot::Bios).memory(Mebibytes(32));
    let wish = wish.disk(Disk::overlay("root", &path, Format::Raw));
    let machine = Machine::start(wish.specify().unwrap(), lab.host()).await.unwrap();
    machine.wait_for(&Awaited::line("the boot sector", pattern("^firmware ok"), SOON)).await.unwrap();
}

async fn uefi(lab: Arc<Lab>) {
    let firmware = lab.firmware();
    let Boot::Uefi { variables, .. } = &firmware else { panic!("{firmware:?}") };
    let template = fs::read(variables).unwrap();
    let wish = Wish::new("uefi", firmware.clone()).memory(Mebibytes(128));
    let wish = wish.disk(Disk::blank("root", Mebibytes(1)));
    let machine = Machine::start(wish.specify().unwrap(), lab.host()).await.unwrap();
    let shell = Awaited::line("the firmware's shell", pattern("^Shell>"), BOOT);
    // It waits for a key first.
    machine.wait_for(&Awaited::line("the firmware", pattern("UEFI Interactive Shell"), BOOT)).await.unwrap();
    machine.console().write("\r").await.unwrap();
    machine.wait_for(&shell).await.unwrap();
    let tag = Tag::new("shell").unwrap();
    machine.save(&tag).await.unwrap();
    machine.restore(&tag).await.unwrap();
    let from = machine.console().position();
    machine.console().write("ver\r").await.unwrap();
    let version = Awaited::line("its version", pattern("UEFI v2"), SOON).since(from);
    machine.wait_for(&version).await.unwrap();
    machine.kill().await;
    assert!(fs::read(variables).unwrap() == template, "a machine writes to variables of its own");
}

async fn overlay(lab: Arc<Lab>) {
    let path = lab.file("base.img");
    let mut base = vec![0; 1 << 20];
    base[..5].copy_from_slice(b"base\n");
    fs::write(&path, &base).unwrap();
    let wish = |name: &str| lab.bare(name).disk(Disk::overlay("root", &path, Format::Raw));
    let first = lab.boot(wish("first")).await;
    let word = "head -n 1 /dev/vda";
    assert_eq!(tell(&first, word).await, "base");
    tell(&first, "printf 'mine\\n' | dd of=/dev/vda conv=notrunc,fsync 2>/dev/null").await;
    tell(&first, "echo 3 >/proc/sys/vm/drop_caches").await;
    assert_eq!(tell(&first, word).await, "mine");
    let directory = first.directory().to_owned();
    first.kill().await;
    assert!(!directory.exists(), "the overlay goes with its machine");
    assert!(fs::read(&path).unwrap() == base, "the base is as it was");
    let second = lab.boot(wish("second")).await;
    assert_eq!(tell(&second, word).await, "base", "what one machine wrote another does not see");
}

async fn skew(lab: Arc<Lab>) {
    let moment = "2020-02-29T12:00:00Z".parse().unwrap();
    let machine = lab.boot(lab.bare("skew").time(GuestTime::From(moment))).await;
    assert!(tell(&machine, "date -u +%Y-%m-%dT%H").await.starts_with("2020-02-29T12"));
}

async fn refused(lab: Arc<Lab>) {
    let start = async |wish: Wish| Machine::start(wish.specify().unwrap(), lab.host()).await.unwrap_err();
    let missing = start(Wish::new("refused", Boot::kernel("/no/such/kernel", ""))).await;
    assert!(matches!(missing, StartError::Missing { .. }), "{missing}");
    let image = lab.file("no-image.qcow2");
    fs::write(&image, "this is no image").unwrap();
    let ended = start(lab.bare("refused").disk(Disk::kept("root", &image))).await;
    let said = ended.to_string();
    assert!(matches!(ended, StartError::Ended { .. }) && said.contains("not in qcow2 format"), "{said}");
    let twice = lab.file("twice.qcow2");
    smoke_vm::make_blank(&twice, Mebibytes(1), &lab.host().clock).await.unwrap();
    let wish = lab.bare("twice").disk(Disk::kept("root", &twice));
    let specification: Specification = wish.specify().unwrap();
    let _first = Machine::start(specification.clone(), lab.host()).await.unwrap();
    let second = Machine::start(specification, lab.host()).await.unwrap_err().to_string();
    assert!(second.contains("lock"), "a disk is one machine's: {second}");
    let names: Vec<String> = fs::read_dir(&lab.host().base)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("no-image.qcow2").display().to_string())
        .filter(|path| fs::metadata(path).is_ok())
        .collect();
    assert!(names.is_empty(), "{names:?}");
}
