//! Mutants of the simulated world: everything is passed on to the real one, except for one thing.

use std::cell::RefCell;
use std::path::Path;

use async_trait::async_trait;
use field_clock::Clock;
use libtest_mimic::{Failed, Trial};
use smoke_harness::fault::{FaultUse, HealStep};
use smoke_harness::judge::Rule;
use smoke_harness::scenario::{Scenario, read};
use smoke_harness::world::{
    Access, BootError, BootRequest, BootstrapOptions, Capability, Concealed, InjectError, OperatorEnd,
    OperatorLine, Play, Receipt, World, WorldError, WorldFactory, sim,
};
use tokio::sync::{mpsc, watch};

use crate::bench::{Attempt, SHORT};
use crate::claims::{Claim, Fate};

/// What a world does otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// Says that a fault happened which was never set.
    ReceiptLies,
    /// Never says that a fault happened.
    ReceiptNever,
    /// Does nothing and calls it healed.
    HealIsIdle,
    /// Sets the fault in another image, and reports on that one.
    FaultElsewhere,
    /// Sets the fault in another image, and is asked for the one that was meant.
    FaultElsewhereUnseen,
    /// Loses the end of the operator's command.
    EndIsLost,
    /// Loses what the operator's command says.
    LinesAreLost,
    /// Loses the token that the operator was given.
    TokenIsLost,
    /// Never says that anything has changed.
    NeverTicks,
    /// Breaks the install to which nothing was to be done.
    ControlIsBroken,
    /// Says that it set a fault and does not.
    FaultOnlyInWords,
}

/// A mutant of the world, in a scenario.
pub(crate) struct WorldMutant {
    pub(crate) name: &'static str,
    /// What it does, for people.
    pub(crate) about: &'static str,
    pub(crate) otherwise: Otherwise,
    pub(crate) scenario: &'static str,
    pub(crate) fate: Fate,
}

const fn row(
    (name, otherwise): (&'static str, Otherwise),
    about: &'static str,
    scenario: &'static str,
    fate: Fate,
) -> WorldMutant {
    WorldMutant { name, about, otherwise, scenario, fate }
}

/// What is missing where an expected blocker does not show.
const NOTHING_HAPPENED: &[Claim] = &[
    Claim(Rule::Blockers, "image-not-found of workflow-worker"),
    Claim(Rule::Eventually, "tier background not-ready"),
    Claim(Rule::Within, "no blocker"),
];

/// What is wrong where nothing is wrong and something ought to be.
const ALL_IS_WELL: &[Claim] = &[
    Claim(Rule::Eventually, "last seen rollup fully_healthy"),
    Claim(Rule::Blockers, "image-not-found of workflow-worker"),
    Claim(Rule::Eventually, "tier background not-ready"),
    Claim(Rule::Within, "no blocker"),
];

/// All of them.
pub(crate) const MUTANTS: &[WorldMutant] = &[
    row(
        ("receipt-lies", Otherwise::ReceiptLies),
        "sets no fault and says that it landed",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Eventually, "rollup ready_with_background_issues; last seen rollup fully_healthy"),
            NOTHING_HAPPENED,
        ),
    ),
    row(
        ("receipt-never", Otherwise::ReceiptNever),
        "never says that a fault landed",
        "missing-worker-tag",
        Fate::Invalid(
            Claim(Rule::Receipt, "workflow-worker) to land"),
            &[Claim(Rule::Within, "blocker within 1m00s")],
        ),
    ),
    row(
        ("fault-only-in-words", Otherwise::FaultOnlyInWords),
        "says that it set a fault and does not",
        "missing-worker-tag",
        Fate::Invalid(Claim(Rule::Receipt, "last seen no sign that it happened to anybody"), ALL_IS_WELL),
    ),
    row(
        ("heal-is-idle", Otherwise::HealIsIdle),
        "does nothing where it is asked to heal",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Recovers, "rollup fully_healthy; last seen rollup ready_with_background_issues"),
            &[Claim(Rule::Recovers, "no blocker; last seen image-not-found of workflow-worker still")],
        ),
    ),
    row(
        ("fault-elsewhere", Otherwise::FaultElsewhere),
        "takes away another image's tag",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Blockers, "last seen also image-not-found of email-service"),
            &[
                Claim(Rule::Blockers, "blocker image-not-found of workflow-worker"),
                Claim(Rule::Within, "no blocker"),
            ],
        ),
    ),
    row(
        ("fault-elsewhere-unseen", Otherwise::FaultElsewhereUnseen),
        "takes away another image's tag and knows nothing of it afterwards",
        "missing-worker-tag",
        Fate::Invalid(
            Claim(Rule::Receipt, "last seen no sign that it happened to anybody"),
            &[
                Claim(Rule::Blockers, "last seen also image-not-found of email-service"),
                Claim(Rule::Blockers, "blocker image-not-found of workflow-worker"),
                Claim(Rule::Within, "no blocker"),
            ],
        ),
    ),
    row(
        ("end-is-lost", Otherwise::EndIsLost),
        "never hears that the operator's command has ended",
        "healthy",
        Fate::Failed(
            Claim(Rule::Operator, "the command to end well; last seen it still ran"),
            &[Claim(Rule::Eventually, "what it says to stay the same for 30 s")],
        ),
    ),
    row(
        ("lines-are-lost", Otherwise::LinesAreLost),
        "does not pass on what the operator's command says",
        "healthy",
        Fate::Failed(
            Claim(
                Rule::Operator,
                "the command to print `Appliance status UI (submitted):`; last seen 0 lines",
            ),
            &[],
        ),
    ),
    row(
        ("token-is-lost", Otherwise::TokenIsLost),
        "does not know the token of the status page",
        "healthy",
        Fate::Failed(
            Claim(Rule::Eventually, "not once an answer from /api/status: answered 401"),
            &[Claim(Rule::Order, "last seen no ")],
        ),
    ),
    row(
        ("never-ticks", Otherwise::NeverTicks),
        "never says that anything has changed",
        "missing-worker-tag",
        Fate::Green("the recorder looks every 5 s in any case"),
    ),
    row(
        ("control-is-broken", Otherwise::ControlIsBroken),
        "shows the blocker in the install to which nothing was done",
        "missing-worker-tag",
        Fate::Invalid(
            Claim(
                Rule::Control,
                "image-not-found to come from the fault; last seen image-not-found of workflow-worker without any fault",
            ),
            &[],
        ),
    ),
];

