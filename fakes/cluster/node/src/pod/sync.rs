//! One sync of a pod: say how things are, then do the next thing.

use std::time::Duration;

use serde_json::Value;

use super::instance::Record;
use super::spec;
use super::worker::{Sandbox, Stage, Worker};
use crate::dns::PodNetwork;
use crate::go_time::{after, whole_second};
use crate::probes::ProbeKind;
use crate::volumes::Volumes;

/// Something failed and is to be tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct TryAgain;

/// A failed sync is repeated after 10 s and up to half of it more.
const RETRY_AFTER: u64 = 10;
const RETRY_SPREAD: u64 = 5;
/// A good one after a minute, and up to half of it more.
const RESYNC_AFTER: u64 = 60;

impl Worker {
    pub(super) async fn sync(&mut self) {
        self.look_at = None;
        self.retry_at = None;
        let outcome = self.sync_pod().await;
        if self.is_ending() || self.stage != Stage::Active {
            return;
        }
        let wait = match outcome {
            Err(TryAgain) => RETRY_AFTER + self.node.store.chance().up_to(RETRY_SPREAD),
            Ok(()) if Volumes::may_change(&self.pod) => {
                RESYNC_AFTER + self.node.store.chance().up_to(RESYNC_AFTER / 2)
            }
            Ok(()) => return,
        };
        self.retry_at = Some(whole_second(after(self.node.clock.now(), Duration::from_secs(wait))));
    }

    async fn sync_pod(&mut self) -> Result<(), TryAgain> {
        if self.stage == Stage::Active && self.is_over() {
            return self.finish().await;
        }
        self.write_status();
        if self.stage != Stage::Active || !self.mount() {
            return Ok(());
        }
        self.make_sandbox().await?;
        self.restart_unhealthy().await;
        if !self.sync_init().await? {
            return Ok(());
        }
        let pod = std::sync::Arc::clone(&self.pod);
        let mut outcome = Ok(());
        for container in spec::containers(&pod) {
            if self.is_due(container) && self.start_container(container, "spec.containers").await.is_err() {
                outcome = Err(TryAgain);
            }
            if self.is_ending() {
                break;
            }
        }
        outcome
    }

    /// The last container has ended for good: first the containers are seen as ended, then, a look later, the phase.
    async fn finish(&mut self) -> Result<(), TryAgain> {
        self.write_status();
        self.stop_all(Duration::from_secs(2)).await;
        self.stage = Stage::Finished;
        self.look_soon();
        Ok(())
    }

    /// Whether a main container has to be started.
    fn is_due(&self, container: &Value) -> bool {
        match self.records.get(spec::name(container)) {
            None => true,
            Some(record) if record.is_running() => false,
            Some(record) => record.ended().is_none_or(|ended| spec::restarts(&self.pod, ended.code)),
        }
    }

    async fn make_sandbox(&mut self) -> Result<(), TryAgain> {
        if self.sandbox.is_some() {
            return Ok(());
        }
        {
            let _turn = self.node.sandboxes.acquire().await;
            self.node.clock.sleep(self.node.pace.takes).await;
        }
        if self.anew {
            let text = "Pod sandbox changed, it will be killed and re-created.";
            self.node.recorder.normal(&self.pod, "SandboxChanged", text);
        }
        let own = spec::on_host_network(&self.pod);
        let ip = if own { Some(self.node.ip) } else { self.node.pod_addresses.take() };
        let Some(ip) = ip else {
            let why = "failed to setup network for sandbox: plugin type=\"ptp\" failed (add): failed to allocate for range 0: no IP addresses available in range set";
            let text = format!("Failed to create pod sandbox: rpc error: code = Unknown desc = {why}");
            self.node.recorder.warning(&self.pod, "FailedCreatePodSandBox", &text);
            return Err(TryAgain);
        };
        let host_ports = self.node.open_host_ports(&self.pod, ip);
        self.sandbox = Some(Sandbox { ip, network: self.network(ip), _host_ports: host_ports });
        self.look_soon();
        Ok(())
    }

    fn network(&self, ip: std::net::IpAddr) -> PodNetwork {
        let node = &self.node;
        let policy = self.pod["spec"]["dnsPolicy"].as_str().unwrap_or("ClusterFirst");
        let asks_node = policy == "Default" || (policy == "ClusterFirst" && spec::on_host_network(&self.pod));
        if asks_node {
            return PodNetwork::of_node(node.clock.clone(), node.wire.clone(), ip, node.resolvers.clone());
        }
        PodNetwork::of_pod(node.clock.clone(), node.wire.clone(), ip, node.cluster_dns(), &self.namespace)
    }

    /// Kills containers whose probes have given up on them; they are due then.
    async fn restart_unhealthy(&mut self) {
        self.records.values_mut().for_each(|record| record.just_killed = false);
        let sick: Vec<(String, ProbeKind)> = self
            .records
            .iter_mut()
            .filter_map(|(name, record)| {
                record.unhealthy.take().filter(|_| record.is_running()).map(|kind| (name.clone(), kind))
            })
            .collect();
        for (name, kind) in sick {
            let word = if kind == ProbeKind::Startup { "startup" } else { "liveness" };
            let text = format!("Container {name} failed {word} probe, will be restarted");
            self.say_at(&name).normal(&self.pod, "Killing", &text);
            let grace = self.grace();
            self.kill(std::slice::from_ref(&name), grace).await;
            if let Some(record) = self.records.get_mut(&name) {
                record.just_killed = true;
            }
        }
    }

    /// Asks containers to end, and waits until they have.
    pub(super) async fn kill(&mut self, names: &[String], grace: Duration) {
        for name in names {
            if let Some(run) = self.records.get(name).and_then(|r| r.current.as_ref()) {
                // A container that has just ended listens no more.
                let _ = run.stop.send(grace);
            }
        }
        while names.iter().any(|name| self.records.get(name).is_some_and(Record::is_running)) {
            let Some(event) = self.events.recv().await else { return };
            self.note(event);
        }
    }

    /// Ends everything that runs.
    pub(super) async fn stop_all(&mut self, grace: Duration) {
        let running: Vec<String> = self
            .records
            .iter()
            .filter(|(_, record)| record.is_running())
            .map(|(name, _)| name.clone())
            .collect();
        self.kill(&running, grace).await;
    }

    /// How long containers may take to end.
    pub(super) fn grace(&self) -> Duration {
        let asked = &self.pod["metadata"]["deletionGracePeriodSeconds"];
        let usual = &self.pod["spec"]["terminationGracePeriodSeconds"];
        Duration::from_secs(asked.as_u64().or(usual.as_u64()).unwrap_or(30))
    }

    /// A recorder that names a container.
    pub(super) fn say_at(&self, container: &str) -> cluster_api::events::Recorder {
        let init = spec::init_containers(&self.pod).iter().any(|c| spec::name(c) == container);
        let list = if init { "spec.initContainers" } else { "spec.containers" };
        self.node.recorder.at(&format!("{list}{{{container}}}"))
    }
}
