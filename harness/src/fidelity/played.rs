//! Recordings of scenarios, against recordings of the same scenarios in the simulated world.

use std::path::{Path, PathBuf};

use super::case::{Case, CaseError, Run};
use crate::recording::{Stream, StreamError};

/// A recording of a scenario cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum PlayedError {
    /// Nothing was played.
    #[error("play scenario {scenario}: no recording of it in the simulated world")]
    Nothing {
        /// Which.
        scenario: String,
    },
    /// What was played cannot be read.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// What was said cannot be read.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// They are not of the same file.
    #[error(
        "play scenario {scenario}: another file of this name was played; hint: give each recording of it a directory of its own, and measure one after the other"
    )]
    Another {
        /// Which.
        scenario: String,
    },
    /// The run ended early.
    #[error("play scenario {scenario}: the run in {place} ended early: {reason}")]
    Broken {
        /// Which.
        scenario: String,
        /// Whose recording says so.
        place: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What both worlds said in the run of a scenario: the recording's, and that of the simulated world, recorded in `played`.
pub(super) fn both(case: &Case, run: &Run, played: &Path) -> Result<[Stream; 2], PlayedError> {
    let scenario = || run.scenario.clone();
    let place = played.join(&run.scenario);
    let description = place.join("case.json");
    if !description.is_file() {
        return Err(PlayedError::Nothing { scenario: scenario() });
    }
    let simulated = Case::read(&description)?;
    let same = simulated.run.as_ref().filter(|it| it.hash == run.hash);
    let same = same.ok_or_else(|| PlayedError::Another { scenario: scenario() })?;
    for (run, place) in [(run, &case.directory), (same, &place)] {
        if let Some(reason) = run.broken.clone() {
            return Err(PlayedError::Broken { scenario: scenario(), place: place.clone(), reason });
        }
    }
    Ok([Stream::read(&case.directory)?.since(run.from), Stream::read(&place)?.since(same.from)])
}
