//! What the tests have in common: a kernel, a first root, a directory, and a machine that was booted once for all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use field_clock::Clock;
use regex::Regex;
use smoke_vm::{
    Accelerator, Awaited, Boot, Disk, Host, Machine, Mebibytes, Tag, UserNetwork, Wish, make_blank,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::initramfs;

/// Under the interpreter on a busy host; alone it takes 4 s.
pub(crate) const BOOT: Duration = Duration::from_secs(60);
/// Everything else that a guest does here.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// Forwarded by every machine with a network.
pub(crate) const PORT: u16 = 7000;

/// Paths of sockets are short.
const PLACE: &str = "/tmp";
const PREFIX: &str = "smoke-vm-lab.";
const VARIABLE: &str = "SMOKE_VM_LAB";
/// `no_timer_check`: on a busy host an interpreted guest's timer looks broken to its kernel, which panics then.
const ARGUMENTS: &str = "console=ttyS0 quiet no_timer_check mitigations=off panic=0 net.ifnames=0";

/// A kernel, a first root, and a place for machines; it is removed in the end.
pub(crate) struct Lab {
    kernel: PathBuf,
    firmware: Boot,
    initrd: PathBuf,
    directory: TempDir,
    host: Host,
    booted: OnceCell<PathBuf>,
}

impl Lab {
    /// The lab that `scripts/vm-lane.sh prepare` made, or why there is none.
    pub(crate) fn find() -> Result<Self, String> {
        let home = || std::env::var("HOME").map(|home| format!("{home}/.cache/appliance-smoke/vm"));
        let lab = PathBuf::from(std::env::var(VARIABLE).or_else(|_| home()).unwrap_or_default());
        if std::env::consts::ARCH != "x86_64" {
            return Err(format!(
                "the tests' kernel is for x86-64, and this machine is {}",
                std::env::consts::ARCH
            ));
        }
        for program in ["qemu-system-x86_64", "qemu-img"] {
            let paths = std::env::var_os("PATH").unwrap_or_default();
            if !std::env::split_paths(&paths).any(|path| path.join(program).is_file()) {
                return Err(format!("there is no {program} on the path"));
            }
        }
        for file in ["vmlinuz", "busybox", "modules", "firmware-code.fd", "firmware-variables.fd"] {
            if !lab.join(file).exists() {
                return Err(format!(
                    "there is no {file} in {}; `scripts/vm-lane.sh prepare` makes it",
                    lab.display()
                ));
            }
        }
        Self::of(&lab).map_err(|error| format!("no place for machines: {error}"))
    }

    fn of(lab: &Path) -> std::io::Result<Self> {
        clear_up();
        let prefix = format!("{PREFIX}{}.", std::process::id());
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir_in(PLACE)?;
        let initrd = directory.path().join("initrd");
        initramfs::write(&initrd, &lab.join("busybox"), &lab.join("modules"))?;
        let base = directory.path().join("machines");
        let host = Host { base, accelerator: Accelerator::Tcg, clock: Clock::wall() };
        let firmware =
            Boot::Uefi { code: lab.join("firmware-code.fd"), variables: lab.join("firmware-variables.fd") };
        Ok(Self { kernel: lab.join("vmlinuz"), firmware, initrd, directory, host, booted: OnceCell::new() })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// A file of a test's own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The kernel and the first root.
    pub(crate) fn boots_from(&self) -> [&Path; 2] {
        [&self.kernel, &self.initrd]
    }

    /// A machine with a kernel and nothing else.
    pub(crate) fn bare(&self, name: &str) -> Wish {
        Wish::new(name, Boot::kernel(&self.kernel, ARGUMENTS).initrd(&self.initrd)).memory(Mebibytes(128))
    }

    /// A firmware, for whatever it finds on disks.
    pub(crate) fn firmware(&self) -> Boot {
        self.firmware.clone()
    }

    /// A machine that has booted.
    pub(crate) async fn boot(&self, wish: Wish) -> Machine {
        let machine = Machine::start(wish.specify().unwrap(), &self.host).await.unwrap();
        ready(&machine).await;
        machine
    }

    /// A machine with a disk and a network that goes on where one for all had booted to; the services are this one's own.
    pub(crate) async fn resume(&self, name: &str, network: UserNetwork) -> Machine {
        let disk = self.file(&format!("{name}.qcow2"));
        fs::copy(self.saved().await, &disk).unwrap();
        let wish = self.bare(name).disk(Disk::kept("root", &disk)).network(network.forward(PORT));
        Machine::start_from(wish.specify().unwrap(), &booted(), &self.host).await.unwrap()
    }

    /// The disk with the snapshot of the machine that was booted for all.
    async fn saved(&self) -> &Path {
        let boot = || async {
            let disk = self.file("all.qcow2");
            make_blank(&disk, Mebibytes(64), &self.host.clock).await.unwrap();
            let network = UserNetwork::new().forward(PORT);
            let machine = self.boot(self.bare("all").disk(Disk::kept("root", &disk)).network(network)).await;
            let took = machine.save(&booted()).await.unwrap();
            println!("vm: a snapshot of a booted machine was saved in {} ms", took.as_millis());
            machine.kill().await;
            disk
        };
        self.booted.get_or_init(boot).await
    }
}

/// Removes what tests left that were killed; their machines ended with them.
fn clear_up() {
    if !Path::new("/proc/self").exists() {
        return; // Who lives cannot be told here.
    }
    for entry in fs::read_dir(PLACE).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('.').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Somebody may clear up at the same time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn booted() -> Tag {
    Tag::new("booted").unwrap()
}

pub(crate) fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// Waits for the guest's shell.
pub(crate) async fn ready(machine: &Machine) {
    machine.wait_for(&Awaited::line("the guest's shell", pattern("^guest: ready"), BOOT)).await.unwrap();
}

/// What a guest's command prints, and whether it ended well.
pub(crate) async fn run(machine: &Machine, command: &str) -> (Vec<String>, bool) {
    let from = machine.type_line(&format!("{{ {command}; }} 2>&1; echo \"guest: code $?\"")).await.unwrap();
    let end = Awaited::line(command, pattern(r"^guest: code \d+$"), SOON).since(from);
    let code = machine.wait_for(&end).await.unwrap();
    let lines = machine.console().lines_since(from).into_iter().take_while(|line| *line != code).collect();
    (lines, code.ends_with(" 0"))
}

/// What a guest's command prints that ends well.
pub(crate) async fn tell(machine: &Machine, command: &str) -> String {
    let (lines, well) = run(machine, command).await;
    assert!(well, "{command}: {lines:?}");
    lines.join("\n")
}

/// A line on the tests' own standard output.
pub(crate) fn say(line: &str) {
    println!("{line}");
}
