//! A folder of scenario files.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::model::Scenario;
use super::nearest::meant;
use super::problem::BadScenario;
use super::read::read;

/// A folder cannot be used, or something that was asked for is not in it.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It could not be read.
    #[error("read scenarios in {}", folder.display())]
    Read {
        /// The folder or file.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Some files in it are no scenarios.
    #[error("{0}")]
    Bad(BadFiles),
    /// No scenario has this name.
    #[error("no scenario is named `{name}` in {}{}", folder.display(), meant(.name, .known))]
    Unknown {
        /// The name.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// Those that are there.
        known: Vec<String>,
    },
}

/// Files that are no scenarios.
#[derive(Debug)]
pub struct BadFiles(pub Vec<BadScenario>);

impl fmt::Display for BadFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, bad) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{bad}")?;
        }
        Ok(())
    }
}

/// All scenarios of a folder, by name.
///
/// # Errors
/// When the folder cannot be read, or any file in it is no scenario.
pub fn load(folder: &Path) -> Result<Vec<Scenario>, FolderError> {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for path in files(folder)? {
        let source = std::fs::read_to_string(&path)
            .map_err(|source| FolderError::Read { folder: path.clone(), source })?;
        match read(&path, &source) {
            Ok(scenario) => good.push(scenario),
            Err(error) => bad.push(error),
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(FolderError::Bad(BadFiles(bad))) }
}

/// Those of `scenarios` that are named, or all of them where nobody is named.
///
/// # Errors
/// When a name is nobody's.
pub fn choose(
    scenarios: Vec<Scenario>,
    names: &[String],
    folder: &Path,
) -> Result<Vec<Scenario>, FolderError> {
    for name in names {
        if !scenarios.iter().any(|scenario| scenario.name == *name) {
            let known = scenarios.iter().map(|scenario| scenario.name.clone()).collect();
            return Err(FolderError::Unknown { name: name.clone(), folder: folder.to_owned(), known });
        }
    }
    let chosen = |scenario: &Scenario| names.is_empty() || names.contains(&scenario.name);
    Ok(scenarios.into_iter().filter(chosen).collect())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let failed = |source| FolderError::Read { folder: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
