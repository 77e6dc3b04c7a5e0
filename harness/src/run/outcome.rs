//! What came of a run.

use std::path::PathBuf;
use std::time::Duration;

use super::ExitStatus;
use crate::diagnosis::{Diagnosis, Spread};
use crate::judge::{Control, Finding, Milestones, Verdict};
use crate::matrix::Matrix;
use crate::scenario::Milestone;
use crate::timeline::{ReceiptNote, Timeline};

/// What came of one scenario.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The scenario's name.
    pub name: String,
    /// Which of its repetitions, from 1.
    pub turn: u32,
    /// The world's kind.
    pub world: String,
    /// What it amounts to.
    pub verdict: Verdict,
    /// What was not as expected.
    pub findings: Vec<Finding>,
    /// What could not be done on the way although the verdict stands: evidence, teardown.
    pub remarks: Vec<String>,
    /// On the machine's clock.
    pub duration: Duration,
    /// In field time.
    pub field: Duration,
    /// How long milestones took, each from its base.
    pub milestones: Vec<(Milestone, Duration)>,
    /// How long each expected blocker took from its evidence.
    pub diagnoses: Vec<Diagnosis>,
    /// What the world saw of the faults.
    pub receipts: Vec<ReceiptNote>,
    /// Its part of the report directory.
    pub directory: PathBuf,
    /// Seed of everything random.
    pub seed: u64,
    /// How to get into its world, where that was kept.
    pub kept: Option<Kept>,
    /// Everything that happened, where something did.
    pub timeline: Option<Timeline>,
}

/// How to get into a world that was kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// An administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The status page.
    pub status_url: String,
    /// Its token.
    pub token: Option<String>,
    /// The application.
    pub app_url: String,
}

/// What came of all of them.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// In the order in which they ended.
    pub outcomes: Vec<Outcome>,
    /// On the machine's clock.
    pub duration: Duration,
    /// Fault × blocker, controls included.
    pub matrix: Matrix,
    /// What is to be said of the run as a whole.
    pub remarks: Vec<String>,
}

impl Summary {
    /// What the process says with its exit code.
    pub fn status(&self) -> ExitStatus {
        ExitStatus::of(self.outcomes.iter().map(|outcome| &outcome.verdict))
    }

    /// Times to diagnosis that begin with a signal: with the declared graces, and without.
    pub fn diagnosis(&self) -> Option<(Spread, Spread)> {
        let all = || self.outcomes.iter().flat_map(|it| &it.diagnoses).filter(|it| !it.assumed);
        Spread::of(all().map(Diagnosis::took)).zip(Spread::of(all().map(Diagnosis::beyond_grace)))
    }

    /// How many have a verdict of this name.
    pub fn count(&self, name: &str) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.verdict.name() == name).count()
    }
}

/// What a job's thread hands back.
pub(super) struct Played {
    pub(super) ending: Ending,
    pub(super) remarks: Vec<String>,
    pub(super) duration: Duration,
    pub(super) timeline: Option<Timeline>,
    pub(super) control: Option<Control>,
}

/// How a play ended, before it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// To the end; the timeline tells.
    Played,
    /// Not at all.
    Skipped(String),
    /// In the middle.
    Broken(String),
}

/// How long each milestone took.
pub(super) fn milestones_of(milestones: &Milestones) -> Vec<(Milestone, Duration)> {
    let took = |milestone: &Milestone| {
        let took = milestones.took(*milestone)?;
        Some((*milestone, Duration::try_from(took).unwrap_or_default()))
    };
    Milestone::ALL.iter().filter_map(took).collect()
}
