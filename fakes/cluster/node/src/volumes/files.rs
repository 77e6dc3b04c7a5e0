//! Files that a volume is filled with.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// File contents by relative path.
#[derive(Debug, Default)]
pub(super) struct Files {
    entries: BTreeMap<String, Vec<u8>>,
}

impl Files {
    pub(super) fn add(&mut self, path: &str, contents: Vec<u8>) {
        self.entries.insert(path.to_owned(), contents);
    }

    /// Makes a directory hold these files and no others; what is right already is left alone.
    pub(super) fn write_to(&self, dir: &Path) -> io::Result<()> {
        for (path, contents) in &self.entries {
            let file = dir.join(path);
            if std::fs::read(&file).is_ok_and(|found| found == *contents) {
                continue;
            }
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let fresh = file.with_extension("new");
            std::fs::write(&fresh, contents)?;
            std::fs::rename(&fresh, &file)?;
        }
        for entry in std::fs::read_dir(dir)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let wanted =
                self.entries.keys().any(|path| *path == name || path.starts_with(&format!("{name}/")));
            if !wanted && entry.path().is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}
