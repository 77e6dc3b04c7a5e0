//! Dispatches jobs, judges what comes back, tells the voice.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use field_clock::Clock;
use jiff::Timestamp;

use super::controls::{Cache, Controls, Key, control_for, is_control};
use super::directory::{self, DirectoryError};
use super::job::{Job, Message, Role, Shared, since};
use super::outcome::{Ending, Kept, Played, milestones_of};
use super::{Budgets, Outcome, Stop, Summary};
use crate::judge::{Control, Judgement, Milestones, Verdict, judge};
use crate::scenario::Scenario;
use crate::timeline::{ReceiptNote, Timeline, What};
use crate::world::{Binaries, Speed, WorldFactory};

/// How often the runner looks up from waiting.
const TICK: Duration = Duration::from_millis(200);
/// A job that takes longer is spoken of, each time that it has taken that long again.
const SLOW: Duration = Duration::from_secs(10);
/// How long a job that was told to stop may take for that.
const GRACE: Duration = Duration::from_secs(20);

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
    /// Where worlds have their directories, see [`directory::base`].
    pub base: PathBuf,
    /// Where the report goes; it exists.
    pub report: PathBuf,
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
    /// A status service in place of ours.
    pub status_command: Option<Vec<String>>,
    /// An operator's command in place of ours.
    pub operator_command: Option<Vec<String>>,
    /// The system under test.
    pub binaries: Binaries,
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

    /// Faultless scenarios first, for they are controls; then controls that nobody else provides; then the rest.
    fn plan_jobs(&mut self) {
        let shared = Arc::clone(&self.shared);
        let plan = &shared.plan;
        let able = shared.factory.capabilities();
        let mut scenarios: Vec<Arc<Scenario>> = Vec::new();
        for scenario in &plan.scenarios {
            let lacks: Vec<&str> =
                scenario.needs().into_iter().filter(|need| !able.contains(need)).map(|need| need.name()).collect();
            if lacks.is_empty() {
                scenarios.push(Arc::new(scenario.clone()));
            } else {
                let reason = format!("a {} world has no {}", plan.world, lacks.join(", no "));
                self.end_unplayed(scenario, reason);
            }
        }
        scenarios.sort_by_key(|scenario| !is_control(scenario));
        let mut provided: Vec<Key> =
            scenarios.iter().filter(|scenario| is_control(scenario)).map(|scenario| Key::of(scenario)).collect();
        let mut controls = Vec::new();
        for scenario in scenarios.iter().filter(|scenario| !scenario.faults.is_empty()) {
            let key = Key::of(scenario);
            if !provided.contains(&key) {
                provided.push(key);
                controls.push(Arc::new(control_for(scenario)));
            }
        }
        let first = scenarios.iter().take_while(|scenario| is_control(scenario)).count();
        let (faultless, faulty) = scenarios.split_at(first);
        let turns = |list: &[Arc<Scenario>]| -> Vec<(Role, Arc<Scenario>)> {
            let turn = |turn: u32| list.iter().map(move |s| (Role::Scenario { turn }, Arc::clone(s)));
            (1..=plan.repeat.max(1)).flat_map(turn).collect()
        };
        let controls = controls.into_iter().map(|scenario| (Role::Control, scenario));
        let jobs: Vec<_> = turns(faultless).into_iter().chain(controls).chain(turns(faulty)).collect();
        self.queue = jobs.into_iter().enumerate().map(|(id, (role, scenario))| job(id, role, scenario, plan)).collect();
    }

    fn dispatch(&mut self, clock: &Clock) -> Result<(), RunError> {
        while self.active.len() < self.shared.plan.jobs.max(1) && !self.stop.thrown() {
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
                self.done(&active.job, played, kept);
            }
        }
    }

    fn done(&mut self, job: &Job, mut played: Played, kept: Option<Kept>) {
        if job.role == Role::Control || is_control(&job.scenario) {
            let control = match (&played.ending, played.control.take()) {
                (Ending::Played, Some(control)) => Ok(control),
                (Ending::Broken(reason) | Ending::Skipped(reason), _) => Err(reason.clone()),
                (Ending::Played, None) => Err("it left no timeline".to_owned()),
            };
            self.controls.learn(Key::of(&job.scenario), control);
        }
        if job.role != Role::Control {
            self.waiting.push((copy(job), played, kept));
        }
        self.judge_waiting();
    }

    /// Judges every run whose control is there.
    fn judge_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (job, played, kept) in waiting {
            let control = if job.scenario.faults.is_empty() {
                Some(Ok(Arc::new(Control::default())))
            } else {
                self.controls.get(&Key::of(&job.scenario))
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

    fn conclude(&mut self, job: &Job, played: Played, kept: Option<Kept>, control: Result<Arc<Control>, String>) {
        let mut outcome = outcome_of(job, &self.shared.plan, played.duration);
        outcome.remarks = played.remarks;
        outcome.kept = kept;
        let judgement = match (played.ending, &played.timeline, control) {
            (Ending::Skipped(reason), ..) => self.skip(reason),
            (Ending::Broken(reason), ..) => bare(Verdict::Broken(reason)),
            (Ending::Played, None, _) => bare(Verdict::Broken("it left no timeline".to_owned())),
            (Ending::Played, Some(_), Err(reason)) => bare(Verdict::Broken(format!("its control run: {reason}"))),
            (Ending::Played, Some(timeline), Ok(control)) => judge(timeline, &job.scenario, Some(&control)),
        };
        (outcome.verdict, outcome.findings) = (judgement.verdict, judgement.findings);
        if let Some(timeline) = &played.timeline {
            outcome.field = since(timeline.start(), timeline.end());
            outcome.milestones = milestones_of(&Milestones::of(timeline, &job.scenario));
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

    fn end_unplayed(&mut self, scenario: &Scenario, reason: String) {
        let role = Role::Scenario { turn: 1 };
        let job = job(0, role, Arc::new(scenario.clone()), &self.shared.plan);
        let verdict = self.skip(reason).verdict;
        self.end(Outcome { verdict, ..outcome_of(&job, &self.shared.plan, Duration::ZERO) });
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
        let machine = Budgets::at(self.shared.plan.speed).machine;
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
            let reason = format!("no end after {} on the machine's clock; last: {}", seconds(machine), active.last);
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
    }
}

fn job(id: usize, role: Role, scenario: Arc<Scenario>, plan: &Plan) -> Job {
    let (part, turn) = match role {
        Role::Scenario { turn: 1 } => (scenario.name.clone(), 1),
        Role::Scenario { turn } => (format!("{}.{turn}", scenario.name), turn),
        Role::Control => (scenario.name.clone(), 0),
    };
    let directory = plan.report.join(part);
    let seed = plan.seed.wrapping_add(u64::from(turn.saturating_sub(1)));
    Job { id, role, scenario, directory, seed, stop: Stop::default() }
}

fn copy(job: &Job) -> Job {
    Job {
        id: job.id,
        role: job.role,
        scenario: Arc::clone(&job.scenario),
        directory: job.directory.clone(),
        seed: job.seed,
        stop: job.stop.clone(),
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
