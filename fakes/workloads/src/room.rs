//! Room on the machine's disk: directories that may hold so much and no more, as project quotas of a file system have it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use field_clock::Clock;
use jiff::Timestamp;

/// What a file takes at least, and what it takes more of.
pub const BLOCK: u64 = 4096;

/// A write for which there was no room.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// When.
    pub at: Timestamp,
    /// The directory that is full.
    pub directory: PathBuf,
    /// What was to be written.
    pub path: PathBuf,
}

/// Directories with a limit. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Quotas(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    limits: BTreeMap<PathBuf, u64>,
    refusals: Vec<Refusal>,
}

impl Quotas {
    /// From now on a directory holds so many bytes more than it does, and no more.
    pub fn leave(&self, directory: &Path, bytes: u64) {
        let directory = real(directory);
        let limit = used(&directory) + bytes;
        self.said().limits.insert(directory, limit);
    }

    /// Takes a directory's limit away; says whether it had one.
    pub fn lift(&self, directory: &Path) -> bool {
        self.said().limits.remove(&real(directory)).is_some()
    }

    /// Every write for which there was no room, oldest first.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.said().refusals.clone()
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The room that a program asks for before it writes.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) quotas: Quotas,
    pub(crate) clock: Clock,
}

impl Room {
    /// Whether so many bytes more can be written to a file, as the system says it.
    pub(crate) fn take(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let mut said = self.quotas.said();
        if said.limits.is_empty() {
            return Ok(());
        }
        let file = real(path);
        let full = said.limits.iter().find(|(directory, limit)| {
            file.starts_with(directory) && used(directory) + blocks(bytes) > **limit
        });
        let Some((directory, _)) = full else { return Ok(()) };
        let refusal = Refusal { at: self.clock.now(), directory: directory.clone(), path: file };
        said.refusals.push(refusal);
        Err(io::ErrorKind::StorageFull.into())
    }
}

/// What a full disk is called by the C library, and so by every program.
pub(crate) const NO_SPACE: &str = "No space left on device";

fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK) * BLOCK
}

/// What a directory takes of the disk, with all below it.
fn used(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => used(&entry.path()),
        // What SQLite keeps beside its files while they are open comes and goes; a server has that in memory.
        Ok(_) if is_beside(&entry.path()) => 0,
        Ok(meta) => blocks(meta.len()),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

fn is_beside(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "sqlite-wal" || end == "sqlite-shm")
}

/// The place behind all links; of what is not there yet, as far as there is anything.
fn real(path: &Path) -> PathBuf {
    for known in path.ancestors() {
        if let Ok(found) = known.canonicalize() {
            return path.strip_prefix(known).map_or_else(|_| found.clone(), |rest| found.join(rest));
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Quotas, Room};

    #[test]
    fn a_full_directory_takes_nothing_more_until_its_limit_is_lifted() {
        let disk = tempfile::tempdir().unwrap();
        let volume = disk.path().join("volume");
        std::fs::create_dir(&volume).unwrap();
        std::fs::write(volume.join("old"), "x").unwrap();
        let quotas = Quotas::default();
        let runtime = field_clock::FieldRuntime::start(field_clock::Options::default()).unwrap();
        let room = Room { quotas: quotas.clone(), clock: runtime.clock().clone() };
        quotas.leave(&volume, BLOCK);
        assert!(room.take(&volume.join("new"), 100).is_ok());
        let refused = room.take(&volume.join("data/new"), BLOCK + 1).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::StorageFull);
        assert!(room.take(&disk.path().join("beside"), BLOCK * 9).is_ok());
        assert_eq!(quotas.refusals().len(), 1);
        assert!(quotas.lift(&volume));
        assert!(room.take(&volume.join("data/new"), BLOCK * 9).is_ok());
    }
}
