//! One thread's work: a scenario or a control in a world of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use field_clock::Clock;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::controls::Cache;
use super::directory::WorldDirectory;
use super::outcome::{Ending, Kept, Played};
use super::play::{Performance, Script, chain, take_down};
use super::{Keep, Plan, Stop, evidence, panics};

use super::schedule::beginning;
use crate::judge::{Control, Verdict, judge};
use crate::scenario::Scenario;
use crate::timeline::{Claims, Header, VERSION};
use crate::world::{Beginning, BootError, BootRequest, World, WorldFactory};

/// What every job of a run shares.
pub(super) struct Shared {
    pub(super) factory: Box<dyn WorldFactory>,
    pub(super) plan: Plan,
    pub(super) base: PathBuf,
    /// Kept worlds go down when it is thrown.
    pub(super) release: Stop,
    pub(super) cache: Option<Cache>,
}

/// What a job is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A scenario, for this time.
    Scenario { turn: u32 },
    /// A control for others.
    Control,
}

/// One thread's work.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) id: usize,
    pub(super) role: Role,
    pub(super) scenario: Arc<Scenario>,
    pub(super) directory: PathBuf,
    pub(super) seed: u64,
    pub(super) stop: Stop,
}

/// What a job tells the runner.
pub(super) enum Message {
    /// Where it is.
    Progress { id: usize, text: String },
    /// It is over; a kept world goes on.
    Done { id: usize, played: Box<Played>, kept: Option<Kept> },
}

impl Job {
    /// Works, on a thread of its own, and tells.
    pub(super) fn work(&self, shared: &Shared, tell: &Sender<Message>) {
        let played = match (&shared.cache, self.role) {
            (Some(cache), Role::Control) => self.cached(cache, shared, tell),
            _ => self.play(shared, tell),
        };
        if let Some(played) = played {
            // A runner that is gone needs no answer.
            let _ = tell.send(Message::Done { id: self.id, played: Box::new(played), kept: None });
        }
    }

    fn cached(&self, cache: &Cache, shared: &Shared, tell: &Sender<Message>) -> Option<Played> {
        let plan = &shared.plan;
        let scenario = &self.scenario;
        let identity = format!(
            "{}|{}|{}|{}|{:?}|{:?}",
            scenario.release,
            scenario.profile,
            plan.world,
            plan.speed,
            plan.status_command,
            plan.operator_command
        );
        let made = cache.get_or_make(&identity, || {
            let played = self.play(shared, tell);
            let control = played.as_ref().and_then(|played| played.control.clone());
            (played, control)
        });
        match made {
            Ok(Ok(control)) => Some(Played {
                ending: Ending::Played,
                remarks: Vec::new(),
                duration: Duration::ZERO,
                timeline: None,
                control: Some(control),
            }),
            Ok(Err(played)) => played,
            Err(error) => Some(broken(format!("share a control: {}", chain(&error)), Duration::ZERO)),
        }
    }

