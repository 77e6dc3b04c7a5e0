//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::run::Keep;
use crate::world::Speed;

/// End-to-end smoke tests for a self-installing appliance.
///
/// Exit codes: 0 all passed, 1 a scenario failed, 2 bad usage or a bad scenario file, 3 broken (harness, host or world),
/// 4 invalid, or nothing was run; the first of 2, 3, 1, 4 that applies.
#[derive(Debug, Parser)]
#[command(name = "smoke", version)]
pub(super) struct Smoke {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the scenarios.
    List {
        /// The folder of scenario files.
        #[arg(long, env = "SMOKE_SCENARIOS", default_value = "scenarios")]
        scenarios: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// As the folder's README.
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
    /// Runs scenarios.
    Run(RunArguments),
    /// Checks scenario files.
    Lint {
        /// The folder of scenario files.
        #[arg(env = "SMOKE_SCENARIOS", default_value = "scenarios")]
        folder: PathBuf,
    },
    /// Prints a JSON Schema of scenario files, for editors.
    Schema,
    /// Explains a blocker code, a fault or a heal verb.
    Explain {
        /// Its name.
        name: String,
    },
    /// Prints fault × blocker of a report: expected, found, missing, extra; from its timelines alone.
    ///
    /// Exit codes: 0 all is exact, 1 a blocker is missing or extra, 2 no timelines or a bad one, 4 nothing could be counted.
    Matrix {
        /// The report directory; the newest one where nothing is said.
        #[arg(long, env = "SMOKE_REPORT", value_name = "DIR")]
        report: Option<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Runs scenarios and keeps what the cluster says meanwhile: a recording of each, which `smoke fidelity` can replay.
    ///
    /// Each begins with an empty cluster or a healthy install, as with `smoke run`. Exit codes are those of `smoke run`; a run that
    /// ended early leaves what was recorded of it.
    Record(RecordArguments),
    /// Compares the simulated cluster with recordings of a real one, with another world, or two reports with each other.
    ///
    /// Exit codes with --world: 0 nothing differs, 1 a verdict or something that people see differs, 3 a run was broken,
    /// 4 nothing could be run.
    Fidelity(FidelityArguments),
    /// Prints, as Markdown, which calls and causes a real machine has gone through, which only ours, and which none.
    ///
    /// Exit codes: 0, or 2 where a directory has no report.
    Machines {
        /// Report directories of runs in worlds talos and sim.
        #[arg(required = true, value_name = "DIR")]
        reports: Vec<PathBuf>,
    },
    /// Removes what runners that were killed have left.
    Clean,
}

/// What `smoke record` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct RecordArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,
    /// Where the recordings go: a directory for each scenario, which must not be there yet.
    #[arg(long, value_name = "DIR")]
    pub(super) into: PathBuf,
}

/// What `smoke fidelity` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct FidelityArguments {
    /// Cases, or the beginnings of their names; scenarios with --world or --reports. All where none is named.
    pub(super) names: Vec<String>,
    /// The directory that holds the recorded cases.
    #[arg(long, env = "SMOKE_RECORDINGS", value_name = "DIR", required_unless_present_any = ["reports", "world"])]
    pub(super) recordings: Option<PathBuf>,
    /// A kind of world: its scenarios are run there and in the simulated one, and compared; instead of recordings.
    #[arg(long, conflicts_with_all = ["reports", "emit"])]
    pub(super) world: Option<String>,
    /// Two report directories, of the same scenarios in two worlds: compared with each other, instead of recordings.
    #[arg(long, num_args = 2, value_names = ["ONE", "OTHER"])]
    pub(super) reports: Option<Vec<PathBuf>>,
    #[command(flatten)]
    pub(super) conditions: ConditionArguments,
    /// As JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Every difference, in words.
    #[arg(long, conflicts_with = "json")]
    pub(super) differences: bool,
    /// Where the simulated streams are written, in the format of the recordings.
    #[arg(long, value_name = "DIR")]
    pub(super) emit: Option<PathBuf>,
    /// The share below which this fails, for each recorder's cases.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(super) at_least: f64,
}

