//! The operator's command: bootstrap, status, validate-release.

use std::process::ExitCode;

/// The whole process.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::from(2)
}
