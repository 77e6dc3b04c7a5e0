//! A world that plays by a script: real sockets and field time, no cluster.

mod server;
mod voice;

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use field_clock::{Clock, FieldRuntime, Options};
use jiff::Timestamp;
use serde_json::{Value, json};
use smoke_harness::fault::{FaultUse, HealStep};
use smoke_harness::run::{Keep, Outcome, Plan, Runner, Summary};
use smoke_harness::scenario::{Scenario, read};
use smoke_harness::world::{
    Access, Binaries, BootError, BootRequest, BootstrapOptions, Capability, Concealed, InjectError,
    OperatorEnd, OperatorLine, Play, Receipt, Speed, Stream, World, WorldError, WorldFactory,
};
use tokio::sync::{mpsc, watch};

pub(crate) use server::Say;
pub(crate) use voice::Notes;

/// What a script sees of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moment {
    /// Since the operator's command was started; not set before.
    pub(crate) installing: Option<Duration>,
    /// Faults that are set.
    pub(crate) faults: Vec<String>,
    /// Since the last heal step.
    pub(crate) healed: Option<Duration>,
}

impl Moment {
    /// Whether the install is at least this old, in seconds.
    pub(crate) fn after(&self, seconds: u64) -> bool {
        self.installing.is_some_and(|age| age >= Duration::from_secs(seconds))
    }
}

/// How a scripted world behaves.
#[derive(Clone)]
pub(crate) struct Script {
    /// What the status service answers to `/api/status`, `/` and `/healthz`.
    pub(crate) status: fn(&Moment, &str) -> Say,
    /// What the application answers.
    pub(crate) app: fn(&Moment) -> Say,
    /// How often a fault has happened to somebody.
    pub(crate) receipts: fn(&Moment) -> u64,
    /// How setting a fault goes.
    pub(crate) inject: fn(&FaultUse) -> Result<(), InjectError>,
    /// Called when the operator's command is started.
    pub(crate) bootstrap: fn() -> OperatorEnd,
    /// How booting goes.
    pub(crate) boot: fn() -> Result<(), BootError>,
    /// What the world can do.
    pub(crate) capabilities: &'static [Capability],
}

impl Script {
    /// An appliance that works and says the truth.
    pub(crate) fn honest() -> Self {
        Self {
            status: honest_status,
            app: |moment| if moment.after(10) { Say::Redirect("/msp/dashboard") } else { Say::Refuse },
            receipts: |moment| u64::from(moment.after(15)),
            inject: |_| Ok(()),
            bootstrap: || OperatorEnd::Exited(0),
            boot: || Ok(()),
            capabilities: &Capability::ALL,
        }
    }
}

/// What an honest service says.
pub(crate) fn honest_status(moment: &Moment, path: &str) -> Say {
    match path {
        _ if !moment.after(3) => Say::Refuse,
        "/api/status" => Say::Document(honest_document(moment)),
        _ => Say::Page,
    }
}

/// An honest document.
pub(crate) fn honest_document(moment: &Moment) -> Value {
    let login = moment.after(12);
    let worker_missing = moment.faults.iter().any(|fault| fault.contains("workflow-worker"))
        && moment.healed.is_none_or(|ago| ago < Duration::from_secs(20));
    let told = worker_missing && moment.after(20);
    let all = moment.after(25) && !worker_missing;
    let state = match (login, told, all) {
        (false, ..) => "installing",
        (true, true, _) => "ready_with_background_issues",
        (true, false, true) => "fully_healthy",
        (true, false, false) => "ready_to_log_in",
    };
    let blockers = if told { vec![worker_blocker()] } else { Vec::new() };
    document(state, login, all, &blockers)
}

/// The blocker of a workflow-worker without an image.
pub(crate) fn worker_blocker() -> Value {
    json!({
        "code": "image-not-found", "component": "workflow-worker", "layer": "Image tag availability",
        "reason": "Image tag not found: ghcr.io/nine-minds/workflow-worker:1.0", "loginBlocking": false,
        "nextAction": "Publish the missing image tag or update the appliance release manifest to a valid tag.",
        "consequences": [],
    })
}

/// A document of the contract.
pub(crate) fn document(state: &str, login: bool, background: bool, blockers: &[Value]) -> Value {
    json!({
        "timestamp": "now", "rollup": { "state": state },
        "tiers": { "login": { "ready": login }, "background": { "ready": background }, "platform": { "ready": true } },
        "topBlockers": blockers,
    })
}

/// Makes scripted worlds.
pub(crate) struct Scripted(pub(crate) Script);

impl WorldFactory for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn about(&self) -> &'static str {
        "a world that plays by a script"
    }

    fn capabilities(&self) -> &'static [Capability] {
        self.0.capabilities
    }

    fn play(&self, request: &BootRequest, play: Play<'_>) -> Result<(), BootError> {
        (self.0.boot)()?;
        let runtime = FieldRuntime::start(Options { speed: request.speed.0 }).unwrap();
        let clock = runtime.clock().clone();
        let script = self.0.clone();
        let home = request.directory.clone();
        runtime.block_on(async move {
            let world = ScriptedWorld::start(script, clock, home).await;
            play(Box::new(world)).await;
        });
        Ok(())
    }
}

struct ScriptedWorld {
    script: Script,
    clock: Clock,
    access: Access,
    state: Arc<std::sync::Mutex<State>>,
    changes: watch::Sender<u64>,
    evidence: Rc<RefCell<u32>>,
}

