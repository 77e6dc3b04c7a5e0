//! What ends the containers of a pod that nobody deleted: the end of the machine, and an eviction.

use std::time::Duration;

use super::backoff::Backoff;
use super::spec;
use super::worker::{Stage, Worker};

/// What containers get to end when the machine does, or its memory.
const AT_ONCE: Duration = Duration::ZERO;

impl Worker {
    /// The machine ends: containers end, nobody says so, and the next boot makes the pod anew.
    pub(super) async fn lose_power(&mut self) {
        if self.stage != Stage::Active || self.is_ending() {
            return;
        }
        let had_sandbox = self.sandbox.is_some();
        self.stop_all(AT_ONCE).await;
        self.give_back_address();
        if !had_sandbox {
            return;
        }
        self.anew = true;
        let pod = std::sync::Arc::clone(&self.pod);
        for container in spec::init_containers(&pod) {
            if let Some(record) = self.records.get_mut(spec::name(container)) {
                record.last = record.ended().cloned().or_else(|| record.last.take());
                record.current = None;
            }
        }
        // The kubelet remembers no back-off from before.
        for record in self.records.values_mut() {
            record.backoff = Backoff::default();
            record.pulls = Backoff::default();
        }
    }

    /// Leaves the node: containers end, and the pod has failed.
    pub(super) async fn leave(&mut self) {
        let why = self.evicted.clone().unwrap_or_default();
        self.node.recorder.warning(&self.pod, "Evicted", &why);
        self.stop_all(AT_ONCE).await;
        self.stage = Stage::Over;
        self.write_status();
        self.give_back_address();
        self.node.volumes.tear_down(&self.uid);
    }

    /// Takes the pod's network away.
    pub(super) fn give_back_address(&mut self) {
        if let Some(sandbox) = self.sandbox.take()
            && !spec::on_host_network(&self.pod)
        {
            self.node.pod_addresses.give_back(sandbox.ip);
        }
    }
}
