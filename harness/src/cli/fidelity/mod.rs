//! `smoke fidelity`

mod recordings;
mod reports;
mod worlds;

use super::arguments::{ConditionArguments, FidelityArguments, KeepWord, RunArguments};
use super::{Refusal, print};
use crate::fidelity::{self, CaseResult, Family, FidelityError, Options, Report};
use crate::run::ExitStatus;
use crate::world::Binaries;

/// The simulated world.
const SIM: &str = "sim";

pub(super) fn execute(arguments: &FidelityArguments, binaries: &Binaries) -> Result<ExitStatus, Refusal> {
    match (arguments.reports.as_deref(), &arguments.world, &arguments.recordings) {
        (Some([one, other]), ..) => reports::execute(arguments, one, other),
        (_, Some(world), _) => worlds::execute(arguments, world, binaries),
        (_, None, Some(recordings)) => recordings::execute(arguments, recordings, binaries),
        (_, None, None) => Err(Refusal::usage("nothing to compare: give --recordings, --world or --reports")),
    }
}

/// Compares, and says of each case what came of it.
fn measure(arguments: &FidelityArguments, options: &Options) -> Result<Report, Refusal> {
    let told = fidelity::measure(options, |case| {
        if !arguments.json {
            print(&format!("{}\n", Report::line(case)));
            if arguments.differences {
                print(&differences(case));
            }
        }
    });
    told.map_err(|error| refusal(&error))
}

fn refusal(error: &FidelityError) -> Refusal {
    match error {
        FidelityError::Case(_) | FidelityError::Nothing { .. } => Refusal::usage(crate::chain::chain(error)),
        FidelityError::Stream(_) => Refusal::broken_by(error),
    }
}

/// Whether a case could not be replayed, or a share is below the line.
fn is_low(arguments: &FidelityArguments, report: &Report) -> bool {
    let low = |family: Family| report.share(family).is_some_and(|(_, share)| share < arguments.at_least);
    report.cases.iter().any(|case| case.failure.is_some()) || Family::ALL.into_iter().any(low)
}

/// What `smoke run` would take for one run of each in a world.
fn run_in(world: &str, conditions: ConditionArguments) -> RunArguments {
    let (keep, world) = (KeepWord::Never, world.to_owned());
    RunArguments { names: Vec::new(), world, keep, repeat: 1, diagnosis: false, conditions }
}

fn differences(case: &CaseResult) -> String {
    let lines = |mark: &str, signals: &[fidelity::Signal]| -> String {
        signals.iter().map(|signal| format!("  {mark} {:7.1}  {signal}\n", signal.at)).collect()
    };
    lines("-", &case.comparison.missing) + &lines("+", &case.comparison.extra)
}
