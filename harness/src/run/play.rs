//! One scenario in one world, from the empty cluster to the end.

use std::path::PathBuf;

use futures::StreamExt as _;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::outcome::{Ending, Kept};
use super::receipts::Receipts;
use super::watch::{Goal, Landed, Wait, Watch};
use super::{Budgets, Stop};
use crate::diagnosis::{Attention, attend};
use crate::fault::{BOOTSTRAP_RETRY, FaultUse, HealStep, TIME_PASS};
use crate::recorder::{Recorder, timeline_path};
use crate::recording::Tape;
use crate::scenario::{Milestone, Scenario};
use crate::timeline::{Header, Journal, Phase, Timeline, What};
use crate::world::{BootstrapMode, BootstrapOptions, InjectError, OperatorEnd, World, WorldError};

/// What a play needs besides its world.
pub(super) struct Script<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) header: Header,
    pub(super) budgets: Budgets,
    pub(super) attention: Attention,
    pub(super) directory: PathBuf,
    pub(super) stop: Stop,
    pub(super) progress: &'s dyn Fn(String),
    /// Interrupts the first run of the operator's command, when a person starts another.
    pub(super) interrupt: CancellationToken,
}

/// What became of it.
pub(super) struct Performance {
    pub(super) ending: Ending,
    pub(super) timeline: Option<Timeline>,
    pub(super) remarks: Vec<String>,
}

/// Why a play ended early.
enum Early {
    Skipped(String),
    Broken(String),
    /// A fault found nothing that it could happen to; the timeline says so.
    Pointless,
}

