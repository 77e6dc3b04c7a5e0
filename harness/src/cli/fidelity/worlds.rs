//! `smoke fidelity --world WORLD`
//!
//! ```text
//!   REPORT/sim, REPORT/WORLD               what `smoke run` reports
//!   REPORT/recordings/{sim,WORLD}          what `smoke record` keeps
//!   REPORT/fidelity.json                   what differs
//! ```
//! The other world comes first: what it lacks is said before anything has been run, and only what it has run is run again.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::arguments::FidelityArguments;
use super::super::record::room;
use super::super::run::{Stage, known_world, listening, perform, report_directory};
use super::super::{Refusal, print};
use super::{SIM, is_low, measure, run_in};
use crate::chain::chain;
use crate::fidelity::{self, Agreement, Manner, Options, Report, agreements};
use crate::judge::Verdict;
use crate::run::{ExitStatus, Summary};
use crate::scenario::{Scenario, choose, load};
use crate::world::Binaries;

/// Two worlds with their part of the report.
struct Pair<'a> {
    place: PathBuf,
    names: [&'a str; 2],
}

pub(super) fn execute(
    arguments: &FidelityArguments,
    world: &str,
    binaries: &Binaries,
) -> Result<ExitStatus, Refusal> {
    known_world(world)?;
    let folder = &arguments.conditions.scenarios;
    let scenarios = choose(load(folder)?, &arguments.names, folder)?;
    let place = report_directory(arguments.conditions.report.as_deref())?;
    let pair = Pair { place, names: [SIM, if world == SIM { "sim-again" } else { world }] };
    for name in pair.names {
        room(&scenarios, &pair.recordings(name))?;
    }
    let stage = Stage { binaries, stop: listening()? };
    let play = |scenarios: Vec<Scenario>, world: &str, name: &str| {
        let mut conditions = arguments.conditions.clone();
        conditions.report = Some(pair.place.join(name));
        perform(scenarios, &run_in(world, conditions), Some(pair.recordings(name)), &stage)
    };
    let there = play(scenarios.clone(), world, pair.names[1])?;
    let ran: Vec<Scenario> = scenarios.into_iter().filter(|scenario| pair.has_run(scenario)).collect();
    if ran.is_empty() {
        return Ok(there.status());
    }
    let here = play(ran.clone(), SIM, SIM)?;
    let same = pair.compare(arguments, &ran)?;
    Ok(if is_broken(&there) || is_broken(&here) { ExitStatus::Broken } else { same })
}

impl Pair<'_> {
    fn recordings(&self, name: &str) -> PathBuf {
        self.place.join("recordings").join(name)
    }

    /// Whether there is a recording of it in the other world; one that was skipped has none.
    fn has_run(&self, scenario: &Scenario) -> bool {
        self.recordings(self.names[1]).join(&scenario.name).join("case.json").is_file()
    }

    /// What people see, and what the clusters said; whether the first is the same.
    fn compare(&self, arguments: &FidelityArguments, ran: &[Scenario]) -> Result<ExitStatus, Refusal> {
        let [one, other] = self.names;
        let options = Options {
            recordings: self.recordings(other),
            only: Vec::new(),
            emit: None,
            manner: Manner { speed: arguments.conditions.speed, seed: arguments.conditions.seed },
            played: Some(self.recordings(one)),
        };
        let streams = measure(arguments, &options)?;
        let seen = agreements(ran, &self.place.join(one), &self.place.join(other))
            .map_err(|error| Refusal::broken(chain(&error)))?;
        let told = format!("{:#}\n", self.json(&seen, &streams));
        write(&self.place.join("fidelity.json"), &told)?;
        if arguments.json {
            print(&told);
        } else {
            print(&streams.table());
            print(&fidelity::agreement_table(&seen, self.names));
            print(&format!("reports and recordings: {}\n", self.place.display()));
        }
        Ok(match seen.iter().all(Agreement::is_exact) {
            _ if seen.is_empty() => ExitStatus::Invalid,
            true if !is_low(arguments, &streams) => ExitStatus::Passed,
            _ => ExitStatus::Failed,
        })
    }

    fn json(&self, seen: &[Agreement], streams: &Report) -> serde_json::Value {
        let of = |it: &Agreement| (it.scenario.clone(), it.json(self.names));
        let scenarios: serde_json::Map<_, _> = seen.iter().map(of).collect();
        json!({ "version": 1, "worlds": self.names, "scenarios": scenarios, "streams": streams.json() })
    }
}

fn is_broken(summary: &Summary) -> bool {
    summary.outcomes.iter().any(|outcome| matches!(outcome.verdict, Verdict::Broken(_)))
}

fn write(path: &Path, text: &str) -> Result<(), Refusal> {
    std::fs::write(path, text).map_err(|error| Refusal::broken(format!("write {}: {error}", path.display())))
}
