//! How true the simulated cluster is: cases of real clusters are replayed on it, and what both said is compared.
//!
//! ```text
//!   DIR/CASE ──case──▶ replay (a fresh simulated cluster) ──▶ stream ──signal──▶ signals ─┐
//!       └────────────────────── stream ──signal──▶ signals ───────────────────────────────┴─▶ compare ──▶ report
//! ```
//!
//! A case that is the run of a scenario is replayed by running that scenario in the simulated world with a recorder
//! (`recording`, `run`): `played` takes what came of that. `worlds` compares what people see in two worlds.
//!
//! A *signal* is one step that somebody can observe: an Event, a container's state, a condition, another part of a status, a
//! line of a log, a refusal. Texts are compared after `normal.rs` has taken out what differs between two runs of the same
//! thing. The *share* is signals in both ÷ signals in either: inventing costs as much as missing.

mod accepted;
mod case;
mod compare;
mod normal;
mod played;
mod replay;
mod report;
mod signal;
mod worlds;

use std::path::{Path, PathBuf};

pub use crate::recording::{Stream, StreamError};
pub use accepted::{ACCEPTED, Accepted, Side};
pub use case::{Case, CaseError, Family, Run};
pub use compare::{Comparison, Tally};
pub use played::PlayedError;
pub use replay::{Manner, ReplayError};
pub use report::{CaseResult, Report};
pub use signal::{Class, Signal, Signals};
pub use worlds::{Agreement, agreements, table as agreement_table};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory of cases.
    pub recordings: PathBuf,
    /// Names of cases, or their beginnings; all when none is given.
    pub only: Vec<String>,
    /// Where the simulated streams are written, when they are wanted.
    pub emit: Option<PathBuf>,
    /// How the cases are replayed.
    pub manner: Manner,
    /// Where the simulated world's recordings are, for cases that are runs of scenarios.
    pub played: Option<PathBuf>,
}

/// Fidelity could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum FidelityError {
    /// The cases cannot be read.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// A stream cannot be read or written.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// No case has such a name.
    #[error("no case of {directory} is called {names}")]
    Nothing {
        /// The directory.
        directory: PathBuf,
        /// What was asked for.
        names: String,
    },
}

/// The cases that are asked for.
///
/// # Errors
/// When they cannot be read, or no case has such a name.
pub fn cases(options: &Options) -> Result<Vec<Case>, FidelityError> {
    let mut cases = Case::all(&options.recordings)?;
    if !options.only.is_empty() {
        cases.retain(|case| options.only.iter().any(|name| case.name.starts_with(name.as_str())));
    }
    if cases.is_empty() {
        let (directory, names) = (options.recordings.clone(), options.only.join(", "));
        return Err(FidelityError::Nothing { directory, names });
    }
    Ok(cases)
}

/// Replays the cases and compares; `done` hears of each as it ends.
///
/// # Errors
/// When the recordings cannot be read or the streams cannot be written. A case that cannot be replayed is in the report,
/// with a share of nothing.
pub fn measure(options: &Options, mut done: impl FnMut(&CaseResult)) -> Result<Report, FidelityError> {
    let mut results = Vec::new();
    for case in &cases(options)? {
        let result = one(case, options)?;
        done(&result);
        results.push(result);
    }
    Ok(Report { cases: results })
}

fn one(case: &Case, options: &Options) -> Result<CaseResult, FidelityError> {
    let (both, failure) = match streams(case, options) {
        Ok(both) => (both, None),
        Err(why) => ([Stream::read(&case.directory)?, Stream::default()], Some(why)),
    };
    let [recorded, simulated] = both;
    if let Some(directory) = &options.emit {
        simulated.write(&place(directory, case))?;
    }
    Ok(CaseResult::of(case, &recorded, &simulated, failure))
}

/// What was recorded and what the simulation says, or why it says nothing.
fn streams(case: &Case, options: &Options) -> Result<[Stream; 2], String> {
    let why = |error: &dyn std::error::Error| crate::chain::chain(error);
    match &case.run {
        Some(run) => {
            let nowhere = PathBuf::new();
            let played = options.played.as_ref().unwrap_or(&nowhere);
            played::both(case, run, played).map_err(|error| why(&error))
        }
        None => {
            let recorded = Stream::read(&case.directory).map_err(|error| why(&error))?;
            let simulated = replay::replay(case, options.manner).map_err(|error| why(&error))?;
            Ok([recorded, simulated])
        }
    }
}

/// The cases of Flux have a directory of their own, as in the recordings.
fn place(directory: &Path, case: &Case) -> PathBuf {
    match case.family {
        Family::Kubernetes | Family::Scenario => directory.join(&case.name),
        Family::Flux => directory.join("flux").join(&case.name),
    }
}