impl Script<'_> {
    /// Plays it; the world stays up. A recorder of the cluster is told when to look at logs.
    pub(super) async fn perform(&self, world: &dyn World, tape: Option<&Tape>) -> Performance {
        let failed = |reason: String| Performance {
            ending: Ending::Broken(reason),
            timeline: None,
            remarks: Vec::new(),
        };
        let path = timeline_path(&self.directory);
        let journal = match Journal::create(&path, world.clock(), self.header(world)) {
            Ok(journal) => journal,
            Err(error) => return failed(chain(&error)),
        };
        let ending = match select(
            std::pin::pin!(self.phases(world, &journal, tape)),
            std::pin::pin!(self.stop.wait()),
        )
        .await
        {
            Either::Left((Ok(()) | Err(Early::Pointless), _)) => Ending::Played,
            Either::Left((Err(Early::Skipped(reason)), _)) => Ending::Skipped(reason),
            Either::Left((Err(Early::Broken(reason)), _)) => Ending::Broken(reason),
            Either::Right(_) => Ending::Broken("interrupted".to_owned()),
        };
        if ending == Ending::Played {
            look(tape).await;
        }
        let identity = world.identity().await;
        if !identity.is_empty() {
            journal.note(What::World { identity });
        }
        journal.note(What::Phase { phase: Phase::End });
        match journal.finish() {
            Ok(timeline) => Performance { ending, timeline: Some(timeline), remarks: Vec::new() },
            Err(error) => failed(chain(&error)),
        }
    }

    fn header(&self, world: &dyn World) -> Header {
        let arguments = &self.scenario.bootstrap.arguments;
        let renamed = arguments.iter().any(|it| it.starts_with("--app-url") || it.starts_with("--hostname"));
        let login_url = (!renamed).then(|| world.access().app_url.clone());
        Header { login_url, ..self.header.clone() }
    }

    async fn phases(&self, world: &dyn World, journal: &Journal, tape: Option<&Tape>) -> Result<(), Early> {
        let installed = world.installed();
        match &installed {
            Some(install) => journal.recall(install),
            None => self.phase(journal, Phase::Install),
        }
        for (index, fault) in self.scenario.faults.iter().enumerate().filter(|(_, fault)| fault.at.is_none())
        {
            inject(world, journal, index, fault).await?;
        }
        if self.scenario.faults.iter().all(|fault| fault.at.is_none()) {
            self.phase(journal, Phase::Fault);
        }
        let recorder = Recorder::new(world, journal.clone());
        let background = async {
            let install = async {
                match &installed {
                    Some(_) => std::future::pending().await,
                    None => self.bootstrap(world, journal).await,
                }
            };
            match select(std::pin::pin!(install), std::pin::pin!(recorder.run())).await {
                Either::Left((trouble, _)) => trouble,
                Either::Right(((), _)) => "the recorder ended".to_owned(),
            }
        };
        let attended = async {
            match select(
                std::pin::pin!(background),
                std::pin::pin!(attend(world, journal, self.scenario, self.attention)),
            )
            .await
            {
                Either::Left((trouble, _)) => trouble,
                Either::Right(((), _)) => "the attendant ended".to_owned(),
            }
        };
        let script = std::pin::pin!(self.follow(world, journal, tape));
        match select(script, std::pin::pin!(attended)).await {
            Either::Left((ended, _)) => ended,
            Either::Right((trouble, _)) => Err(Early::Broken(trouble)),
        }
    }

    /// Runs the operator's command; comes back only when the command could not be run.
    async fn bootstrap(&self, world: &dyn World, journal: &Journal) -> String {
        let options = self.options();
        let command = std::pin::pin!(self.operate(world, journal, &options));
        match select(command, std::pin::pin!(self.interrupt.cancelled())).await {
            Either::Left((Err(reason), _)) => return reason,
            Either::Left((Ok(end), _)) => journal.note(What::OperatorEnded { end }),
            Either::Right(_) => {}
        }
        std::future::pending().await
    }

    fn options(&self) -> BootstrapOptions {
        let scenario = self.scenario;
        BootstrapOptions {
            mode: scenario.bootstrap.mode,
            release: scenario.release.clone(),
            profile: scenario.profile.clone(),
            dns_servers: scenario.bootstrap.dns_servers.clone(),
            arguments: scenario.bootstrap.arguments.clone(),
            ceiling: self.budgets.ceiling,
        }
    }

    /// Runs the operator's command to its end and notes what it says.
    async fn operate(
        &self,
        world: &dyn World,
        journal: &Journal,
        options: &BootstrapOptions,
    ) -> Result<OperatorEnd, String> {
        let (sender, mut receiver) = mpsc::unbounded_channel::<crate::world::OperatorLine>();
        let hear = async {
            while let Some(line) = receiver.recv().await {
                let text = world.secrets().await.mask(&line.text);
                journal.note(What::Operator { stream: line.stream, text });
            }
        };
        let (end, ()) = futures::join!(world.run_bootstrap(options, sender), hear);
        end.map_err(|error| format!("run the operator's command: {}", chain(&*error)))
    }

    async fn follow(&self, world: &dyn World, journal: &Journal, tape: Option<&Tape>) -> Result<(), Early> {
        let clock = world.clock();
        let mut watch = Watch::new(self.scenario, self.budgets, journal.clone(), clock.now());
        let mut receipts = Receipts::new(self.scenario);
        let mut looks = journal.looks();
        let mut acting = FuturesUnordered::new();
        let mut undone = self.scenario.acts.len();
        loop {
            looks.borrow_and_update();
            for milestone in watch.catch_up() {
                (self.progress)(milestone.to_string());
                if self.scenario.faults.iter().any(|fault| fault.at == Some(milestone)) {
                    look(tape).await;
                }
                self.inject_at(milestone, world, journal).await?;
                if self.scenario.acts.iter().any(|act| act.at == milestone) {
                    acting.push(self.act_at(milestone, world, journal));
                }
            }
            let seen = receipts.update(world, journal).await;
            // What people are still to do may change everything.
            let landed = if undone == 0 { seen } else { Landed::NotAll };
            let wait = watch.wait(Goal::Eventually, landed, clock.now());
            if wait != Wait::NotYet {
                receipts.last(world, journal).await;
                self.phase(journal, if wait == Wait::Unsettled { Phase::Unsettled } else { Phase::Settled });
                look(tape).await;
                if wait == Wait::Settled {
                    break;
                }
                // The recovery from what never came about proves nothing.
                return Ok(());
            }
            if acting.is_empty() {
                // The journal lives as long as this play.
                let _ = looks.changed().await;
            } else if let Either::Right((Some(acted), _)) =
                select(std::pin::pin!(looks.changed()), acting.next()).await
            {
                undone -= acted?;
            }
        }
        self.recover(world, journal, watch, receipts).await
    }

    /// Does what people do at a milestone, one thing after the other; how many things.
    async fn act_at(
        &self,
        milestone: Milestone,
        world: &dyn World,
        journal: &Journal,
    ) -> Result<usize, Early> {
        let mut done = 0;
        for act in self.scenario.acts.iter().filter(|act| act.at == milestone) {
            self.heal(world, journal, &act.step).await?;
            journal.note(What::Acted { act: act.to_string() });
            done += 1;
        }
        Ok(done)
    }

    async fn recover(
        &self,
        world: &dyn World,
        journal: &Journal,
        mut watch: Watch<'_>,
        mut receipts: Receipts<'_>,
    ) -> Result<(), Early> {
        let clock = world.clock();
        if !self.scenario.heal.is_empty() {
            self.phase(journal, Phase::Heal);
            for step in &self.scenario.heal {
                self.heal(world, journal, step).await?;
                journal.note(What::Healed { step: step.to_string() });
            }
        }
        if self.scenario.recovers.is_none() {
            return Ok(());
        }
        self.phase(journal, Phase::Recovered);
        watch.begin(clock.now());
        let mut looks = journal.looks();
        loop {
            looks.borrow_and_update();
            for milestone in watch.catch_up() {
                (self.progress)(milestone.to_string());
            }
            receipts.update(world, journal).await;
            if watch.wait(Goal::Recovers, Landed::All, clock.now()) != Wait::NotYet {
                return Ok(());
            }
            // The journal lives as long as this play.
            let _ = looks.changed().await;
        }
    }

    async fn heal(&self, world: &dyn World, journal: &Journal, step: &HealStep) -> Result<(), Early> {
        if step.name() == TIME_PASS {
            world.clock().sleep(step.params.duration("for").unwrap_or_default()).await;
            return Ok(());
        }
        if step.name() != BOOTSTRAP_RETRY {
            return world.heal(step).await.map_err(|error| Early::of(&error));
        }
        self.interrupt.cancel();
        let mut options = self.options();
        let mode = step.params.text("mode").and_then(BootstrapMode::named);
        options.mode = mode.unwrap_or(BootstrapMode::Recover);
        if let Some(release) = step.params.text("release") {
            release.clone_into(&mut options.release);
        }
        if let Some(servers) = step.params.text("dns-servers") {
            options.dns_servers = servers.split(',').map(str::to_owned).collect();
        }
        self.operate(world, journal, &options).await.map(drop).map_err(Early::Broken)
    }

    async fn inject_at(
        &self,
        milestone: Milestone,
        world: &dyn World,
        journal: &Journal,
    ) -> Result<(), Early> {
        let due = |fault: &&FaultUse| fault.at == Some(milestone);
        if !self.scenario.faults.iter().any(|fault| due(&fault)) {
            return Ok(());
        }
        for (index, fault) in self.scenario.faults.iter().enumerate().filter(|(_, fault)| due(fault)) {
            inject(world, journal, index, fault).await?;
        }
        self.phase(journal, Phase::Fault);
        Ok(())
    }

    fn phase(&self, journal: &Journal, phase: Phase) {
        (self.progress)(format!("phase {}", phase.name()));
        journal.note(What::Phase { phase });
    }

    /// How to get in. From now on the world's time goes with that of the people who come.
    pub(super) async fn keep(&self, world: &dyn World) -> Kept {
        world.clock().follow_machine();
        let access = world.access();
        Kept {
            kubeconfig: access.kubeconfig.clone(),
            status_url: access.status_url.clone(),
            token: world.status_token().await,
            app_url: access.app_url.clone(),
        }
    }
}

