//! Dispatches jobs, judges what comes back, tells the voice.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use field_clock::Clock;
use jiff::Timestamp;

use super::controls::{Cache, Controls, Key, is_control, needs_control};
use super::directory::{self, DirectoryError};
use super::job::{Job, Message, Role, Shared, since};
use super::outcome::{Ending, Played, milestones_of};
use super::play::chain;
use super::schedule::schedule;
use super::{Kept, Outcome, Plan, Stop, Summary, Voice};
use crate::diagnosis::diagnoses;
use crate::judge::{Control, Judgement, Milestones, Verdict, judge};
use crate::matrix::Run;
use crate::timeline::{ReceiptNote, Timeline, What};
use crate::world::WorldFactory;

/// How often the runner looks up from waiting.
const TICK: Duration = Duration::from_millis(200);
/// A job that takes longer is spoken of, each time that it has taken that long again.
const SLOW: Duration = Duration::from_secs(10);
/// How long a job that was told to stop may take for that.
const GRACE: Duration = Duration::from_secs(20);

/// Nothing could be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No place for worlds.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// No thread for a job.
    #[error("start a thread")]
    Thread(#[source] std::io::Error),
}

/// Runs a plan.
pub struct Runner<'v> {
    shared: Arc<Shared>,
    stop: Stop,
    voice: &'v mut dyn Voice,
    queue: VecDeque<Job>,
    active: HashMap<usize, Active>,
    controls: Controls,
    waiting: Vec<(Job, Played, Option<Kept>)>,
    kept: Vec<(String, Kept)>,
    threads: Vec<JoinHandle<()>>,
    summary: Summary,
    tell: Sender<Message>,
    hear: Receiver<Message>,
}

struct Active {
    job: Arc<Job>,
    began: Timestamp,
    spoken: Duration,
    last: String,
    thread: JoinHandle<()>,
}

impl<'v> Runner<'v> {
    /// A runner with a clean desk: what dead runners left is swept first. Throwing `stop` ends the run.
    ///
    /// # Errors
    /// When there is no place for worlds.
    pub fn new(
        plan: Plan,
        factory: Box<dyn WorldFactory>,
        stop: Stop,
        voice: &'v mut dyn Voice,
    ) -> Result<Self, RunError> {
        let base = plan.base.clone();
        directory::sweep(&base)?;
        let cache = Cache::of_nextest(&base);
        let (tell, hear) = mpsc::channel();
        Ok(Self {
            shared: Arc::new(Shared { factory, plan, base, release: Stop::default(), cache }),
            stop,
            voice,
            queue: VecDeque::new(),
            active: HashMap::new(),
            controls: Controls::default(),
            waiting: Vec::new(),
            kept: Vec::new(),
            threads: Vec::new(),
            summary: Summary::default(),
            tell,
            hear,
        })
    }

