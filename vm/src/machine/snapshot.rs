//! Snapshots: a machine's memory, devices and disks at one moment, kept in the disks themselves.
//!
//! What a guest had open to the outside is gone after a restore: who was connected dials again. The guest's own clock stands
//! where it was saved; its battery-backed one tells the host's time (for [`GuestTime::Host`](crate::GuestTime)), and
//! the guest must be made to read it again (`hwclock --hctosys`), or be told by a time server.

use std::time::Duration;

use serde_json::json;

use super::{Machine, since};
use crate::qmp::QmpError;

/// A gigabyte of memory is written within seconds; a disk that takes longer stands still.
const LIMIT: Duration = Duration::from_secs(120);

/// A snapshot's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

/// Not a name for a snapshot.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("name a snapshot {0:?}: only letters, digits and `-` are possible, and not digits alone")]
pub struct NoTag(String);

impl Tag {
    /// A name.
    ///
    /// # Errors
    /// It holds something else than letters, digits and `-`, or could be taken for a number.
    pub fn new(name: &str) -> Result<Self, NoTag> {
        let good = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        // QEMU takes a number for the number of a snapshot.
        if good && name.bytes().any(|byte| !byte.is_ascii_digit()) {
            Ok(Self(name.to_owned()))
        } else {
            Err(NoTag(name.to_owned()))
        }
    }
}

/// A snapshot cannot be taken, restored or forgotten.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is nothing to keep it in.
    #[error(
        "{operation} snapshot `{tag}` of machine `{machine}`: it has no disk that is written; give it one"
    )]
    NoDisk {
        /// What was to be done.
        operation: &'static str,
        /// Which.
        tag: String,
        /// Whose.
        machine: String,
    },
    /// QEMU cannot.
    #[error("{operation} snapshot `{tag}` of machine `{machine}`")]
    Monitor {
        /// What was to be done.
        operation: &'static str,
        /// Which.
        tag: String,
        /// Whose.
        machine: String,
        /// Why not.
        #[source]
        source: QmpError,
    },
}

/// What a job does, and whether it also holds memory.
enum Operation {
    Save,
    Restore,
    Forget,
}

impl Operation {
    fn verb(&self) -> &'static str {
        match self {
            Self::Save => "save",
            Self::Restore => "restore",
            Self::Forget => "forget",
        }
    }

    fn command(&self) -> &'static str {
        match self {
            Self::Save => "snapshot-save",
            Self::Restore => "snapshot-load",
            Self::Forget => "snapshot-delete",
        }
    }
}

impl Machine {
    /// Saves the machine as it is now; it stands still meanwhile. Returns how long that took.
    ///
    /// # Errors
    /// It has no disk to keep it in, or the job fails; the machine goes on.
    pub async fn save(&self, tag: &Tag) -> Result<Duration, SnapshotError> {
        self.carry_out(&Operation::Save, tag).await
    }

    /// Makes the machine what it was when it was saved. Returns how long that took. The console goes on: what was said before is
    /// still in it, so wait for what comes [since](crate::Awaited::since) its position now.
    ///
    /// # Errors
    /// There is no such snapshot, or the job fails. The machine stands still then: one to which nothing was done can be made to
    /// [go on](Machine::go_on), one of which only a part was restored is of no use any more.
    pub async fn restore(&self, tag: &Tag) -> Result<Duration, SnapshotError> {
        self.carry_out(&Operation::Restore, tag).await
    }

    /// Removes a snapshot; one that is not there is none the worse for it.
    ///
    /// # Errors
    /// The job fails.
    pub async fn forget(&self, tag: &Tag) -> Result<Duration, SnapshotError> {
        self.carry_out(&Operation::Forget, tag).await
    }

    async fn carry_out(&self, operation: &Operation, tag: &Tag) -> Result<Duration, SnapshotError> {
        let (machine, named) = (self.specification.name().to_owned(), tag.0.clone());
        let nodes = self.specification.snapshot_nodes();
        let Some(first) = nodes.first() else {
            return Err(SnapshotError::NoDisk { operation: operation.verb(), tag: named, machine });
        };
        let arguments = match operation {
            Operation::Save | Operation::Restore => {
                json!({ "tag": tag.0, "vmstate": first, "devices": nodes })
            }
            Operation::Forget => json!({ "tag": tag.0, "devices": nodes }),
        };
        let began = self.clock.now();
        let done = self.qmp.job(operation.command(), arguments, LIMIT).await;
        done.map_err(|source| SnapshotError::Monitor {
            operation: operation.verb(),
            tag: named,
            machine,
            source,
        })?;
        Ok(since(&self.clock, began))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_never_taken_for_a_number_or_for_an_option() {
        assert!(Tag::new("maintenance-1").is_ok());
        for bad in ["", "12", "a b", "a,b", "ä"] {
            assert_eq!(Tag::new(bad).unwrap_err(), NoTag(bad.to_owned()));
        }
    }
}
