//! `smoke`: the command line.

mod arguments;
mod explain;
mod fidelity;
mod list;
mod matrix;
mod record;
mod run;
mod signals;
mod words;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

pub use arguments::{ConditionArguments, KeepWord, RunArguments};
pub(crate) use run::execute_these;
pub use words::{BadWords, words};

use crate::chain::chain;
use crate::report::machines;
use crate::run::ExitStatus;
use crate::run::directory;
use crate::scenario::{self, FolderError};
use crate::world::{Binaries, kind, talos};
use arguments::{Command, Smoke};

/// Why a command could not be done, with what the process then says.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: ExitStatus,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { status: ExitStatus::Usage, text: text.into() }
    }

    pub(crate) fn broken(text: impl Into<String>) -> Self {
        Self { status: ExitStatus::Broken, text: text.into() }
    }

    /// With everything that led to it.
    pub(crate) fn broken_by(error: &dyn std::error::Error) -> Self {
        Self::broken(chain(error))
    }
}

impl From<FolderError> for Refusal {
    fn from(error: FolderError) -> Self {
        Self::usage(chain(&error))
    }
}

/// The whole of `smoke`, with the process's own arguments.
pub fn main(binaries: Binaries) -> ExitCode {
    run_with(std::env::args_os(), binaries).into()
}

/// The whole of `smoke`.
pub fn run_with(arguments: impl IntoIterator<Item = OsString>, binaries: Binaries) -> ExitStatus {
    let smoke = match Smoke::try_parse_from(arguments) {
        Ok(smoke) => smoke,
        Err(error) => {
            // Help goes to standard output, the rest to standard error; a closed one is nobody's problem.
            let _ = error.print();
            return if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Passed };
        }
    };
    match obey(smoke.command, binaries) {
        Ok(status) => status,
        Err(refusal) => {
            complain(&refusal);
            refusal.status
        }
    }
}

fn obey(command: Command, binaries: Binaries) -> Result<ExitStatus, Refusal> {
    match command {
        Command::List { scenarios, json, markdown } => {
            let found = scenario::load(&scenarios)?;
            let text = match (json, markdown) {
                (true, _) => list::json(&found),
                (false, true) => scenario::catalogue(&found),
                (false, false) => list::table(&found),
            };
            print(&text);
            Ok(ExitStatus::Passed)
        }
        Command::Run(arguments) => run::execute(&arguments, binaries),
        Command::Lint { folder } => lint(&folder),
        Command::Schema => {
            print(&format!("{:#}\n", scenario::schema()));
            Ok(ExitStatus::Passed)
        }
        Command::Explain { name } => {
            print(&explain::explain(&name)?);
            Ok(ExitStatus::Passed)
        }
        Command::Matrix { report, json } => matrix::execute(report.as_deref(), json),
        Command::Record(arguments) => record::execute(&arguments, &binaries),
        Command::Fidelity(arguments) => fidelity::execute(&arguments, &binaries),
        Command::Machines { reports } => {
            print(&machines(&reports).map_err(|error| Refusal::usage(chain(&error)))?);
            Ok(ExitStatus::Passed)
        }
        Command::Clean => clean(),
    }
}

fn lint(folder: &Path) -> Result<ExitStatus, Refusal> {
    let found = scenario::load(folder)?;
    let noun = if found.len() == 1 { "scenario" } else { "scenarios" };
    print(&format!("{} {noun} in {}, nothing wrong\n", found.len(), folder.display()));
    Ok(ExitStatus::Passed)
}

fn clean() -> Result<ExitStatus, Refusal> {
    let base = directory::base().map_err(|error| Refusal::broken_by(&error))?;
    let swept = directory::sweep(&base).map_err(|error| Refusal::broken_by(&error))?;
    print(&format!(
        "{}: {} left by dead runners removed, {} process groups killed, {} in use\n",
        base.display(),
        swept.directories,
        swept.groups,
        swept.living,
    ));
    let machines = talos::clean(&base).map_err(|error| Refusal::broken_by(&*error))?;
    print(&format!(
        "machines: {} left by dead runners removed, {} process groups killed, {} in use\n",
        machines.directories, machines.groups, machines.living,
    ));
    let left = kind::clean(&base).map_err(|error| Refusal::broken_by(&*error))?;
    print(&format!(
        "container engine: {} containers and {} networks left by dead runners removed, {} clusters in use\n",
        left.containers, left.networks, left.living,
    ));
    Ok(ExitStatus::Passed)
}

/// Says why on standard error.
pub(crate) fn complain(refusal: &Refusal) {
    // A closed standard error is nobody's problem.
    let _ = writeln!(std::io::stderr(), "{}", refusal.text);
}

/// Data goes to standard output.
pub(crate) fn print(text: &str) {
    // A reader that has seen enough, such as `head`, closes the pipe.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
