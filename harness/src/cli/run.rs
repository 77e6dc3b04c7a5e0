//! `smoke run`.

use std::path::{Path, PathBuf};

use super::arguments::{ConditionArguments, RunArguments};
use super::words::words;
use super::{Refusal, signals};
use crate::diagnosis::Attention;
use crate::report::{self, Terminal};
use crate::run::{ExitStatus, Plan, Runner, Stop, Summary, directory};
use crate::scenario::{Scenario, choose, load, meant};
use crate::world::{Binaries, ClusterChoice, Lifetime, MachineChoice, WorldFactory, factories};

/// Runs what the arguments name.
pub(crate) fn execute(arguments: &RunArguments, binaries: Binaries) -> Result<ExitStatus, Refusal> {
    let folder = &arguments.conditions.scenarios;
    let scenarios = choose(load(folder)?, &arguments.names, folder)?;
    execute_these(scenarios, arguments, binaries)
}

/// Runs these scenarios as the arguments say.
pub(crate) fn execute_these(
    scenarios: Vec<Scenario>,
    arguments: &RunArguments,
    binaries: Binaries,
) -> Result<ExitStatus, Refusal> {
    let stage = Stage { binaries: &binaries, stop: listening()? };
    perform(scenarios, arguments, None, &stage).map(|summary| summary.status())
}

/// What every run of this process has in common.
pub(super) struct Stage<'b> {
    pub(super) binaries: &'b Binaries,
    /// Thrown by Ctrl-C.
    pub(super) stop: Stop,
}

/// A switch that Ctrl-C throws; to be asked for once in a process.
pub(super) fn listening() -> Result<Stop, Refusal> {
    let stop = Stop::default();
    signals::listen(stop.clone()).map_err(|error| Refusal::broken_by(&error))?;
    Ok(stop)
}

/// Runs these scenarios, records them where a place for that is named, and writes the report.
pub(super) fn perform(
    scenarios: Vec<Scenario>,
    arguments: &RunArguments,
    recordings: Option<PathBuf>,
    stage: &Stage<'_>,
) -> Result<Summary, Refusal> {
    let factory = factory(&arguments.world)?;
    let conditions = &arguments.conditions;
    for world in &conditions.require_world {
        known_world(world)?;
    }
    let binaries = stage.binaries;
    let status_command = command("--status-command", conditions.status_command.as_deref())?;
    let operator_command = command("--operator-command", conditions.operator_command.as_deref())?;
    let siblings = [(&binaries.appliance, &operator_command), (&binaries.appliance_status, &status_command)];
    for (path, replaced) in siblings {
        if replaced.is_none() && !path.is_file() {
            let name = path.display();
            return Err(Refusal::broken(format!("{name} is not there; make it with: cargo build --bins")));
        }
    }
    let plan = Plan {
        scenarios,
        world: factory.name().to_owned(),
        required: conditions.require_world.clone(),
        base: directory::base().map_err(|error| Refusal::broken_by(&error))?,
        report: report_directory(conditions.report.as_deref())?,
        recordings,
        keep: arguments.keep.into(),
        jobs: jobs(conditions, &*factory),
        repeat: arguments.repeat,
        seed: conditions.seed,
        speed: factory.speed(conditions.speed),
        cluster: cluster(conditions, binaries),
        machine: MachineChoice { image: conditions.talos_image.clone() },
        patience: None,
        attention: if arguments.diagnosis { Attention::Close } else { Attention::Casual },
        status_command,
        operator_command,
        binaries: binaries.clone(),
    };
    let mut terminal = Terminal::new(std::io::stderr());
    let runner = Runner::new(plan.clone(), factory, stage.stop.clone(), &mut terminal)
        .map_err(|error| Refusal::broken_by(&error))?;
    let summary = runner.run().map_err(|error| Refusal::broken_by(&error))?;
    report::write(&plan, &summary).map_err(|error| Refusal::broken_by(&error))?;
    terminal.summary(&plan, &summary);
    Ok(summary)
}

/// As many at once as was asked for; a cluster that is reused is one.
fn jobs(conditions: &ConditionArguments, factory: &dyn WorldFactory) -> usize {
    if conditions.reuse {
        return 1;
    }
    conditions.jobs.unwrap_or_else(|| factory.usually_at_once()).max(1)
}

/// What a real cluster is made of.
fn cluster(conditions: &ConditionArguments, binaries: &Binaries) -> ClusterChoice {
    let programs = conditions.programs.clone().unwrap_or_else(|| ClusterChoice::programs_of(binaries));
    let lifetime = if conditions.reuse { Lifetime::Reused } else { Lifetime::Run };
    ClusterChoice { image: conditions.node_image.clone(), programs, lifetime }
}

fn factory(name: &str) -> Result<Box<dyn WorldFactory>, Refusal> {
    known_world(name)?;
    let found = factories().into_iter().find(|factory| factory.name() == name);
    found.ok_or_else(|| Refusal::usage(format!("no world is named `{name}`")))
}

pub(super) fn known_world(name: &str) -> Result<(), Refusal> {
    let known: Vec<&str> = factories().iter().map(|factory| factory.name()).collect();
    if known.contains(&name) {
        return Ok(());
    }
    Err(Refusal::usage(format!("no world is named `{name}`{}", meant(name, &known))))
}

fn command(flag: &str, text: Option<&str>) -> Result<Option<Vec<String>>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    words(text).map(Some).map_err(|error| Refusal::usage(format!("{flag}: {error}")))
}

pub(super) fn report_directory(given: Option<&Path>) -> Result<PathBuf, Refusal> {
    let made = match given {
        Some(path) => std::fs::create_dir_all(path).map(|()| path.to_owned()),
        None => report::place(),
    };
    let made = made.and_then(|path| path.canonicalize());
    made.map_err(|error| Refusal::broken(format!("make the report directory: {error}")))
}
