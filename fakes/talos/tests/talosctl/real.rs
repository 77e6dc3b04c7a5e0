//! A real machine: that of `scripts/talos-vm.sh`, from the folder that `SMOKE_TALOS_IMAGE` names.

use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use field_clock::Clock;

use crate::caller::Caller;
use crate::contract::contract;

/// Why there is none.
pub(crate) const NONE: &str = "SMOKE_TALOS_IMAGE names no folder that a machine boots from";
/// Interpreted on a busy host; alone it takes two minutes.
const LONGEST: Duration = Duration::from_secs(900);
/// What the script says when QEMU runs.
const RUNS: &str = "QEMU is process";

/// The folder that machines boot from.
pub(crate) fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("SMOKE_TALOS_IMAGE").filter(|it| !it.is_empty()).map(PathBuf::from);
    named.filter(|folder| folder.join("initramfs.zst").is_file())
}

/// A machine that runs until this is dropped.
struct Vm(Child);

impl Vm {
    fn start(folder: &Path, address: Ipv4Addr) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/talos-vm.sh");
        let mut command = Command::new(script);
        command.arg("--lab").arg(folder).args(["--address", &address.to_string()]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the script");
        let said = BufReader::new(child.stdout.take().expect("what it says"));
        let first = said.lines().next().and_then(Result::ok).unwrap_or_default();
        assert!(first.contains(RUNS), "{first}");
        Self(child)
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        // The script takes QEMU and its files with it, when it is asked to.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Plays the contract with a real machine.
pub(crate) fn play(program: &Path, folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let clock = Clock::wall();
    let third = u8::try_from(std::process::id() % 250).unwrap_or_default();
    let address = Ipv4Addr::new(127, 78, third, 1);
    let _vm = Vm::start(folder, address);
    let caller = Caller {
        clock: clock.clone(),
        program: program.to_owned(),
        home: tempfile::tempdir().expect("a folder"),
        address: address.into(),
    };
    runtime.block_on(async { clock.timeout(LONGEST, contract(&caller)).await.expect("it ends in time") });
}
