//! What a machine starts with.

use std::path::{Path, PathBuf};

/// What a machine starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boot {
    /// A kernel that QEMU loads itself: no firmware menu, no boot loader.
    Kernel {
        /// The kernel's image.
        kernel: PathBuf,
        /// Its first root.
        initrd: Option<PathBuf>,
        /// Its command line.
        arguments: String,
    },
    /// The BIOS that comes with QEMU, and the first disk on which it finds a boot loader.
    Bios,
    /// An UEFI firmware. The machine writes its variables into an overlay of its own, so the template is never changed and a
    /// snapshot holds them.
    Uefi {
        /// The program, only read.
        code: PathBuf,
        /// The variables that a new machine begins with, in the raw format.
        variables: PathBuf,
    },
}

impl Boot {
    /// A kernel with this command line, and no first root yet.
    #[must_use]
    pub fn kernel(kernel: impl AsRef<Path>, arguments: &str) -> Self {
        Self::Kernel { kernel: kernel.as_ref().to_owned(), initrd: None, arguments: arguments.to_owned() }
    }

    /// The same with a first root; firmware has none and stays as it is.
    #[must_use]
    pub fn initrd(mut self, path: impl AsRef<Path>) -> Self {
        if let Self::Kernel { initrd, .. } = &mut self {
            *initrd = Some(path.as_ref().to_owned());
        }
        self
    }

    /// The files that must be there.
    pub(crate) fn files(&self) -> Vec<&Path> {
        match self {
            Self::Kernel { kernel, initrd, .. } => {
                std::iter::once(kernel.as_path()).chain(initrd.as_deref()).collect()
            }
            Self::Bios => Vec::new(),
            Self::Uefi { code, variables } => vec![code, variables],
        }
    }
}
