//! The program `talosctl`, where this machine has it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::unistd::{AccessFlags, access};

use crate::world::WorldError;

/// The variable that names it, for the operator's command as well.
pub(in crate::world) const VARIABLE: &str = "APPLIANCE_TALOSCTL";
/// What helps whoever lacks it.
pub(in crate::world) const MISSING: &str =
    "there is no talosctl; put it on the search path, or name it in APPLIANCE_TALOSCTL";

/// Where it is.
pub(in crate::world) fn find() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).filter(|it| !it.is_empty()).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).map(|it| it.join("talosctl"));
    let can_run = |it: &PathBuf| it.is_file() && access(it, AccessFlags::X_OK).is_ok();
    match named {
        Some(named) => Some(named).filter(can_run),
        None => places.into_iter().find(can_run),
    }
}

/// What it prints, where it needs no machine for it.
pub(in crate::world) async fn said(
    program: &Path,
    home: &Path,
    arguments: &[impl AsRef<OsStr>],
) -> Result<String, WorldError> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).env("HOME", home).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} failed: {}", program.display(), said.trim()).into())
}
