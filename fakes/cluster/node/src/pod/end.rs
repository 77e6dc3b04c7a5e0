//! The end of a pod.

use std::time::Duration;

use cluster_api::kinds::PODS;
use cluster_api::object;

use super::worker::{Stage, Worker};

impl Worker {
    /// Ends the containers, says how they ended, and lets the pod go.
    pub(super) async fn end(mut self) {
        let running: Vec<String> = self
            .records
            .iter()
            .filter(|(_, record)| record.is_running())
            .map(|(name, _)| name.clone())
            .collect();
        for name in &running {
            self.say_at(name).normal(&self.pod, "Killing", &format!("Stopping container {name}"));
        }
        let grace = if self.gone { Duration::from_secs(1) } else { self.grace() };
        self.kill(&running, grace).await;
        if !self.gone && !self.records.is_empty() {
            self.stage = Stage::Over;
            self.write_status();
        }
        self.let_go();
        let removable = self
            .node
            .store
            .get(&PODS, &self.namespace, &self.name)
            .is_some_and(|pod| object::uid(&pod) == self.uid);
        if removable {
            self.node.store.remove(&PODS, &self.namespace, &self.name);
        }
    }

    /// Gives back what the pod had of the node.
    fn let_go(&mut self) {
        self.give_back_address();
        self.node.volumes.tear_down(&self.uid);
        self.node.logs.forget(&self.uid);
    }
}
