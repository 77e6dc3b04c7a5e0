//! What makes a guest's processor: the host's own, if it really does, or an interpreter.
//!
//! A device file that opens proves nothing: there are hosts on which `/dev/kvm` opens, guests start and then stand still at the
//! change to protected mode, and others on which QEMU aborts at once. So a small guest is booted with the very processor that
//! machines get, through real, protected and long mode; what does not bring it to its end in time is not used, and why is told.

mod guest;
mod probe;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use field_clock::Clock;

pub use probe::ProbeError;

use crate::architecture::Architecture;

/// The probe's guest takes a tenth of a second under the interpreter, firmware and all.
pub const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// What makes a guest's processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// Linux' own, on the host's processor.
    Kvm,
    /// The one of macOS, on the host's processor. Never tried by this project.
    Hvf,
    /// QEMU's interpreter: everywhere, and some ten times slower.
    Tcg,
}

impl Accelerator {
    /// As QEMU calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Hvf => "hvf",
            Self::Tcg => "tcg",
        }
    }

    /// The processor that machines get with it.
    pub(crate) fn processor(self) -> &'static str {
        match self {
            Self::Kvm | Self::Hvf => "host",
            Self::Tcg => "max",
        }
    }
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An accelerator under which the probe's guest has run to its end.
#[derive(Debug)]
pub struct Chosen {
    /// Which.
    pub accelerator: Accelerator,
    /// How long the probe's guest took with it.
    pub took: Duration,
    /// The faster one that was tried, or would have been, and why it is not used.
    pub refused: Option<(Accelerator, ProbeError)>,
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (a probe took {} ms)", self.accelerator, self.took.as_millis())?;
        if let Some((other, reason)) = &self.refused {
            write!(f, "; not {other}: {reason}")?;
        }
        Ok(())
    }
}

/// Boots the probe's guest with the accelerator that the host could have, and takes the interpreter where that does not bring it to
/// its end. `base` is where the probe has its files while it runs.
///
/// # Errors
/// Even the interpreter did not: no QEMU for this architecture, for one.
pub async fn choose(architecture: Architecture, base: &Path, clock: &Clock) -> Result<Chosen, ProbeError> {
    let mut refused = None;
    if let Some(accelerator) = candidate(architecture) {
        match probe::run(architecture, accelerator, base, clock).await {
            Ok(took) => return Ok(Chosen { accelerator, took, refused }),
            Err(error) => refused = Some((accelerator, error)),
        }
    }
    probe::run(architecture, Accelerator::Tcg, base, clock).await.map(|took| Chosen {
        accelerator: Accelerator::Tcg,
        took,
        refused,
    })
}

/// Boots the probe's guest with this accelerator; returns how long it took.
///
/// # Errors
/// It did not come to its end within [`PROBE_LIMIT`], or QEMU ended otherwise.
pub async fn probe(
    architecture: Architecture,
    accelerator: Accelerator,
    base: &Path,
    clock: &Clock,
) -> Result<Duration, ProbeError> {
    probe::run(architecture, accelerator, base, clock).await
}

/// What is faster than the interpreter and could be there. A foreign architecture is always interpreted.
fn candidate(architecture: Architecture) -> Option<Accelerator> {
    if architecture != Architecture::of_the_host() {
        return None;
    }
    match std::env::consts::OS {
        "linux" => Some(Accelerator::Kvm),
        "macos" => Some(Accelerator::Hvf),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_tells_what_was_not_chosen_and_why() {
        let refused = Some((Accelerator::Kvm, ProbeError::Hung { limit: PROBE_LIMIT }));
        let chosen = Chosen { accelerator: Accelerator::Tcg, took: Duration::from_millis(120), refused };
        let said = "tcg (a probe took 120 ms); not kvm: the probe's guest stood still for 5 s";
        assert_eq!(chosen.to_string(), said);
    }
}
