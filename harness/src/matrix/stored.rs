//! The matrix of a report directory, from nothing but its timelines.

use std::io;
use std::path::{Path, PathBuf};

use super::{Matrix, Run, Unreadable};
use crate::timeline::{Timeline, TimelineError};

/// No matrix can be made of a directory.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// It cannot be read.
    #[error("read {}", path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is nothing to count.
    #[error("no timelines in {}: a report directory holds <scenario>/timeline.jsonl", path.display())]
    Empty {
        /// Where.
        path: PathBuf,
    },
    /// A file is no timeline.
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    /// A timeline does not tell enough.
    #[error("use timeline {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Unreadable,
    },
}

/// The matrix of all timelines below a directory.
///
/// # Errors
/// When there are none, or one of them cannot be counted.
pub fn stored(directory: &Path) -> Result<Matrix, MatrixError> {
    let mut files = Vec::new();
    gather(directory, &mut files)?;
    if files.is_empty() {
        return Err(MatrixError::Empty { path: directory.to_owned() });
    }
    files.sort();
    let mut matrix = Matrix::default();
    for path in files {
        let run = Run::of(&Timeline::read(&path)?);
        matrix.add(&run.map_err(|source| MatrixError::Unreadable { path, source })?);
    }
    Ok(matrix)
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), MatrixError> {
    let failed = |source| MatrixError::Read { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        // A link could lead round in a circle.
        if entry.file_type().map_err(failed)?.is_dir() {
            gather(&path, files)?;
        } else if entry.file_name() == "timeline.jsonl" {
            files.push(path);
        }
    }
    Ok(())
}