impl WorldMutant {
    /// The test of this row.
    pub(crate) fn trial(&'static self) -> Trial {
        Trial::test(format!("{}_in_{}", self.name, self.scenario), || self.judge()).with_kind("world")
    }

    fn judge(&self) -> Result<(), Failed> {
        Attempt {
            mutant: self.name,
            scenario: self.scenario,
            fate: self.fate,
            patience: SHORT,
            factory: Box::new(Factory { real: sim::factory(), otherwise: self.otherwise }),
            status_command: None,
            operator_command: None,
        }
        .judge()
    }
}

struct Factory {
    real: Box<dyn WorldFactory>,
    otherwise: Otherwise,
}

impl WorldFactory for Factory {
    fn name(&self) -> &'static str {
        self.real.name()
    }

    fn about(&self) -> &'static str {
        self.real.about()
    }

    fn capabilities(&self) -> &'static [Capability] {
        self.real.capabilities()
    }

    fn play(&self, request: &BootRequest, play: Play<'_>) -> Result<(), BootError> {
        let otherwise = self.otherwise;
        let mutated: Play<'_> = Box::new(move |real| {
            let silent = watch::Sender::new(0);
            play(Box::new(Mutated { real, otherwise, asked: RefCell::default(), silent }))
        });
        self.real.play(request, mutated)
    }
}

struct Mutated {
    real: Box<dyn World>,
    otherwise: Otherwise,
    /// Faults that it was asked to set.
    asked: RefCell<Vec<String>>,
    silent: watch::Sender<u64>,
}

impl Mutated {
    fn is(&self, otherwise: Otherwise) -> bool {
        self.otherwise == otherwise
    }
}

/// The fault of missing-worker-tag, for this image.
fn missing_tag(image: &str) -> FaultUse {
    let text = format!(
        "name: other\nstory: Another image.\nfaults:\n  - registry.missing-tag: {{ image: {image} }}\n\
         expect:\n  eventually: {{ rollup: fully_healthy }}\n"
    );
    let scenario: Scenario = read(Path::new("other.yaml"), &text).expect("a scenario");
    scenario.faults.into_iter().next().expect("it has a fault")
}

#[async_trait(?Send)]
impl World for Mutated {
    fn name(&self) -> &str {
        self.real.name()
    }

    fn clock(&self) -> Clock {
        self.real.clock()
    }

    fn access(&self) -> &Access {
        self.real.access()
    }

    async fn status_token(&self) -> Option<String> {
        if self.is(Otherwise::TokenIsLost) {
            return None;
        }
        self.real.status_token().await
    }

    async fn secrets(&self) -> Concealed {
        self.real.secrets().await
    }

    async fn run_bootstrap(
        &self,
        options: &BootstrapOptions,
        lines: mpsc::UnboundedSender<OperatorLine>,
    ) -> Result<OperatorEnd, WorldError> {
        if self.is(Otherwise::ControlIsBroken) && self.asked.borrow().is_empty() {
            self.real.inject(&missing_tag("workflow-worker")).await?;
        }
        if self.is(Otherwise::LinesAreLost) {
            let (unheard, _nobody) = mpsc::unbounded_channel();
            return self.real.run_bootstrap(options, unheard).await;
        }
        let ended = self.real.run_bootstrap(options, lines).await;
        if self.is(Otherwise::EndIsLost) {
            std::future::pending::<()>().await;
        }
        ended
    }

    async fn inject(&self, fault: &FaultUse) -> Result<(), InjectError> {
        self.asked.borrow_mut().push(fault.to_string());
        match self.otherwise {
            Otherwise::ReceiptLies | Otherwise::FaultOnlyInWords => Ok(()),
            Otherwise::FaultElsewhere | Otherwise::FaultElsewhereUnseen => {
                self.real.inject(&missing_tag("email-service")).await
            }
            _ => self.real.inject(fault).await,
        }
    }

    async fn heal(&self, step: &HealStep) -> Result<(), InjectError> {
        if self.is(Otherwise::HealIsIdle) {
            return Ok(());
        }
        self.real.heal(step).await
    }

    async fn receipt(&self, fault: &FaultUse) -> Receipt {
        match self.otherwise {
            Otherwise::ReceiptLies => {
                Receipt { count: 1, first: None, evidence: vec!["GET /v2/…: 404".to_owned()] }
            }
            Otherwise::ReceiptNever => Receipt::default(),
            Otherwise::FaultElsewhere => self.real.receipt(&missing_tag("email-service")).await,
            _ => self.real.receipt(fault).await,
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        if self.is(Otherwise::NeverTicks) { self.silent.subscribe() } else { self.real.changes() }
    }

    async fn evidence(&self, directory: &Path) -> Result<(), WorldError> {
        self.real.evidence(directory).await
    }

    async fn down(self: Box<Self>) -> Result<(), WorldError> {
        self.real.down().await
    }
}
