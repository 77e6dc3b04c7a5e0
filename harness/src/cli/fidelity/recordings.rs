//! `smoke fidelity --recordings DIR`

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::super::arguments::FidelityArguments;
use super::super::run::{Stage, listening, perform};
use super::super::{Refusal, print};
use super::{SIM, is_low, measure, refusal, run_in};
use crate::fidelity::{self, Case, Manner, Options};
use crate::run::ExitStatus;
use crate::scenario::{Scenario, load};
use crate::world::Binaries;

pub(super) fn execute(
    arguments: &FidelityArguments,
    recordings: &Path,
    binaries: &Binaries,
) -> Result<ExitStatus, Refusal> {
    let conditions = &arguments.conditions;
    let options = Options {
        recordings: recordings.to_owned(),
        only: arguments.names.clone(),
        emit: arguments.emit.clone(),
        manner: Manner { speed: conditions.speed, seed: conditions.seed },
        played: None,
    };
    let cases = fidelity::cases(&options).map_err(|error| refusal(&error))?;
    let played = play(&cases, arguments, binaries)?;
    let options = Options { played: played.as_ref().map(|place| place.path().to_owned()), ..options };
    let report = measure(arguments, &options)?;
    if arguments.json {
        print(&format!("{:#}\n", report.json()));
    } else {
        print(&report.table());
    }
    Ok(if is_low(arguments, &report) { ExitStatus::Failed } else { ExitStatus::Passed })
}

/// Runs the scenarios that cases are runs of in the simulated world, with a recorder; nothing where there are none.
fn play(
    cases: &[Case],
    arguments: &FidelityArguments,
    binaries: &Binaries,
) -> Result<Option<TempDir>, Refusal> {
    let scenarios = scenarios(cases)?;
    if scenarios.is_empty() {
        return Ok(None);
    }
    let place = tempfile::Builder::new().prefix("smoke-played-").tempdir();
    let place = place.map_err(|error| Refusal::broken(format!("make room for recordings: {error}")))?;
    let stage = Stage { binaries, stop: listening()? };
    let recordings: PathBuf = place.path().to_owned();
    // What was broken has no whole recording, and its case says so.
    perform(scenarios, &run_in(SIM, arguments.conditions.clone()), Some(recordings), &stage)?;
    Ok(Some(place))
}

/// The scenarios as they were when they were recorded, each once.
fn scenarios(cases: &[Case]) -> Result<Vec<Scenario>, Refusal> {
    let mut found: Vec<Scenario> = Vec::new();
    for (case, run) in cases.iter().filter_map(|case| Some((case, case.run.as_ref()?))) {
        let there = load(&case.directory)?.into_iter().find(|scenario| scenario.name == run.scenario);
        let scenario = there.ok_or_else(|| {
            let (name, directory) = (&run.scenario, case.directory.display());
            Refusal::usage(format!(
                "replay {directory}: {name}.yaml is not in it; hint: `smoke record` writes it there"
            ))
        })?;
        if !found.iter().any(|known| known.name == scenario.name) {
            found.push(scenario);
        }
    }
    Ok(found)
}