impl Early {
    fn of(error: &InjectError) -> Self {
        match error {
            InjectError::Unsupported { .. } => Self::Skipped(error.to_string()),
            InjectError::NoTarget { .. } | InjectError::Failed { .. } => Self::Broken(chain(error)),
        }
    }
}

async fn inject(world: &dyn World, journal: &Journal, index: usize, fault: &FaultUse) -> Result<(), Early> {
    match world.inject(fault).await {
        Ok(()) => {
            journal.note(What::Injected { index, fault: fault.to_string() });
            Ok(())
        }
        Err(error @ InjectError::NoTarget { .. }) => {
            let reason = error.to_string();
            journal.note(What::NotInjected { index, fault: fault.to_string(), reason });
            Err(Early::Pointless)
        }
        Err(error) => Err(Early::of(&error)),
    }
}

/// The logs as they stand, for the recording, if there is one.
async fn look(tape: Option<&Tape>) {
    if let Some(tape) = tape {
        tape.look().await;
    }
}

/// An error with all that led to it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Takes a world down; a failure is a remark.
pub(super) async fn take_down(world: Box<dyn World>) -> Option<String> {
    let down: Result<(), WorldError> = world.down().await;
    down.err().map(|error| format!("the world left something behind: {}", chain(&*error)))
}
