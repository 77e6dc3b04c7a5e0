//! `cargo test --test smoke`: the runner behind the command line of a standard test harness.
//!
//! `--list`, a filter, `--exact`, `--skip`, `--ignored` and `--format terse` mean what they mean everywhere, so that
//! cargo-nextest can run each scenario in a process of its own. Everything else comes from `SMOKE_…` variables.

use std::process::ExitCode;

use clap::Parser;
use libtest_mimic::{Arguments, FormatSetting};

use crate::cli::{Refusal, RunArguments, complain, execute_these, print};
use crate::run::ExitStatus;
use crate::scenario::{Scenario, load};
use crate::world::Binaries;

/// Flags that only have variables here.
#[derive(Parser)]
struct FromEnvironment {
    #[command(flatten)]
    run: RunArguments,
}

/// The whole of the test target.
pub fn main(binaries: Binaries) -> ExitCode {
    match execute(&Arguments::from_args(), binaries) {
        Ok(status) => status.into(),
        Err(refusal) => {
            complain(&refusal);
            refusal.status.into()
        }
    }
}

fn execute(arguments: &Arguments, binaries: Binaries) -> Result<ExitStatus, Refusal> {
    let mut run =
        FromEnvironment::try_parse_from(["smoke"]).map_err(|error| Refusal::usage(error.to_string()))?.run;
    let scenarios: Vec<Scenario> = load(&run.conditions.scenarios)?
        .into_iter()
        .filter(|scenario| wanted(&scenario.name, arguments))
        .collect();
    if arguments.list {
        print(&listing(&scenarios, arguments.format));
        return Ok(ExitStatus::Passed);
    }
    if let Some(threads) = arguments.test_threads {
        run.conditions.jobs = Some(threads);
    }
    execute_these(scenarios, &run, binaries)
}

/// No scenario is ignored: `--ignored` alone wants none of them.
fn wanted(name: &str, arguments: &Arguments) -> bool {
    let fits =
        |pattern: &String| if arguments.exact { name == pattern } else { name.contains(pattern.as_str()) };
    !arguments.ignored && arguments.filter.as_ref().is_none_or(fits) && !arguments.skip.iter().any(fits)
}

fn listing(scenarios: &[Scenario], format: Option<FormatSetting>) -> String {
    let mut text: String = scenarios.iter().map(|scenario| format!("{}: test\n", scenario.name)).collect();
    if format != Some(FormatSetting::Terse) {
        let noun = if scenarios.len() == 1 { "test" } else { "tests" };
        text.push_str(&format!("\n{} {noun}, 0 benchmarks\n", scenarios.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments::from_iter(std::iter::once("smoke").chain(line.split_whitespace()))
    }

    #[test]
    fn a_filter_is_a_part_of_a_name_unless_it_is_exact() {
        assert!(wanted("missing-worker-tag", &arguments("worker")));
        assert!(!wanted("missing-worker-tag", &arguments("worker --exact")));
        assert!(wanted("missing-worker-tag", &arguments("missing-worker-tag --exact --nocapture")));
        assert!(!wanted("missing-worker-tag", &arguments("--skip worker")));
    }

    #[test]
    fn no_scenario_is_ignored() {
        assert!(!wanted("healthy", &arguments("--list --format terse --ignored")));
    }
}
