//! One try of one accelerator.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use field_clock::Clock;

use super::guest::Guest;
use super::{Accelerator, PROBE_LIMIT};
use crate::architecture::Architecture;
use crate::directory::{DirectoryError, MachineDirectory};
use crate::process::{End, Guarded, NOT_FOUND, last_words};

/// An accelerator that is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Its device is not there.
    #[error("there is no /dev/kvm")]
    NoDevice,
    /// The guest began, or not even that, and went no further.
    #[error("the probe's guest stood still for {} s", limit.as_secs())]
    Hung {
        /// The time it had.
        limit: Duration,
    },
    /// QEMU ended before its guest did.
    #[error("QEMU {end} before the probe's guest did: {said}")]
    Ended {
        /// How.
        end: End,
        /// Its last words.
        said: String,
    },
    /// There is no such program.
    #[error("there is no `{program}` on the path; install {package}")]
    NoProgram {
        /// Which.
        program: &'static str,
        /// Where it is found on Debian.
        package: &'static str,
    },
    /// There is no place for the probe's files.
    #[error("make a directory for the probe")]
    Directory(#[from] DirectoryError),
    /// QEMU cannot be run.
    #[error("run QEMU for the probe")]
    Io(#[from] io::Error),
}

pub(super) async fn run(
    architecture: Architecture,
    accelerator: Accelerator,
    base: &Path,
    clock: &Clock,
) -> Result<Duration, ProbeError> {
    if accelerator == Accelerator::Kvm && !Path::new("/dev/kvm").exists() {
        return Err(ProbeError::NoDevice);
    }
    let directory = MachineDirectory::create(base)?;
    let guest = Guest::of(architecture);
    let firmware = directory.path().join("probe.bin");
    fs::write(&firmware, &guest.firmware)?;
    let words = directory.path().join("qemu.log");
    let began = clock.now();
    let arguments = arguments(architecture, accelerator, &guest, &firmware);
    let mut process = Guarded::start(architecture.program(), &arguments, directory.path(), &words)?;
    let ended = clock.timeout(PROBE_LIMIT, process.wait()).await;
    let end = ended.map_err(|_| ProbeError::Hung { limit: PROBE_LIMIT })??;
    if end == NOT_FOUND {
        let (program, package) = (architecture.program(), architecture.package());
        return Err(ProbeError::NoProgram { program, package });
    }
    if end != End::Code(guest.code) {
        return Err(ProbeError::Ended { end, said: last_words(&words) });
    }
    Ok(Duration::try_from(clock.now().duration_since(began)).unwrap_or_default())
}

fn arguments(
    architecture: Architecture,
    accelerator: Accelerator,
    guest: &Guest,
    firmware: &Path,
) -> Vec<String> {
    let firmware = firmware.display().to_string();
    let fixed = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "16"];
    let chosen = [
        "-machine",
        architecture.board(),
        "-accel",
        accelerator.name(),
        "-cpu",
        accelerator.processor(),
        "-bios",
        &firmware,
    ];
    fixed.iter().chain(&chosen).chain(guest.arguments).map(|word| (*word).to_owned()).collect()
}
