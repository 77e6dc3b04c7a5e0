//! What is run, how, and who hears of it.

use std::path::PathBuf;
use std::time::Duration;

use super::{Budgets, Kept, Outcome};
use crate::diagnosis::Attention;
use crate::scenario::Scenario;
use crate::world::{Binaries, ClusterChoice, MachineChoice, Speed, WorldFactory};

/// Which worlds stay up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// None.
    #[default]
    Never,
    /// Those of scenarios that did not pass.
    OnFailure,
    /// All.
    Always,
}

/// What is run, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What.
    pub scenarios: Vec<Scenario>,
    /// In which kind of world.
    pub world: String,
    /// Worlds without which a run is broken.
    pub required: Vec<String>,
    /// Where worlds have their directories, see [`super::directory::base`].
    pub base: PathBuf,
    /// Where the report goes; it exists.
    pub report: PathBuf,
    /// Where each scenario's recording goes, in a directory of its name; nothing is recorded where nothing is said.
    pub recordings: Option<PathBuf>,
    /// Which worlds stay up.
    pub keep: Keep,
    /// How many at once.
    pub jobs: usize,
    /// How often each.
    pub repeat: u32,
    /// Seed of everything random.
    pub seed: u64,
    /// The most seconds of field time in a second of the machine's.
    pub speed: Speed,
    /// How long what is not expected may stay the same before it is judged, in field time; as [`super::Budgets`] say where
    /// nothing is said.
    pub patience: Option<Duration>,
    /// How field time goes while a blocker's evidence is complete and the blocker not named.
    pub attention: Attention,
    /// What a real cluster is made of.
    pub cluster: ClusterChoice,
    /// What a real machine is made of.
    pub machine: MachineChoice,
    /// A status service in place of ours.
    pub status_command: Option<Vec<String>>,
    /// An operator's command in place of ours.
    pub operator_command: Option<Vec<String>>,
    /// The system under test.
    pub binaries: Binaries,
}

impl Plan {
    /// How long its runs wait.
    pub(super) fn budgets(&self, factory: &dyn WorldFactory) -> Budgets {
        let budgets = factory.budgets(self.speed);
        Budgets { patience: self.patience.unwrap_or(budgets.patience), ..budgets }
    }
}

/// Hears what happens, as it happens.
pub trait Voice {
    /// So many runs, so many at once.
    fn begin(&mut self, plan: &Plan, runs: usize);
    /// This one has been running for long.
    fn slow(&mut self, name: &str, duration: Duration, last: &str);
    /// This one is over.
    fn ended(&mut self, outcome: &Outcome);
    /// These worlds stay up until the runner is interrupted.
    fn kept(&mut self, kept: &[(String, Kept)]);
}