    /// Runs everything to its end.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn run(mut self) -> Result<Summary, RunError> {
        let clock = Clock::wall();
        let began = clock.now();
        self.plan_jobs();
        let scenarios = self.queue.iter().filter(|job| job.role != Role::Control).count();
        self.voice.begin(&self.shared.plan, scenarios);
        while !(self.queue.is_empty() && self.active.is_empty()) {
            self.dispatch(&clock)?;
            match self.hear.recv_timeout(TICK) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.look_after(&clock);
        }
        self.judge_waiting();
        self.summary.duration = since(began, clock.now());
        self.hold_kept();
        Ok(self.summary)
    }

    fn plan_jobs(&mut self) {
        let shared = Arc::clone(&self.shared);
        let schedule = schedule(&shared.plan, &*shared.factory);
        for (job, reason) in schedule.unable {
            let verdict = self.skip(reason).verdict;
            self.end(Outcome { verdict, ..outcome_of(&job, &shared.plan, Duration::ZERO) });
        }
        self.queue = schedule.jobs.into();
    }

    fn dispatch(&mut self, clock: &Clock) -> Result<(), RunError> {
        let most = self.shared.plan.jobs.max(1);
        while self.active.len() < most && !self.stop.thrown() {
            let Some(job) = self.queue.pop_front() else { break };
            let job = Arc::new(job);
            let (shared, tell, worker) = (Arc::clone(&self.shared), self.tell.clone(), Arc::clone(&job));
            let thread = std::thread::Builder::new()
                .name(job.scenario.name.clone())
                .spawn(move || worker.work(&shared, &tell))
                .map_err(RunError::Thread)?;
            let (began, last) = (clock.now(), "booting".to_owned());
            self.active.insert(job.id, Active { job, began, spoken: Duration::ZERO, last, thread });
        }
        Ok(())
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Progress { id, text } => {
                if let Some(active) = self.active.get_mut(&id) {
                    active.last = text;
                }
            }
            Message::Done { id, played, kept } => {
                let Some(active) = self.active.remove(&id) else { return };
                self.threads.push(active.thread);
                self.done(&active.job, *played, kept);
            }
        }
    }

    fn done(&mut self, job: &Job, mut played: Played, kept: Option<Kept>) {
        if let Some(run) = played.timeline.as_ref().and_then(|timeline| Run::of(timeline).ok()) {
            self.summary.matrix.add(&run);
        }
        if job.role == Role::Control || is_control(&job.scenario) {
            let control = match (&played.ending, played.control.take()) {
                (Ending::Played, Some(control)) => Ok(control),
                (Ending::Broken(reason) | Ending::Skipped(reason), _) => Err(reason.clone()),
                (Ending::Played, None) => Err("it left no timeline".to_owned()),
            };
            self.controls.learn(Key::of(&job.scenario), control);
        }
        if job.role != Role::Control {
            self.waiting.push((job.clone(), played, kept));
        }
        self.judge_waiting();
    }

    /// Judges every run whose control is there.
    fn judge_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (job, played, kept) in waiting {
            let control = if needs_control(&job.scenario) {
                self.controls.get(&Key::of(&job.scenario))
            } else {
                Some(Ok(Arc::new(Control::default())))
            };
            let over = self.queue.is_empty() && self.active.is_empty();
            match control {
                None if !over && played.ending == Ending::Played => self.waiting.push((job, played, kept)),
                control => {
                    let control = control.unwrap_or_else(|| Err("it was not run".to_owned()));
                    self.conclude(&job, played, kept, control);
                }
            }
        }
    }

    fn conclude(
        &mut self,
        job: &Job,
        played: Played,
        kept: Option<Kept>,
        control: Result<Arc<Control>, String>,
    ) {
        let mut outcome = outcome_of(job, &self.shared.plan, played.duration);
        outcome.remarks = played.remarks;
        outcome.kept = kept;
        let judgement = match (played.ending, &played.timeline, control) {
            (Ending::Skipped(reason), ..) => self.skip(reason),
            (Ending::Broken(reason), ..) => bare(Verdict::Broken(reason)),
            (Ending::Played, None, _) => bare(Verdict::Broken("it left no timeline".to_owned())),
            (Ending::Played, Some(_), Err(reason)) => {
                bare(Verdict::Broken(format!("its control run: {reason}")))
            }
            (Ending::Played, Some(timeline), Ok(control)) => judge(timeline, &job.scenario, Some(&control)),
        };
        (outcome.verdict, outcome.findings) = (judgement.verdict, judgement.findings);
        if let Some(timeline) = &played.timeline {
            outcome.field = since(timeline.start(), timeline.end());
            outcome.milestones = milestones_of(&Milestones::of(timeline, &job.scenario));
            outcome.diagnoses = diagnoses(timeline);
            outcome.receipts = receipts(timeline);
        }
        outcome.timeline = played.timeline;
        self.end(outcome);
    }

    fn skip(&self, reason: String) -> Judgement {
        let plan = &self.shared.plan;
        if plan.required.contains(&plan.world) {
            return bare(Verdict::Broken(format!("{} worlds are required here, and {reason}", plan.world)));
        }
        bare(Verdict::Skipped(reason))
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(kept) = &outcome.kept {
            self.kept.push((outcome.name.clone(), kept.clone()));
        }
        self.voice.ended(&outcome);
        self.summary.outcomes.push(outcome);
    }

    /// Speaks of slow jobs, stops those that are too slow, gives up those that do not stop.
    fn look_after(&mut self, clock: &Clock) {
        let machine = self.shared.plan.budgets(&*self.shared.factory).machine;
        if self.stop.thrown() {
            self.queue.clear();
        }
        let mut given_up = Vec::new();
        for (id, active) in &mut self.active {
            let took = since(active.began, clock.now());
            if took >= active.spoken + SLOW {
                active.spoken += SLOW;
                self.voice.slow(&active.job.scenario.name, took, &active.last);
            }
            if took >= machine || self.stop.thrown() {
                active.job.stop.throw();
            }
            if took >= machine + GRACE {
                given_up.push(*id);
            }
        }
        for id in given_up {
            let Some(active) = self.active.remove(&id) else { continue };
            let reason =
                format!("no end after {} on the machine's clock; last: {}", seconds(machine), active.last);
            let duration = machine + GRACE;
            let ending = Ending::Broken(reason);
            let played = Played { ending, remarks: Vec::new(), duration, timeline: None, control: None };
            self.done(&active.job, played, None);
        }
    }

    /// Kept worlds stay up until the runner is interrupted.
    fn hold_kept(&mut self) {
        if !self.kept.is_empty() && !self.stop.thrown() {
            self.voice.kept(&self.kept);
            while !self.stop.thrown() {
                // Nobody has anything to tell any more; this is only a wait that notices the switch.
                let _ = self.hear.recv_timeout(TICK);
            }
        }
        self.shared.release.throw();
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so, or was given up.
            let _ = thread.join();
        }
        if let Err(error) = self.shared.factory.finish() {
            self.summary.remarks.push(format!("the last world left something behind: {}", chain(&*error)));
        }
    }
}

fn outcome_of(job: &Job, plan: &Plan, duration: Duration) -> Outcome {
    Outcome {
        name: job.scenario.name.clone(),
        turn: if let Role::Scenario { turn } = job.role { turn } else { 0 },
        world: plan.world.clone(),
        verdict: Verdict::Broken("it was not judged".to_owned()),
        findings: Vec::new(),
        remarks: Vec::new(),
        duration,
        field: Duration::ZERO,
        milestones: Vec::new(),
        diagnoses: Vec::new(),
        receipts: Vec::new(),
        directory: job.directory.clone(),
        seed: job.seed,
        kept: None,
        timeline: None,
    }
}

fn bare(verdict: Verdict) -> Judgement {
    Judgement { verdict, findings: Vec::new() }
}

/// The last receipt of every fault.
fn receipts(timeline: &Timeline) -> Vec<ReceiptNote> {
    let mut last: Vec<ReceiptNote> = Vec::new();
    for event in &timeline.events {
        if let What::Receipt(note) = &event.what {
            last.retain(|other| other.index != note.index);
            last.push(note.clone());
        }
    }
    last
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}
