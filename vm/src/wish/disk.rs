//! Disks.

use std::path::{Path, PathBuf};

use super::Mebibytes;

/// How a disk image is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// QEMU's own.
    Qcow2,
    /// The bytes as they are.
    Raw,
}

impl Format {
    /// As QEMU calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
        }
    }
}

/// Where a disk's contents come from, and where writes go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An image that is only read; writes go to an overlay in the machine's directory and end with it.
    Overlay {
        /// The image.
        base: PathBuf,
        /// How it is written down.
        format: Format,
    },
    /// Nothing; it is made in the machine's directory and ends with it.
    Blank(Mebibytes),
    /// A qcow2 image that the machine writes to and that outlives it: what snapshots are kept in.
    Kept(PathBuf),
    /// A disc that the guest can only read.
    Medium(PathBuf),
}

/// What is wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskTrouble {
    /// The host has no room left for what the guest writes: the machine stands still at its first write.
    NoRoom,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Disk {
    pub(crate) name: String,
    pub(crate) source: Source,
    pub(crate) trouble: Option<DiskTrouble>,
}

impl Disk {
    /// An overlay on an image that stays as it is.
    pub fn overlay(name: &str, base: impl AsRef<Path>, format: Format) -> Self {
        Self::of(name, Source::Overlay { base: base.as_ref().to_owned(), format })
    }

    /// An empty one of this size.
    pub fn blank(name: &str, size: Mebibytes) -> Self {
        Self::of(name, Source::Blank(size))
    }

    /// A qcow2 image that outlives the machine.
    pub fn kept(name: &str, image: impl AsRef<Path>) -> Self {
        Self::of(name, Source::Kept(image.as_ref().to_owned()))
    }

    /// A disc that can only be read.
    pub fn medium(name: &str, image: impl AsRef<Path>) -> Self {
        Self::of(name, Source::Medium(image.as_ref().to_owned()))
    }

    /// The same with something wrong with it.
    pub fn with(mut self, trouble: DiskTrouble) -> Self {
        self.trouble = Some(trouble);
        self
    }

    fn of(name: &str, source: Source) -> Self {
        Self { name: name.to_owned(), source, trouble: None }
    }

    /// The guest can write to it.
    pub(crate) fn is_written(&self) -> bool {
        !matches!(self.source, Source::Medium(_))
    }

    /// The file that must be there before the machine is.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.source {
            Source::Overlay { base: path, .. } | Source::Kept(path) | Source::Medium(path) => Some(path),
            Source::Blank(_) => None,
        }
    }
}
