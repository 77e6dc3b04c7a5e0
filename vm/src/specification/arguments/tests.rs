//! What QEMU is told, word for word.

use std::num::NonZeroU8;

use super::super::{Layout, Specification};
use crate::accelerator::Accelerator;
use crate::architecture::Architecture;
use crate::network::UserNetwork;
use crate::wish::{Boot, Disk, DiskTrouble, Format, GuestTime, Mebibytes, Reboots, Wish};

fn rendered(specification: &Specification, accelerator: Accelerator) -> Vec<String> {
    specification.arguments(&Layout { directory: "/run/m".into() }, accelerator)
}

/// The values of an option.
fn values<'a>(all: &'a [String], option: &str) -> Vec<&'a str> {
    all.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1].as_str()).collect()
}

fn wish() -> Wish {
    let boot = Boot::kernel("/k/vmlinuz", "console=ttyS0").initrd("/k/initrd");
    Wish::new("node", boot).architecture(Architecture::X86_64)
}

#[test]
fn a_small_machine_is_this_and_nothing_else() {
    let all = rendered(&wish().specify().unwrap(), Accelerator::Tcg);
    let expected = "-name node -nodefaults -no-user-config -machine q35 -accel tcg -cpu max -smp 1 -m 256M \
        -rtc base=utc,clock=host -display none -S -kernel /k/vmlinuz -initrd /k/initrd -append console=ttyS0 -nic none \
        -device virtio-rng-pci -device virtio-balloon-pci,id=balloon -chardev socket,id=console,path=/run/m/console,logfile=/run/m/console.log,logappend=on \
        -serial chardev:console -chardev socket,id=monitor,path=/run/m/qmp -mon chardev=monitor,mode=control";
    assert_eq!(all.join(" "), expected);
}

#[test]
fn size_time_and_reboots_are_said_as_wished() {
    let moment = "2020-02-29T12:00:00Z".parse().unwrap();
    let wish = wish()
        .memory(Mebibytes(3072))
        .processors(NonZeroU8::new(2).unwrap())
        .time(GuestTime::From(moment))
        .reboots(Reboots::End);
    let all = rendered(&wish.specify().unwrap(), Accelerator::Kvm);
    assert_eq!(values(&all, "-m"), ["3072M"]);
    assert_eq!(values(&all, "-smp"), ["2"]);
    assert_eq!(values(&all, "-rtc"), ["base=2020-02-29T12:00:00,clock=host"]);
    assert_eq!(values(&all, "-accel"), ["kvm"]);
    assert_eq!(values(&all, "-cpu"), ["host"]);
    assert!(all.contains(&"-no-reboot".to_owned()));
}

#[test]
fn a_disk_is_a_node_and_a_device_in_the_order_of_the_wish() {
    let wish = wish()
        .disk(Disk::overlay("root", "/images/base.img", Format::Raw))
        .disk(Disk::kept("data", "/a,b/data.qcow2"))
        .disk(Disk::medium("disc", "/images/x.iso"));
    let all = rendered(&wish.specify().unwrap(), Accelerator::Tcg);
    let nodes = values(&all, "-blockdev");
    assert!(
        nodes[0].contains("node-name=root") && nodes[0].contains("filename=/run/m/root.qcow2"),
        "{nodes:?}"
    );
    assert!(!nodes[0].contains("base.img"), "the overlay knows its base: {nodes:?}");
    assert!(nodes[1].contains("filename=/a,,b/data.qcow2,"), "a comma in a path ends no value: {nodes:?}");
    assert!(nodes[2].contains("read-only=on"), "{nodes:?}");
    let devices = values(&all, "-device");
    assert_eq!(devices[0], "virtio-blk-pci,drive=root,serial=root,werror=enospc");
    assert_eq!(devices[3], "scsi-cd,bus=bus-disc.0,drive=disc");
}

#[test]
fn a_host_without_room_is_written_into_the_disks_node() {
    let wish = wish().disk(Disk::blank("data", Mebibytes(1)).with(DiskTrouble::NoRoom));
    let all = rendered(&wish.specify().unwrap(), Accelerator::Tcg);
    let nodes = values(&all, "-blockdev");
    assert!(nodes[0].contains("blkdebug") && nodes[0].ends_with("errno=28"), "{nodes:?}");
}

#[test]
fn the_guests_card_hangs_on_our_wire_and_not_on_the_hosts_network() {
    let network = UserNetwork::new().forward(50000).forward(6443);
    let all = rendered(&wish().network(network).specify().unwrap(), Accelerator::Tcg);
    let ends = values(&all, "-netdev");
    assert_eq!(ends[0], "stream,id=guest-wire,server=off,addr.type=unix,addr.path=/run/m/guest.wire");
    let forwards = ",hostfwd=tcp:127.0.0.1:0-:50000,hostfwd=tcp:127.0.0.1:0-:6443";
    assert_eq!(ends[1], format!("user,id=outside,ipv6=off{forwards}"));
    assert!(values(&all, "-device")[0].contains("netdev=guest-wire"), "{all:?}");
    assert!(values(&all, "-nic").is_empty());
}

#[test]
fn firmware_reads_its_program_and_writes_its_variables_here() {
    let boot = Boot::Uefi { code: "/fw/code.fd".into(), variables: "/fw/vars.fd".into() };
    let wish =
        Wish::new("node", boot).architecture(Architecture::Aarch64).disk(Disk::kept("root", "/r.qcow2"));
    let all = rendered(&wish.specify().unwrap(), Accelerator::Hvf);
    assert_eq!(values(&all, "-machine"), ["virt,pflash0=firmware-code,pflash1=firmware-variables"]);
    assert_eq!(values(&all, "-accel"), ["hvf"]);
    let nodes = values(&all, "-blockdev");
    assert!(nodes[0].contains("read-only=on") && nodes[0].ends_with("/fw/code.fd"), "{nodes:?}");
    assert!(
        nodes[1].contains("/run/m/firmware-variables.qcow2") && !nodes[1].contains("vars.fd"),
        "{nodes:?}"
    );
}
