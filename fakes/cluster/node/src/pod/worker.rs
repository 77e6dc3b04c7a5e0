//! The worker of one pod.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cluster_api::object;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

use super::instance::{Event, Record};
use crate::dns::PodNetwork;
use crate::go_time::{after, whole_second};
use crate::kubelet::Kubelet;
use crate::probes::ProbeChange;
use crate::proxy::HostPorts;

/// From the start of a kubelet to its first look at a pod.
const STARTING_TAKES: Duration = Duration::from_millis(1300);
/// The most that the kubelet takes before it looks at a new pod.
const TAKES: Duration = Duration::from_millis(20);

/// What a worker is told about its pod.
pub(crate) enum Update {
    /// The pod as it is now.
    Pod(Arc<Value>),
    /// It is gone from the store.
    Gone,
    /// The kubelet takes it from the node, for this reason.
    Evict(String),
}

/// How far a pod's life has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Containers run, or are to.
    Active,
    /// Everything has ended for good; the next status says so.
    Finished,
    /// It was ended from outside.
    Over,
}

/// What all containers of a pod share.
pub(super) struct Sandbox {
    pub(super) ip: IpAddr,
    pub(super) network: PodNetwork,
    /// Doors on the node that lead to this pod.
    pub(super) _host_ports: HostPorts,
}

/// Brings one pod nearer to what is wanted.
pub(crate) struct Worker {
    pub(super) node: Arc<Kubelet>,
    pub(super) pod: Arc<Value>,
    pub(super) uid: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) accepted: Timestamp,
    pub(super) stage: Stage,
    pub(super) sandbox: Option<Sandbox>,
    pub(super) volumes: Option<HashMap<String, PathBuf>>,
    pub(super) mounting: super::mounts::Mounting,
    pub(super) pins: super::mounts::Pins,
    pub(super) records: BTreeMap<String, Record>,
    pub(super) runs: u64,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
    pub(super) report: mpsc::UnboundedSender<Event>,
    pub(super) gone: bool,
    /// Why the kubelet took it from the node.
    pub(super) evicted: Option<String>,
    /// The machine was restarted, and no main container since.
    pub(super) anew: bool,
    updates: mpsc::UnboundedReceiver<Update>,
    /// When to look again because something started or ended.
    pub(super) look_at: Option<Timestamp>,
    /// When to try again because something failed, or may have changed.
    pub(super) retry_at: Option<Timestamp>,
}

impl Worker {
    pub(crate) fn new(node: Arc<Kubelet>, pod: Arc<Value>, updates: mpsc::UnboundedReceiver<Update>) -> Self {
        let (report, events) = mpsc::unbounded_channel();
        Self {
            uid: object::uid(&pod).to_owned(),
            namespace: object::namespace(&pod).to_owned(),
            name: object::name(&pod).to_owned(),
            accepted: node.clock.now(),
            node,
            pod,
            stage: Stage::Active,
            sandbox: None,
            volumes: None,
            mounting: super::mounts::Mounting::default(),
            pins: super::mounts::Pins::default(),
            records: BTreeMap::new(),
            runs: 0,
            events,
            report,
            gone: false,
            evicted: None,
            anew: false,
            updates,
            look_at: None,
            retry_at: None,
        }
    }

    /// Works until the pod has ended and is removed, or the node stops.
    pub(crate) async fn run(mut self) {
        if matches!(self.pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) {
            self.stage = Stage::Over;
        }
        if !self.is_ending() && self.stage == Stage::Active {
            self.node.clock.sleep(self.node.store.chance().moment(TAKES)).await;
            self.sync().await;
        }
        let stop = self.node.stop.clone();
        let mut process = self.node.process.subscribe();
        loop {
            if self.is_ending() && process.borrow().running {
                self.end().await;
                return;
            }
            let life = *process.borrow_and_update();
            if self.evicted.is_some() && self.stage == Stage::Active {
                self.leave().await;
                continue;
            }
            if !life.running {
                if !life.powered {
                    self.lose_power().await;
                }
                tokio::select! {
                    () = stop.cancelled() => {
                        self.stop_all(Duration::ZERO).await;
                        return;
                    }
                    _ = self.node.process.running() => {}
                }
                self.node.clock.sleep(STARTING_TAKES).await;
                self.sync().await;
                continue;
            }
            let clock = self.node.clock.clone();
            let wake = [self.look_at, self.retry_at].into_iter().flatten().min();
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.stop_all(Duration::ZERO).await;
                    return;
                }
                update = self.updates.recv() => self.take(update),
                Some(event) = self.events.recv() => {
                    if self.note(event) {
                        self.sync().await;
                    }
                }
                () = clock.sleep_until(wake.unwrap_or(Timestamp::MAX)), if wake.is_some() => self.sync().await,
                // Nobody but the node itself drops the sender.
                _ = process.changed() => {}
            }
        }
    }

    /// Whether the pod is to end.
    pub(super) fn is_ending(&self) -> bool {
        self.gone || object::is_deleting(&self.pod)
    }

    /// The next update; for those who wait for something else meanwhile.
    pub(super) async fn next_update(&mut self) {
        let update = self.updates.recv().await;
        self.take(update);
    }

    fn take(&mut self, update: Option<Update>) {
        match update {
            Some(Update::Pod(pod)) => self.pod = pod,
            Some(Update::Evict(why)) => self.evicted = Some(why),
            Some(Update::Gone) | None => self.gone = true,
        }
    }

    /// Notes what happened to a container; says whether it cannot wait for the next look.
    pub(super) fn note(&mut self, event: Event) -> bool {
        match event {
            Event::Ended { container, number, exit, at } => {
                let falls_back = self.falls_back_to_logs(&container);
                let Some(record) = self.records.get_mut(&container) else { return false };
                let Some(run) = record.current.as_mut().filter(|run| run.number == number) else {
                    return false;
                };
                run.end(exit, at, falls_back);
                run.ended.cancel();
                record.ready = false;
                record.started = false;
                self.look_soon();
                false
            }
            Event::Probe { container, number, change } => self.note_probe(&container, number, change),
        }
    }

    fn note_probe(&mut self, container: &str, number: u64, change: ProbeChange) -> bool {
        let Some(record) = self.records.get_mut(container) else { return false };
        if !record.is_running() || record.current.as_ref().is_none_or(|run| run.number != number) {
            return false;
        }
        match change {
            ProbeChange::Started => record.started = true,
            ProbeChange::Ready => record.ready = true,
            ProbeChange::Unready => record.ready = false,
            ProbeChange::Unhealthy(kind) => {
                record.unhealthy = Some(kind);
                return true;
            }
        }
        self.write_status();
        change == ProbeChange::Started
    }

    fn falls_back_to_logs(&self, container: &str) -> bool {
        let spec = &self.pod["spec"];
        let all = ["containers", "initContainers"]
            .into_iter()
            .flat_map(|f| spec[f].as_array().into_iter().flatten());
        all.into_iter()
            .any(|c| c["name"] == container && c["terminationMessagePolicy"] == "FallbackToLogsOnError")
    }

    /// Looks again at the next whole second, as the kubelet's event generator does.
    pub(super) fn look_soon(&mut self) {
        let next = whole_second(after(self.node.clock.now(), Duration::from_millis(1)));
        self.look_at = Some(self.look_at.map_or(next, |at| at.min(next)));
    }

    /// Looks again after some seconds.
    pub(super) fn look_in(&mut self, wait: Duration) {
        self.look_at = Some(whole_second(after(self.node.clock.now(), wait)));
    }
}
