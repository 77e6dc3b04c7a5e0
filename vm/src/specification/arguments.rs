//! The arguments that QEMU gets.

use std::path::Path;

use super::{Layout, Specification, VARIABLES};
use crate::accelerator::Accelerator;
use crate::network::{GUEST_HARDWARE_ADDRESS, Network, UserNetwork};
use crate::wish::{Boot, Disk, DiskTrouble, GuestTime, Reboots, Source};

impl Specification {
    /// The whole of them, for a machine that stands still until it is told to go on.
    pub(crate) fn arguments(&self, layout: &Layout, accelerator: Accelerator) -> Vec<String> {
        let mut all = Arguments::default();
        self.board(&mut all, accelerator);
        self.boot(&mut all, layout);
        for disk in &self.wish.disks {
            attach(&mut all, disk, layout);
        }
        match &self.wish.network {
            Network::None => all.option("-nic", "none"),
            Network::User(network) => wire(&mut all, network, layout),
        }
        all.option("-device", "virtio-rng-pci");
        // By it memory is taken away from a guest that runs.
        all.option("-device", "virtio-balloon-pci,id=balloon");
        lines(&mut all, layout);
        all.0
    }

    fn board(&self, all: &mut Arguments, accelerator: Accelerator) {
        let wish = &self.wish;
        all.option("-name", &wish.name);
        // Neither a configuration of the host's nor devices that nobody asked for.
        all.flag("-nodefaults");
        all.flag("-no-user-config");
        let firmware = match wish.boot {
            Boot::Uefi { .. } => format!(",pflash0=firmware-code,pflash1={VARIABLES}"),
            Boot::Kernel { .. } | Boot::Bios => String::new(),
        };
        all.option("-machine", format!("{}{firmware}", wish.architecture.board()));
        all.option("-accel", accelerator.name());
        all.option("-cpu", accelerator.processor());
        all.option("-smp", wish.processors.to_string());
        all.option("-m", format!("{}M", wish.memory.0));
        let base = match wish.time {
            GuestTime::Host => "utc".to_owned(),
            GuestTime::From(moment) => moment.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        };
        all.option("-rtc", format!("base={base},clock=host"));
        if wish.reboots == Reboots::End {
            all.flag("-no-reboot");
        }
        all.option("-display", "none");
        all.flag("-S");
    }

    fn boot(&self, all: &mut Arguments, layout: &Layout) {
        match &self.wish.boot {
            Boot::Bios => {}
            Boot::Kernel { kernel, initrd, arguments } => {
                all.option("-kernel", kernel.display().to_string());
                if let Some(initrd) = initrd {
                    all.option("-initrd", initrd.display().to_string());
                }
                all.option("-append", arguments);
            }
            Boot::Uefi { code, .. } => {
                let code = value(code);
                all.option(
                    "-blockdev",
                    format!("driver=raw,node-name=firmware-code,read-only=on,file.driver=file,file.filename={code}"),
                );
                all.option("-blockdev", qcow2(VARIABLES, &layout.disk(VARIABLES)));
            }
        }
    }
}

/// A disk and the device by which the guest has it.
fn attach(all: &mut Arguments, disk: &Disk, layout: &Layout) {
    let name = &disk.name;
    match &disk.source {
        Source::Medium(image) => {
            let image = value(image);
            all.option(
                "-blockdev",
                format!("driver=raw,node-name={name},read-only=on,file.driver=file,file.filename={image}"),
            );
            all.option("-device", "virtio-scsi-pci".to_owned() + &format!(",id=bus-{name}"));
            all.option("-device", format!("scsi-cd,bus=bus-{name}.0,drive={name}"));
            return;
        }
        Source::Overlay { .. } | Source::Blank(_) => {
            all.option("-blockdev", with_trouble(disk, qcow2(name, &layout.disk(name)), &layout.disk(name)));
        }
        Source::Kept(image) => all.option("-blockdev", with_trouble(disk, qcow2(name, image), image)),
    }
    // Where the host has no room the machine stands still: the guest must not take it for a broken disk.
    all.option("-device", format!("virtio-blk-pci,drive={name},serial={name},werror=enospc"));
}

/// A qcow2 image. What a machine has written need not outlive the host, so nothing waits for the host's disk.
fn qcow2(node: &str, image: &Path) -> String {
    format!(
        "driver=qcow2,node-name={node},cache.no-flush=on,discard=unmap,file.driver=file,file.filename={},file.cache.no-flush=on",
        value(image)
    )
}

fn with_trouble(disk: &Disk, healthy: String, image: &Path) -> String {
    match disk.trouble {
        None => healthy,
        Some(DiskTrouble::NoRoom) => format!(
            "driver=qcow2,node-name={},file.driver=blkdebug,file.image.driver=file,file.image.filename={},\
             file.inject-error.0.event=write_aio,file.inject-error.0.errno={ENOSPC}",
            disk.name,
            value(image)
        ),
    }
}

/// No room left, as the kernel numbers it.
const ENOSPC: i32 = nix::errno::Errno::ENOSPC as i32;

/// The guest's card hangs on a wire to us; behind us is QEMU's own small network.
fn wire(all: &mut Arguments, network: &UserNetwork, layout: &Layout) {
    let stream =
        |id: &str, path: &Path| format!("stream,id={id},server=off,addr.type=unix,addr.path={}", value(path));
    all.option("-netdev", stream("guest-wire", &layout.guest_wire()));
    all.option(
        "-device",
        format!("virtio-net-pci,id=card,netdev=guest-wire,mac={GUEST_HARDWARE_ADDRESS},romfile="),
    );
    let forwards: String =
        network.forwards.iter().map(|port| format!(",hostfwd=tcp:127.0.0.1:0-:{port}")).collect();
    all.option("-netdev", format!("user,id=outside,ipv6=off{forwards}"));
    all.option("-netdev", "hubport,id=outside-hub,hubid=0,netdev=outside");
    all.option("-netdev", stream("outside-wire", &layout.outside_wire()));
    all.option("-netdev", "hubport,id=wire-hub,hubid=0,netdev=outside-wire");
}

/// The serial console and the monitor: both are lines to sockets of ours, so that nothing is lost before we listen.
fn lines(all: &mut Arguments, layout: &Layout) {
    let socket = |id: &str, path: &Path| format!("socket,id={id},path={}", value(path));
    let recording = value(&layout.recording());
    all.option(
        "-chardev",
        socket("console", &layout.console()) + &format!(",logfile={recording},logappend=on"),
    );
    all.option("-serial", "chardev:console");
    all.option("-chardev", socket("monitor", &layout.qmp()));
    all.option("-mon", "chardev=monitor,mode=control");
}

/// A path as the value of an option, in which commas end values.
fn value(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

#[derive(Default)]
struct Arguments(Vec<String>);

impl Arguments {
    fn flag(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn option(&mut self, name: &str, value: impl Into<String>) {
        self.0.push(name.to_owned());
        self.0.push(value.into());
    }
}

#[cfg(test)]
mod tests;
