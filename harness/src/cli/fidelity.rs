//! `smoke fidelity`

use super::arguments::FidelityArguments;
use super::{Refusal, print};
use crate::fidelity::{self, CaseResult, Family, FidelityError, Manner, Options, Report};
use crate::run::ExitStatus;

pub(super) fn execute(arguments: &FidelityArguments) -> Result<ExitStatus, Refusal> {
    let options = Options {
        recordings: arguments.recordings.clone(),
        only: arguments.names.clone(),
        emit: arguments.emit.clone(),
        manner: Manner { speed: arguments.speed, seed: arguments.seed },
    };
    let report = fidelity::measure(&options, |case| {
        if !arguments.json {
            print(&format!("{}\n", Report::line(case)));
            if arguments.differences {
                print(&differences(case));
            }
        }
    })
    .map_err(|error| match &error {
        FidelityError::Case(_) | FidelityError::Nothing { .. } => Refusal::usage(crate::chain::chain(&error)),
        FidelityError::Stream(_) => Refusal::broken_by(&error),
    })?;
    if arguments.json {
        print(&format!("{:#}\n", report.json()));
    } else {
        print(&report.table());
    }
    let low = |family| report.share(family).is_some_and(|(_, share)| share < arguments.at_least);
    let failed = report.cases.iter().any(|case| case.failure.is_some());
    let low = failed || low(Family::Kubernetes) || low(Family::Flux);
    Ok(if low { ExitStatus::Failed } else { ExitStatus::Passed })
}

fn differences(case: &CaseResult) -> String {
    let lines = |mark: &str, signals: &[fidelity::Signal]| -> String {
        signals.iter().map(|signal| format!("  {mark} {:7.1}  {signal}\n", signal.at)).collect()
    };
    lines("-", &case.comparison.missing) + &lines("+", &case.comparison.extra)
}