#[derive(Default)]
pub(crate) struct State {
    started: Option<Timestamp>,
    faults: Vec<String>,
    healed: Option<Timestamp>,
}

impl State {
    pub(crate) fn moment(&self, now: Timestamp) -> Moment {
        let ago = |then: Timestamp| Duration::try_from(now.duration_since(then)).unwrap_or_default();
        Moment {
            installing: self.started.map(ago),
            faults: self.faults.clone(),
            healed: self.healed.map(ago),
        }
    }
}

impl ScriptedWorld {
    async fn start(script: Script, clock: Clock, home: PathBuf) -> Self {
        let state = Arc::new(std::sync::Mutex::new(State::default()));
        let status = script.status;
        let status_url = server::serve(clock.clone(), Arc::clone(&state), status).await;
        let app = script.app;
        let app_url = server::serve(clock.clone(), Arc::clone(&state), move |moment, _| app(moment)).await;
        let access = Access {
            kubeconfig: home.join("kubeconfig"),
            node_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            status_url,
            app_url,
        };
        Self { script, clock, access, state, changes: watch::Sender::new(0), evidence: Rc::default() }
    }
}

#[async_trait(?Send)]
impl World for ScriptedWorld {
    fn name(&self) -> &str {
        "scripted"
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn access(&self) -> &Access {
        &self.access
    }

    async fn status_token(&self) -> Option<String> {
        Some("token".to_owned())
    }

    async fn secrets(&self) -> Concealed {
        Concealed::default()
    }

    async fn run_bootstrap(
        &self,
        _options: &BootstrapOptions,
        lines: mpsc::UnboundedSender<OperatorLine>,
    ) -> Result<OperatorEnd, WorldError> {
        self.state.lock().unwrap().started = Some(self.clock.now());
        let end = (self.script.bootstrap)();
        lines.send(OperatorLine {
            stream: Stream::Stdout,
            text: "Appliance status UI (submitted):".to_owned(),
        })?;
        self.clock.sleep(Duration::from_secs(2)).await;
        self.changes.send_modify(|version| *version += 1);
        Ok(end)
    }

    async fn inject(&self, fault: &FaultUse) -> Result<(), InjectError> {
        (self.script.inject)(fault)?;
        self.state.lock().unwrap().faults.push(fault.to_string());
        Ok(())
    }

    async fn heal(&self, _step: &HealStep) -> Result<(), InjectError> {
        self.state.lock().unwrap().healed = Some(self.clock.now());
        Ok(())
    }

    async fn receipt(&self, _fault: &FaultUse) -> Receipt {
        let moment = self.state.lock().unwrap().moment(self.clock.now());
        let count = (self.script.receipts)(&moment);
        Receipt { count, first: None, evidence: vec!["GET /v2/…/manifests/1.0: 404".to_owned()] }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn evidence(&self, directory: &Path) -> Result<(), WorldError> {
        *self.evidence.borrow_mut() += 1;
        Ok(std::fs::write(directory.join("cluster.txt"), "pods")?)
    }

    async fn down(self: Box<Self>) -> Result<(), WorldError> {
        Ok(())
    }
}

/// A run of one scenario, with what the terminal heard.
pub(crate) struct Ran {
    pub(crate) summary: Summary,
    pub(crate) notes: Notes,
    pub(crate) plan: Plan,
    _directory: tempfile::TempDir,
}

impl Ran {
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.summary.outcomes[0]
    }

    /// All findings as text.
    pub(crate) fn messages(&self) -> Vec<String> {
        self.outcome().findings.iter().map(ToString::to_string).collect()
    }
}

/// Runs a scenario by its text in worlds of this script.
pub(crate) fn run(scenario: &str, script: Script) -> Ran {
    run_planned(scenario, script, |_| {})
}

/// As [`run`], with a changed plan.
pub(crate) fn run_planned(scenario: &str, script: Script, change: impl FnOnce(&mut Plan)) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let mut plan = plan(vec![parse(scenario)], directory.path());
    change(&mut plan);
    let mut notes = Notes::default();
    let stop = notes.enough.clone();
    let runner = Runner::new(plan.clone(), Box::new(Scripted(script)), stop, &mut notes).unwrap();
    let summary = runner.run().unwrap();
    Ran { summary, notes, plan, _directory: directory }
}

/// A scenario by its text.
pub(crate) fn parse(text: &str) -> Scenario {
    let name = text.lines().find_map(|line| line.trim().strip_prefix("name: ")).unwrap();
    read(Path::new(&format!("{name}.yaml")), text).unwrap_or_else(|error| panic!("{error}"))
}

/// A plan for tests.
pub(crate) fn plan(scenarios: Vec<Scenario>, directory: &Path) -> Plan {
    let base = directory.join("worlds");
    let report = directory.join("report");
    std::fs::create_dir_all(&base).unwrap();
    std::fs::create_dir_all(&report).unwrap();
    Plan {
        scenarios,
        world: "scripted".to_owned(),
        required: Vec::new(),
        base,
        report,
        recordings: None,
        keep: Keep::Never,
        jobs: 2,
        repeat: 1,
        seed: 1,
        cluster: Default::default(),
        machine: Default::default(),
        speed: Speed::UNLIMITED,
        patience: None,
        attention: smoke_harness::diagnosis::Attention::Casual,
        status_command: None,
        operator_command: None,
        binaries: Binaries { appliance: "appliance".into(), appliance_status: "appliance-status".into() },
    }
}
