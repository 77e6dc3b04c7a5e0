//! A file of the system's tables that is read again and again.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// Long enough for a line about a thread, and for a line for each of sixteen processors.
const LONGEST: usize = 4096;

/// An open file; each reading starts at its beginning and says what is true then.
#[derive(Debug)]
pub(crate) struct TableFile(File);

impl TableFile {
    /// Nothing where there is no such file.
    pub(crate) fn open(path: &str) -> Option<Self> {
        File::open(path).ok().map(Self)
    }

    /// Reads it now; nothing where what it is about is gone.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&str) -> T) -> Option<T> {
        let mut buffer = [0; LONGEST];
        let length = self.0.read_at(&mut buffer, 0).ok()?;
        // The name of a program may be cut in the middle of a letter; the fields around it are plain.
        let text = String::from_utf8_lossy(&buffer[..length]);
        (length > 0).then(|| read(&text))
    }
}
