//! Probes: one task per probe of a run, all on whole seconds of field time.

mod check;
mod http;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cluster_api::Store;
use cluster_api::events::Recorder;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::go_time::{after, whole_second};
use crate::process::Process;
use crate::runtime::{ContainerSpec, Runtime};
use crate::wire::Wire;
use check::Answer;

/// From a probe's beginning to its first question.
const SENDING_TAKES: Duration = Duration::from_millis(100);
/// What a kubelet has to do first when it starts.
const SETTLING: Duration = Duration::from_secs(2);
/// For how long a world stands still for a process outside that was probed.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeKind {
    Startup,
    Readiness,
    Liveness,
}

/// What a probe found out that was not known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeChange {
    Started,
    Ready,
    Unready,
    /// It wants the container restarted.
    Unhealthy(ProbeKind),
}

/// The run that is probed.
#[derive(Clone)]
pub(crate) struct Probed {
    pub(crate) pod: Arc<Value>,
    pub(crate) recorder: Recorder,
    pub(crate) spec: ContainerSpec,
    /// Where probes come from.
    pub(crate) from: IpAddr,
    pub(crate) wire: Wire,
    pub(crate) runtime: Arc<dyn Runtime>,
    /// Who probes.
    pub(crate) kubelet: Process,
    pub(crate) store: Store,
    pub(crate) pid: Option<u32>,
    pub(crate) ended: CancellationToken,
}

/// Starts the probes of a run; `tell` hears of every change.
pub(crate) fn watch_over(
    probed: Probed,
    container: &Value,
    tell: impl Fn(ProbeChange) + Send + Sync + 'static,
) {
    let has_startup = container["startupProbe"].is_object();
    let (started, _) = watch::channel(!has_startup);
    let started = Arc::new(started);
    let tell: Arc<dyn Fn(ProbeChange) + Send + Sync> = Arc::new(tell);
    for (kind, field) in [
        (ProbeKind::Startup, "startupProbe"),
        (ProbeKind::Readiness, "readinessProbe"),
        (ProbeKind::Liveness, "livenessProbe"),
    ] {
        if container[field].is_object() {
            let probe = Probe::new(kind, container[field].clone(), Arc::clone(&started), Arc::clone(&tell));
            tokio::spawn(probe.run(probed.clone()));
        }
    }
}

struct Probe {
    kind: ProbeKind,
    spec: Value,
    started: Arc<watch::Sender<bool>>,
    tell: Arc<dyn Fn(ProbeChange) + Send + Sync>,
    /// What was found last, and how often in a row.
    streak: (bool, u64),
    ready: bool,
    /// Whether the last answer did not come in time.
    late: bool,
}

impl Probe {
    fn new(
        kind: ProbeKind,
        spec: Value,
        started: Arc<watch::Sender<bool>>,
        tell: Arc<dyn Fn(ProbeChange) + Send + Sync>,
    ) -> Self {
        Self { kind, spec, started, tell, streak: (true, 0), ready: false, late: false }
    }

    async fn run(mut self, probed: Probed) {
        let ended = probed.ended.clone();
        tokio::select! {
            () = ended.cancelled() => {}
            () = self.go_on(&probed) => {}
        }
    }

    /// Probes again and again, until there is nothing left to find out.
    async fn go_on(&mut self, probed: &Probed) {
        let clock = &probed.spec.clock;
        let second = |name: &str, usual: u64| Duration::from_secs(self.spec[name].as_u64().unwrap_or(usual));
        let (delay, period) =
            (second("initialDelaySeconds", 0), second("periodSeconds", 10).max(Duration::from_secs(1)));
        let mut next = whole_second(after(clock.now(), delay.max(Duration::from_millis(1))));
        if self.kind != ProbeKind::Startup {
            let mut started = self.started.subscribe();
            if started.wait_for(|started| *started).await.is_err() {
                return;
            }
        }
        loop {
            while next < clock.now() {
                next = after(next, period);
            }
            clock.sleep_until(next).await;
            if !probed.kubelet.life().running {
                self.begin_again(probed, period).await;
                next = whole_second(clock.now());
            }
            next = after(next, period);
            let answer = self.ask(probed).await;
            if self.is_done_after(&answer, probed) {
                return;
            }
        }
    }

    /// A kubelet that was started again knows nothing of earlier answers. It begins at any moment of a period, so that not
    /// all probes come at once.
    async fn begin_again(&mut self, probed: &Probed, period: Duration) {
        probed.kubelet.running().await;
        probed.spec.clock.sleep(SETTLING + probed.store.chance().moment(period)).await;
        self.streak = (true, 0);
        if self.kind == ProbeKind::Readiness {
            self.ready = false;
            (self.tell)(ProbeChange::Unready);
            probed.spec.clock.sleep(SENDING_TAKES).await;
        }
    }

    /// Asks once. A process outside has the machine's time to answer, unless it let the last probe wait in vain.
    async fn ask(&mut self, probed: &Probed) -> Answer {
        let clock = &probed.spec.clock;
        let asked = clock.now();
        let check = check::check(probed, &self.spec);
        let answer = match probed.pid {
            Some(_) if !self.late => clock.hold_during("a probe of a process outside", PATIENCE, check).await,
            _ => check.await,
        };
        self.late = clock.now() >= after(asked, check::patience(&self.spec));
        answer
    }

    /// Weighs an answer; says whether the probe has done its work.
    fn is_done_after(&mut self, answer: &Answer, probed: &Probed) -> bool {
        let good = match answer {
            Answer::Good => true,
            Answer::Bad(text) => {
                let text = format!("{} probe failed: {text}", self.word());
                probed.recorder.warning(&probed.pod, "Unhealthy", &text);
                false
            }
            Answer::Errored(text) => {
                let text = format!("{} probe errored and resulted in unknown state: {text}", self.word());
                probed.recorder.warning(&probed.pod, "Unhealthy", &text);
                return false;
            }
        };
        self.streak = if self.streak.0 == good { (good, self.streak.1 + 1) } else { (good, 1) };
        let (field, usual) = if good { ("successThreshold", 1) } else { ("failureThreshold", 3) };
        if self.streak.1 < self.spec[field].as_u64().unwrap_or(usual) {
            return false;
        }
        match (self.kind, good) {
            (ProbeKind::Startup, true) => {
                self.started.send_replace(true);
                (self.tell)(ProbeChange::Started);
                true
            }
            (ProbeKind::Readiness, good) => {
                if self.ready != good {
                    self.ready = good;
                    (self.tell)(if good { ProbeChange::Ready } else { ProbeChange::Unready });
                }
                false
            }
            (ProbeKind::Liveness, true) => false,
            (ProbeKind::Startup | ProbeKind::Liveness, false) => {
                (self.tell)(ProbeChange::Unhealthy(self.kind));
                true
            }
        }
    }

    fn word(&self) -> &'static str {
        match self.kind {
            ProbeKind::Startup => "Startup",
            ProbeKind::Readiness => "Readiness",
            ProbeKind::Liveness => "Liveness",
        }
    }
}
