//! Runs one scenario of the catalogue against one mutant.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use field_clock::Clock;
use libtest_mimic::Failed;
use smoke_harness::run::{Keep, Outcome, Plan, Runner, Stop};
use smoke_harness::scenario::{Scenario, read};
use smoke_harness::world::{Binaries, Speed, WorldFactory};

use crate::claims::Fate;
use crate::silence::Silence;

/// Long enough for everything that a mutant shows, too short for a release to give up meanwhile.
pub(crate) const SHORT: Option<Duration> = Some(Duration::from_secs(240));

/// A mutant and where it is tried.
pub(crate) struct Attempt<'a> {
    pub(crate) mutant: &'a str,
    pub(crate) scenario: &'a str,
    pub(crate) fate: Fate,
    /// How long it may stay as it is; as in every other run where nothing is said.
    pub(crate) patience: Option<Duration>,
    pub(crate) factory: Box<dyn WorldFactory>,
    /// In place of our status service.
    pub(crate) status_command: Option<Vec<String>>,
    /// In place of our operator's command.
    pub(crate) operator_command: Option<Vec<String>>,
}

impl Attempt<'_> {
    /// Runs it, prints its line, and fails where its fate is another one.
    pub(crate) fn judge(self) -> Result<(), Failed> {
        let clock = Clock::wall();
        let began = clock.now();
        let (mutant, scenario, fate) = (self.mutant, self.scenario, self.fate);
        let met = self.run().and_then(|outcome| fate.met(&outcome));
        let seconds = clock.now().duration_since(began).as_secs_f64();
        let broke = met.as_deref().unwrap_or("NOT AS IT MUST BE");
        // A closed standard error is nobody's problem.
        let _ = writeln!(io::stderr(), "teeth: {mutant} | {scenario} | {broke} | {seconds:.1} s");
        met.map(drop).map_err(|wrong| Failed::from(format!("{mutant} in {scenario}: {wrong}")))
    }

    fn run(self) -> Result<Outcome, String> {
        let home = tempfile::Builder::new().prefix("smoke-teeth-").tempdir().map_err(|e| e.to_string())?;
        let (base, report) = (home.path().join("worlds"), home.path().join("report"));
        for directory in [&base, &report] {
            std::fs::create_dir_all(directory).map_err(|error| error.to_string())?;
        }
        let plan = Plan {
            scenarios: vec![catalogued(self.scenario)?],
            world: self.factory.name().to_owned(),
            required: vec![self.factory.name().to_owned()],
            base,
            report,
            recordings: None,
            keep: Keep::Never,
            jobs: 1,
            repeat: 1,
            seed: 1,
            cluster: Default::default(),
            machine: Default::default(),
            speed: Speed::UNLIMITED,
            patience: self.patience,
            attention: smoke_harness::diagnosis::Attention::Casual,
            status_command: self.status_command,
            operator_command: self.operator_command,
            binaries: binaries(),
        };
        let mut voice = Silence;
        let runner =
            Runner::new(plan, self.factory, Stop::default(), &mut voice).map_err(|e| e.to_string())?;
        let summary = runner.run().map_err(|error| error.to_string())?;
        let played = summary.outcomes.into_iter().find(|outcome| outcome.name == self.scenario);
        played.ok_or_else(|| "it was not played".to_owned())
    }
}

/// A scenario of the catalogue.
fn catalogued(name: &str) -> Result<Scenario, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(format!("{name}.yaml"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    read(&path, &text).map_err(|error| error.to_string())
}

fn binaries() -> Binaries {
    Binaries {
        appliance: PathBuf::from(env!("CARGO_BIN_EXE_appliance")),
        appliance_status: PathBuf::from(env!("CARGO_BIN_EXE_appliance-status")),
    }
}
