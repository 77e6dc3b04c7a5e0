//! `smoke record`

use std::path::Path;

use super::arguments::RecordArguments;
use super::run::{Stage, known_world, listening, perform};
use super::{Refusal, print};
use crate::judge::Verdict;
use crate::recording;
use crate::run::{ExitStatus, Outcome};
use crate::scenario::{Scenario, choose, load};
use crate::world::Binaries;

pub(super) fn execute(arguments: &RecordArguments, binaries: &Binaries) -> Result<ExitStatus, Refusal> {
    let run = &arguments.run;
    known_world(&run.world)?;
    if run.repeat != 1 {
        let text =
            "record a scenario more than once: a recording is of one run; leave out --repeat (SMOKE_REPEAT)";
        return Err(Refusal::usage(text));
    }
    let folder = &run.conditions.scenarios;
    let scenarios = choose(load(folder)?, &run.names, folder)?;
    room(&scenarios, &arguments.into)?;
    let stage = Stage { binaries, stop: listening()? };
    let summary = perform(scenarios, run, Some(arguments.into.clone()), &stage)?;
    for outcome in &summary.outcomes {
        print(&format!("{}\n", told(outcome, &arguments.into)));
    }
    Ok(summary.status())
}

/// Nothing is recorded over what is there already.
pub(super) fn room(scenarios: &[Scenario], into: &Path) -> Result<(), Refusal> {
    for scenario in scenarios {
        let place = into.join(&scenario.name);
        let shown = place.display();
        let free = recording::is_free(&place)
            .map_err(|error| Refusal::usage(format!("record into {shown}: {error}")))?;
        if !free {
            let text = format!(
                "record into {shown}: it is not empty; hint: name another directory (--into; --report of `smoke fidelity`), or remove it"
            );
            return Err(Refusal::usage(text));
        }
    }
    Ok(())
}

/// What became of a scenario's recording.
fn told(outcome: &Outcome, into: &Path) -> String {
    let (name, place) = (&outcome.name, into.join(&outcome.name));
    let recorded = place.join("case.json").is_file();
    match (&outcome.verdict, recorded) {
        (Verdict::Broken(reason), true) => {
            format!("{name}: recorded in {} up to where the run ended: {reason}", place.display())
        }
        (verdict, true) => format!("{name}: recorded in {} ({})", place.display(), verdict.name()),
        (verdict, false) => format!("{name}: not recorded ({})", verdict.name()),
    }
}