    /// Nothing comes back when everything was told already.
    fn play(&self, shared: &Shared, tell: &Sender<Message>) -> Option<Played> {
        let clock = Clock::wall();
        let began = clock.now();
        panics::remember();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.in_world(shared, tell, began)));
        let panic = panics::take();
        let duration = since(began, clock.now());
        match (outcome, panic) {
            (Ok(None), _) => None,
            (Ok(Some(played)), None) => Some(played),
            // What a world says after a panic in it is not to be believed.
            (Ok(Some(mut played)), Some(panic)) => {
                played.ending = Ending::Broken(format!("the world {panic}"));
                played.control = None;
                Some(played)
            }
            (Err(_), panic) => {
                let said = panic.unwrap_or_else(|| "panicked".to_owned());
                Some(broken(format!("the world {said}"), duration))
            }
        }
    }

    fn in_world(&self, shared: &Shared, tell: &Sender<Message>, began: Timestamp) -> Option<Played> {
        let duration = || since(began, Clock::wall().now());
        if let Err(error) = std::fs::create_dir_all(&self.directory) {
            return Some(broken(format!("make {}: {error}", self.directory.display()), duration()));
        }
        let home = match WorldDirectory::create(&shared.base) {
            Ok(home) => home,
            Err(error) => return Some(broken(chain(&error), duration())),
        };
        let request = self.request(shared, &home);
        let progress = |text: String| {
            // A runner that is gone needs no progress.
            let _ = tell.send(Message::Progress { id: self.id, text });
        };
        let script = Script {
            scenario: &self.scenario,
            header: self.header(shared),
            budgets: shared.plan.budgets(&*shared.factory),
            attention: shared.plan.attention,
            directory: self.directory.clone(),
            stop: self.stop.clone(),
            progress: &progress,
            interrupt: CancellationToken::new(),
        };
        let mut finished = None;
        let result = shared.factory.play(
            &request,
            Box::new(|world| {
                Box::pin(async {
                    finished = Some(self.to_the_end(world, &script, shared, tell, began).await);
                })
            }),
        );
        match (result, finished) {
            (_, Some(played)) => played,
            (Err(error @ BootError::Unavailable { .. }), None) => Some(Played {
                ending: Ending::Skipped(error.to_string()),
                ..broken(String::new(), duration())
            }),
            (Err(error), None) => Some(broken(chain(&error), duration())),
            (Ok(()), None) => Some(broken("the world was never there".to_owned(), duration())),
        }
    }

    async fn to_the_end(
        &self,
        world: Box<dyn World>,
        script: &Script<'_>,
        shared: &Shared,
        tell: &Sender<Message>,
        began: Timestamp,
    ) -> Option<Played> {
        let tape = match self.tape(&shared.plan, &*world).await {
            Ok(tape) => tape,
            Err(error) => {
                let reason = format!("record the cluster: {}", chain(&error));
                let mut played = broken(reason, since(began, Clock::wall().now()));
                played.remarks.extend(take_down(world).await);
                return Some(played);
            }
        };
        let mut performance = script.perform(&*world, tape.as_ref()).await;
        if let Some(tape) = tape {
            self.keep_recording(tape, &mut performance, &shared.plan, &*world).await;
        }
        let Performance { ending, timeline, mut remarks } = performance;
        let verdict = match (&ending, &timeline) {
            (Ending::Played, Some(timeline)) => Some(judge(timeline, &self.scenario, None).verdict),
            _ => None,
        };
        let fine = verdict == Some(Verdict::Passed)
            || matches!(ending, Ending::Skipped(_))
            || self.role == Role::Control;
        if !fine {
            remarks.extend(evidence::collect(&*world, &self.directory, timeline.as_ref()).await);
        }
        if let Some(timeline) = timeline.as_ref().filter(|it| fine && it.ends_healthy()) {
            world.stands(timeline);
        }
        let control = timeline.as_ref().filter(|_| ending == Ending::Played).map(Control::of);
        let duration = since(began, Clock::wall().now());
        let mut played = Played { ending, remarks, duration, timeline, control };
        let keep = match shared.plan.keep {
            Keep::Never => false,
            Keep::OnFailure => !fine,
            Keep::Always => self.role != Role::Control,
        };
        if !keep || self.stop.thrown() {
            played.remarks.extend(take_down(world).await);
            return Some(played);
        }
        let kept = Some(script.keep(&*world).await);
        // A runner that is gone releases nothing, and waits for nothing.
        let told = tell.send(Message::Done { id: self.id, played: Box::new(played), kept });
        if told.is_ok() {
            shared.release.wait().await;
        }
        take_down(world).await;
        None
    }

    fn request(&self, shared: &Shared, home: &WorldDirectory) -> BootRequest {
        let plan = &shared.plan;
        BootRequest {
            directory: home.path().to_owned(),
            release: self.scenario.release.clone(),
            profile: self.scenario.profile.clone(),
            speed: plan.speed,
            seed: self.seed,
            binaries: plan.binaries.clone(),
            cluster: plan.cluster.clone(),
            machine: plan.machine.clone(),
            beginning: self.beginning(),
            status_command: plan.status_command.clone(),
            operator_command: plan.operator_command.clone(),
        }
    }

    /// A scenario in which nothing is different until all is healthy can begin with an install that is.
    pub(super) fn beginning(&self) -> Beginning {
        if self.role == Role::Control { Beginning::Empty } else { beginning(&self.scenario) }
    }

    fn header(&self, shared: &Shared) -> Header {
        Header {
            version: VERSION,
            scenario: self.scenario.name.clone(),
            world: shared.plan.world.clone(),
            release: self.scenario.release.clone(),
            profile: self.scenario.profile.clone(),
            speed: shared.plan.speed.to_string(),
            seed: self.seed,
            login_url: None,
            claims: Some(Claims::of(&self.scenario)),
        }
    }
}

fn broken(reason: String, duration: Duration) -> Played {
    Played { ending: Ending::Broken(reason), remarks: Vec::new(), duration, timeline: None, control: None }
}

pub(super) fn since(began: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(began)).unwrap_or_default()
}