/// What `smoke run` takes; the suite takes the same from `SMOKE_…` variables.
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// The scenarios to run; all where none is named.
    pub names: Vec<String>,
    /// The kind of world.
    #[arg(long, env = "SMOKE_WORLD", default_value = "sim")]
    pub world: String,
    /// Which worlds stay up after their scenario.
    #[arg(long, env = "SMOKE_KEEP", value_enum, default_value = "never")]
    pub keep: KeepWord,
    /// How often each scenario.
    #[arg(long, env = "SMOKE_REPEAT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: u32,
    /// Field time goes with the machine's from the moment at which a blocker's evidence is complete until it is named, so that
    /// the time to diagnosis is what people would wait.
    #[arg(long, env = "SMOKE_DIAGNOSIS")]
    pub diagnosis: bool,
    /// Under which conditions.
    #[command(flatten)]
    pub conditions: ConditionArguments,
}

/// Under which conditions scenarios are run, whoever runs them.
#[derive(Debug, Clone, Args)]
pub struct ConditionArguments {
    /// The folder of scenario files.
    #[arg(long, env = "SMOKE_SCENARIOS", default_value = "scenarios")]
    pub scenarios: PathBuf,
    /// Where the report goes; a new directory where nothing is said.
    #[arg(long, env = "SMOKE_REPORT")]
    pub report: Option<PathBuf>,
    /// How many scenarios at once; where nothing is said, as many as the world usually has (sim: one for each processor; kind and talos: one).
    #[arg(long, env = "SMOKE_JOBS")]
    pub jobs: Option<usize>,
    /// Seed of everything random.
    #[arg(long, env = "SMOKE_SEED", default_value_t = 1)]
    pub seed: u64,
    /// The most seconds of field time in a second of the machine's; `max` for as fast as it goes.
    #[arg(long, env = "SMOKE_SPEED", default_value = "max")]
    pub speed: Speed,
    /// A status service to run in place of ours: program and arguments.
    #[arg(long, env = "SMOKE_STATUS_COMMAND")]
    pub status_command: Option<String>,
    /// An operator's command to run in place of ours: program and arguments.
    #[arg(long, env = "SMOKE_OPERATOR_COMMAND")]
    pub operator_command: Option<String>,
    /// The node's image for world `kind`; the one that the `kind` program takes by itself where nothing is said.
    #[arg(long, env = "SMOKE_NODE_IMAGE", value_name = "IMAGE")]
    pub node_image: Option<String>,
    /// Adopt the cluster that a run before has left for others, or make it; it stays until `smoke clean`.
    #[arg(long, env = "SMOKE_REUSE")]
    pub reuse: bool,
    /// The directory of the static programs that run in containers; scripts/programs.sh builds them.
    #[arg(long, env = "SMOKE_PROGRAMS", value_name = "DIR")]
    pub programs: Option<PathBuf>,
    /// For world `talos`: the folder with a kernel, a first root and talosctl that machines boot from (docs/talos-world.md).
    #[arg(long, env = "SMOKE_TALOS_IMAGE", value_name = "DIR")]
    pub talos_image: Option<PathBuf>,
    /// A kind of world in which a skipped scenario counts as broken.
    #[arg(long, env = "SMOKE_REQUIRE_WORLD", value_delimiter = ',')]
    pub require_world: Vec<String>,
}

/// `--keep`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeepWord {
    /// None.
    Never,
    /// Those of scenarios that did not pass.
    OnFailure,
    /// All.
    Always,
}

impl From<KeepWord> for Keep {
    fn from(word: KeepWord) -> Self {
        match word {
            KeepWord::Never => Self::Never,
            KeepWord::OnFailure => Self::OnFailure,
            KeepWord::Always => Self::Always,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        <super::Smoke as clap::CommandFactory>::command().debug_assert();
    }
}
