//! The conditions of a pod.

use cluster_api::object::{condition, timestamp};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::spec;

/// What the conditions are made from.
pub(super) struct Facts<'a> {
    pub(super) pod: &'a Value,
    pub(super) phase: &'a str,
    pub(super) has_sandbox: bool,
    pub(super) init: &'a [Value],
    pub(super) main: &'a [Value],
    pub(super) now: Timestamp,
}

/// Status, reason and message of a condition.
type Verdict = (bool, &'static str, String);

impl Facts<'_> {
    /// All conditions, in the kubelet's order; foreign ones stay at the end.
    pub(super) fn conditions(&self) -> Vec<Value> {
        let ready = self.containers_ready();
        let mut list = vec![
            self.condition("PodReadyToStartContainers", &(self.has_sandbox, "", String::new())),
            self.condition("Initialized", &self.initialized()),
            self.condition("Ready", &ready),
            self.condition("ContainersReady", &ready),
            self.condition("PodScheduled", &(true, "", String::new())),
        ];
        let known: Vec<Value> = list.iter().map(|c| c["type"].clone()).collect();
        let foreign = self.pod["status"]["conditions"].as_array().into_iter().flatten();
        list.extend(foreign.filter(|c| !known.contains(&c["type"])).cloned());
        list
    }

    fn condition(&self, kind: &str, (status, reason, message): &Verdict) -> Value {
        let status = if *status { "True" } else { "False" };
        let before = condition(self.pod, kind).filter(|c| c["status"] == status);
        let since = before.map_or_else(|| json!(timestamp(self.now)), |c| c["lastTransitionTime"].clone());
        let mut made = json!({"lastProbeTime": null, "lastTransitionTime": since});
        if !message.is_empty() {
            made["message"] = json!(message);
        }
        made["observedGeneration"] = self.pod["metadata"].get("generation").cloned().unwrap_or(json!(1));
        if !reason.is_empty() {
            made["reason"] = json!(reason);
        }
        made["status"] = json!(status);
        made["type"] = json!(kind);
        made
    }

    fn initialized(&self) -> Verdict {
        if self.phase == "Succeeded" {
            return (true, "PodCompleted", String::new());
        }
        let done = |status: &Value, container: &Value| {
            if spec::is_sidecar(container) { status["started"] == true } else { status["ready"] == true }
        };
        let open: Vec<&str> = spec::init_containers(self.pod)
            .iter()
            .zip(self.init)
            .filter(|(container, status)| !done(status, container))
            .map(|(container, _)| spec::name(container))
            .collect();
        if open.is_empty() {
            return (true, "", String::new());
        }
        (
            false,
            "ContainersNotInitialized",
            format!("containers with incomplete status: [{}]", open.join(" ")),
        )
    }

    fn containers_ready(&self) -> Verdict {
        match self.phase {
            "Succeeded" => return (false, "PodCompleted", String::new()),
            "Failed" => return (false, "PodFailed", String::new()),
            _ => {}
        }
        let sidecars = spec::init_containers(self.pod).iter().zip(self.init);
        let sidecars =
            sidecars.filter(|(container, _)| spec::is_sidecar(container)).map(|(_, status)| status);
        let all = sidecars.chain(self.main);
        let open: Vec<&str> = all.filter(|s| s["ready"] != true).map(spec::name).collect();
        if open.is_empty() {
            return (true, "", String::new());
        }
        (false, "ContainersNotReady", format!("containers with unready status: [{}]", open.join(" ")))
    }
}
