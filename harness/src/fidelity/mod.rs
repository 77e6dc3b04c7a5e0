//! How true the simulated cluster is: cases of real clusters are replayed on it, and what both said is compared.
//!
//! ```text
//!   DIR/CASE ──case──▶ replay (a fresh simulated cluster) ──▶ stream ──signal──▶ signals ─┐
//!       └────────────────────── stream ──signal──▶ signals ───────────────────────────────┴─▶ compare ──▶ report
//! ```
//!
//! A *signal* is one step that somebody can observe: an Event, a container's state, a condition, another part of a status, a
//! line of a log, a refusal. Texts are compared after `normal.rs` has taken out what differs between two runs of the same
//! thing. The *share* is signals in both ÷ signals in either: inventing costs as much as missing.

mod accepted;
mod case;
mod compare;
mod normal;
mod replay;
mod report;
mod signal;
mod worlds;

use std::path::{Path, PathBuf};

pub use accepted::{ACCEPTED, Accepted, Side};
pub use case::{Case, CaseError, Family};
pub use compare::{Comparison, Tally};
pub use replay::{Manner, ReplayError};
pub use report::{CaseResult, Report};
pub use signal::{Class, Signal, Signals};
pub use crate::recording::{Stream, StreamError};
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

/// Replays the cases and compares; `done` hears of each as it ends.
///
/// # Errors
/// When the recordings cannot be read or the streams cannot be written. A case that cannot be replayed is in the report,
/// with a share of nothing.
pub fn measure(options: &Options, mut done: impl FnMut(&CaseResult)) -> Result<Report, FidelityError> {
    let mut cases = Case::all(&options.recordings)?;
    if !options.only.is_empty() {
        cases.retain(|case| options.only.iter().any(|name| case.name.starts_with(name.as_str())));
    }
    if cases.is_empty() {
        let (directory, names) = (options.recordings.clone(), options.only.join(", "));
        return Err(FidelityError::Nothing { directory, names });
    }
    let mut results = Vec::new();
    for case in &cases {
        let result = one(case, options)?;
        done(&result);
        results.push(result);
    }
    Ok(Report { cases: results })
}

fn one(case: &Case, options: &Options) -> Result<CaseResult, FidelityError> {
    let recorded = Stream::read(&case.directory)?;
    let (simulated, failure) = match replay::replay(case, options.manner) {
        Ok(stream) => (stream, None),
        Err(error) => (Stream::default(), Some(crate::chain::chain(&error))),
    };
    if let Some(directory) = &options.emit {
        simulated.write(&place(directory, case))?;
    }
    Ok(CaseResult::of(case, &recorded, &simulated, failure))
}

/// The cases of Flux have a directory of their own, as in the recordings.
fn place(directory: &Path, case: &Case) -> PathBuf {
    match case.family {
        Family::Kubernetes => directory.join(&case.name),
        Family::Flux => directory.join("flux").join(&case.name),
    }
}
