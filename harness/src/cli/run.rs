//! `smoke run`.

use std::path::{Path, PathBuf};

use super::arguments::RunArguments;
use super::words::words;
use super::{Refusal, signals};
use crate::diagnosis::Attention;
use crate::report::{self, Terminal};
use crate::run::{ExitStatus, Plan, Runner, Stop, directory};
use crate::scenario::{Scenario, choose, load, meant};
use crate::world::{Binaries, ClusterChoice, Lifetime, WorldFactory, factories};

/// Runs what the arguments name.
pub(crate) fn execute(arguments: &RunArguments, binaries: Binaries) -> Result<ExitStatus, Refusal> {
    let scenarios = choose(load(&arguments.scenarios)?, &arguments.names, &arguments.scenarios)?;
    execute_these(scenarios, arguments, binaries)
}

/// Runs these scenarios as the arguments say.
pub(crate) fn execute_these(
    scenarios: Vec<Scenario>,
    arguments: &RunArguments,
    binaries: Binaries,
) -> Result<ExitStatus, Refusal> {
    let factory = factory(&arguments.world)?;
    for world in &arguments.require_world {
        known_world(world)?;
    }
    let status_command = command("--status-command", arguments.status_command.as_deref())?;
    let operator_command = command("--operator-command", arguments.operator_command.as_deref())?;
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
        required: arguments.require_world.clone(),
        base: directory::base().map_err(|error| Refusal::broken_by(&error))?,
        report: report_directory(arguments.report.as_deref())?,
        keep: arguments.keep.into(),
        jobs: jobs(arguments, &*factory),
        repeat: arguments.repeat,
        seed: arguments.seed,
        speed: factory.speed(arguments.speed),
        cluster: cluster(arguments, &binaries),
        patience: None,
        attention: if arguments.diagnosis { Attention::Close } else { Attention::Casual },
        status_command,
        operator_command,
        binaries,
    };
    let stop = Stop::default();
    signals::listen(stop.clone()).map_err(|error| Refusal::broken_by(&error))?;
    let mut terminal = Terminal::new(std::io::stderr());
    let runner = Runner::new(plan.clone(), factory, stop, &mut terminal)
        .map_err(|error| Refusal::broken_by(&error))?;
    let summary = runner.run().map_err(|error| Refusal::broken_by(&error))?;
    report::write(&plan, &summary).map_err(|error| Refusal::broken_by(&error))?;
    terminal.summary(&plan, &summary);
    Ok(summary.status())
}

/// As many at once as was asked for; a cluster that is reused is one.
fn jobs(arguments: &RunArguments, factory: &dyn WorldFactory) -> usize {
    if arguments.reuse {
        return 1;
    }
    arguments.jobs.unwrap_or_else(|| factory.usually_at_once()).max(1)
}

/// What a real cluster is made of.
fn cluster(arguments: &RunArguments, binaries: &Binaries) -> ClusterChoice {
    let programs = arguments.programs.clone().unwrap_or_else(|| ClusterChoice::programs_of(binaries));
    let lifetime = if arguments.reuse { Lifetime::Reused } else { Lifetime::Run };
    ClusterChoice { image: arguments.node_image.clone(), programs, lifetime }
}

fn factory(name: &str) -> Result<Box<dyn WorldFactory>, Refusal> {
    known_world(name)?;
    let found = factories().into_iter().find(|factory| factory.name() == name);
    found.ok_or_else(|| Refusal::usage(format!("no world is named `{name}`")))
}

fn known_world(name: &str) -> Result<(), Refusal> {
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

fn report_directory(given: Option<&Path>) -> Result<PathBuf, Refusal> {
    let made = match given {
        Some(path) => std::fs::create_dir_all(path).map(|()| path.to_owned()),
        None => report::place(),
    };
    let made = made.and_then(|path| path.canonicalize());
    made.map_err(|error| Refusal::broken(format!("make the report directory: {error}")))
}
