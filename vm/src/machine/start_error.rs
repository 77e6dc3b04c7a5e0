//! Why a machine does not run.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::SnapshotError;
use crate::directory::DirectoryError;
use crate::images::ImageError;
use crate::process::End;
use crate::qmp::QmpError;

/// The longest path that every system takes for a socket, in bytes.
pub(super) const LONGEST_SOCKET: usize = 103;
/// QEMU calls within milliseconds.
pub(super) const CALL: Duration = Duration::from_secs(30);

/// A machine does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something that it needs is not there.
    #[error("start machine `{machine}`: no file {}", path.display())]
    Missing {
        /// Which machine.
        machine: String,
        /// Which file.
        path: PathBuf,
    },
    /// Its sockets have no place.
    #[error("start machine `{machine}`: {} is too long for a socket ({LONGEST_SOCKET} bytes at most); choose a shorter base", path.display())]
    LongPath {
        /// Which machine.
        machine: String,
        /// The path.
        path: PathBuf,
    },
    /// There is no such program.
    #[error("start machine `{machine}`: there is no `{program}` on the path; install {package}")]
    NoProgram {
        /// Which machine.
        machine: String,
        /// Which program.
        program: &'static str,
        /// Where it is found on Debian.
        package: &'static str,
    },
    /// QEMU ended at once.
    #[error("start machine `{machine}`: its QEMU {end}: {said}")]
    Ended {
        /// Which machine.
        machine: String,
        /// How.
        end: End,
        /// Its words.
        said: String,
    },
    /// QEMU did not call.
    #[error("start machine `{machine}`: its QEMU did not call within {} s; it said: {said}", CALL.as_secs())]
    Silent {
        /// Which machine.
        machine: String,
        /// Its words.
        said: String,
    },
    /// It has no directory.
    #[error("start machine `{machine}`")]
    Directory {
        /// Which machine.
        machine: String,
        /// Why not.
        #[source]
        source: DirectoryError,
    },
    /// A disk of its cannot be made.
    #[error("start machine `{machine}`")]
    Image {
        /// Which machine.
        machine: String,
        /// Why not.
        #[source]
        source: ImageError,
    },
    /// A socket or a process cannot be had.
    #[error("start machine `{machine}`")]
    Io {
        /// Which machine.
        machine: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Its monitor does not do as it is told.
    #[error("start machine `{machine}`")]
    Monitor {
        /// Which machine.
        machine: String,
        /// What it does.
        #[source]
        source: QmpError,
    },
    /// The snapshot from which it was to go on cannot be restored.
    #[error("start machine `{machine}` from a snapshot")]
    Snapshot {
        /// Which machine.
        machine: String,
        /// Why not.
        #[source]
        source: SnapshotError,
    },
}
