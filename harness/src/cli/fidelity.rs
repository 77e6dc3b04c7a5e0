//! `smoke fidelity`

use std::path::Path;

use super::arguments::FidelityArguments;
use super::{Refusal, print};
use crate::chain::chain;
use crate::fidelity::{self, CaseResult, Family, FidelityError, Manner, Options, Report};
use crate::run::ExitStatus;
use crate::scenario::{choose, load};

pub(super) fn execute(arguments: &FidelityArguments) -> Result<ExitStatus, Refusal> {
    if let Some([one, other]) = arguments.reports.as_deref() {
        return reports(arguments, one, other);
    }
    let options = Options {
        recordings: arguments.recordings.clone().unwrap_or_default(),
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

/// Two worlds, by what they have reported; a difference that nobody has accepted fails.
fn reports(arguments: &FidelityArguments, one: &Path, other: &Path) -> Result<ExitStatus, Refusal> {
    let scenarios = choose(load(&arguments.scenarios)?, &arguments.names, &arguments.scenarios)?;
    let found =
        fidelity::agreements(&scenarios, one, other).map_err(|error| Refusal::usage(chain(&error)))?;
    if found.is_empty() {
        let text = format!("no scenario is in both {} and {}", one.display(), other.display());
        return Err(Refusal { status: ExitStatus::Invalid, text });
    }
    print(&fidelity::agreement_table(&found, ["one", "other"]));
    let same = found.iter().all(|it| it.first_only.is_empty() && it.second_only.is_empty());
    Ok(if same { ExitStatus::Passed } else { ExitStatus::Failed })
}

fn differences(case: &CaseResult) -> String {
    let lines = |mark: &str, signals: &[fidelity::Signal]| -> String {
        signals.iter().map(|signal| format!("  {mark} {:7.1}  {signal}\n", signal.at)).collect()
    };
    lines("-", &case.comparison.missing) + &lines("+", &case.comparison.extra)
}
