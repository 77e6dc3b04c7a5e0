//! The first root of a test's guest: a busybox, the modules of its kernel, and an init that does as the console tells it.

use std::fs;
use std::io;
use std::path::Path;

/// An archive in the format that kernels unpack ("newc").
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    files: u32,
}

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;

impl Archive {
    fn add(&mut self, name: &str, mode: u32, contents: &[u8]) {
        self.files += 1;
        let length = |length: usize| u32::try_from(length).expect("a small file");
        let fields =
            [self.files, mode, 0, 0, 1, 0, length(contents.len()), 0, 0, 0, 0, length(name.len() + 1), 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(contents);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.add("TRAILER!!!", 0, b"");
        self.bytes
    }
}

/// Who listens to the power button must have begun to before the guest says that it is ready: a press that nobody hears is lost.
/// `stty -echo`: what is typed does not come back, so that every line of the console is the guest's.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod "$module"; done
hwclock --hctosys --utc
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
    ip link set eth0 up
    udhcpc -i eth0 -q -n -t 20 -T 1 -s /etc/lease >/dev/null 2>&1 || echo "guest: no address"
fi
acpid -l /dev/null
until ls -l /proc/$(pidof acpid)/fd 2>/dev/null | grep -q /dev/input/; do usleep 20000; done
stty -echo
echo "guest: ready"
while read -r line; do eval "$line"; done
"#;

const LEASE: &str = r#"#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
for server in $dns; do echo "nameserver $server"; done >/etc/resolv.conf
"#;

const BUTTON: &str = "#!/bin/sh\nexec poweroff -f\n";

/// Writes the archive.
pub(crate) fn write(path: &Path, busybox: &Path, modules: &Path) -> io::Result<()> {
    let mut archive = Archive::default();
    let folders = ["bin", "proc", "sys", "dev", "etc", "etc/acpi", "etc/acpi/PWRF", "modules", "tmp"];
    for folder in folders {
        archive.add(folder, DIRECTORY, b"");
    }
    archive.add("init", PROGRAM, INIT.as_bytes());
    archive.add("etc/lease", PROGRAM, LEASE.as_bytes());
    archive.add("etc/acpi/PWRF/00000080", PROGRAM, BUTTON.as_bytes());
    archive.add("bin/busybox", PROGRAM, &fs::read(busybox)?);
    for module in fs::read_dir(modules)? {
        let module = module?;
        let name = module.file_name();
        archive.add(&format!("modules/{}", name.to_string_lossy()), PROGRAM, &fs::read(module.path())?);
    }
    fs::write(path, archive.finish())
}
