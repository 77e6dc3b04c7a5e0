//! The status that a worker writes.

use cluster_api::kinds::PODS;
use cluster_api::object;
use serde_json::{Value, json};

use super::conditions::Facts;
use super::container_status::{Frame, container_status};
use super::phase::phase;
use super::spec;
use super::worker::{Stage, Worker};

impl Worker {
    /// Writes the status as things are now. A phase that is final is held back until the worker has said that all is over.
    pub(super) fn write_status(&mut self) {
        let (uid, namespace, name) = (self.uid.clone(), self.namespace.clone(), self.name.clone());
        let made = self.make_status();
        let written = self.node.store.modify(&PODS, &namespace, &name, |pod| {
            if object::uid(pod) == uid {
                pod["status"] = made;
            }
        });
        if let Ok(pod) = written
            && object::uid(&pod) == uid
        {
            self.pod = pod;
        }
    }

    fn make_status(&self) -> Value {
        let pod = &*self.pod;
        let of = |container: &Value| self.records.get(spec::name(container));
        let init: Vec<Value> = spec::init_containers(pod)
            .iter()
            .map(|c| container_status(&Frame::init(pod, c, of(c)), of(c)))
            .collect();
        let main: Vec<Value> = spec::containers(pod)
            .iter()
            .map(|c| container_status(&Frame::main(pod, c, of(c)), of(c)))
            .collect();
        let phase = self.shown_phase(&init, &main);
        let has_sandbox = self.sandbox.is_some() && self.stage == Stage::Active;
        // The phase is held back until the worker is done; the conditions say already what it will be.
        let coming = if self.stage == Stage::Active { self.phase_of(&init, &main) } else { phase };
        let facts =
            Facts { pod, phase: coming, has_sandbox, init: &init, main: &main, now: self.node.clock.now() };
        let conditions = facts.conditions();
        let mut status = json!({"conditions": conditions});
        status["containerStatuses"] = Value::Array(main);
        status["hostIP"] = json!(self.node.ip);
        status["hostIPs"] = json!([{"ip": self.node.ip}]);
        if !init.is_empty() {
            status["initContainerStatuses"] = Value::Array(init);
        }
        status["observedGeneration"] = json!(object::generation(pod).max(1));
        status["phase"] = json!(phase);
        if let Some(sandbox) = &self.sandbox {
            status["podIP"] = json!(sandbox.ip);
            status["podIPs"] = json!([{"ip": sandbox.ip}]);
        }
        if let Some(why) = &self.evicted
            && self.stage == Stage::Over
        {
            status["reason"] = json!("Evicted");
            status["message"] = json!(why);
        }
        status["qosClass"] = pod["status"].get("qosClass").cloned().unwrap_or(json!("BestEffort"));
        status["startTime"] = json!(object::timestamp(self.accepted));
        status
    }

    fn shown_phase(&self, init: &[Value], main: &[Value]) -> &'static str {
        match (self.stage, self.phase_of(init, main)) {
            (Stage::Over, "Pending" | "Running") => self.final_phase(),
            (Stage::Active, "Succeeded" | "Failed") => match self.pod["status"]["phase"].as_str() {
                Some("Pending") | None => "Pending",
                _ => "Running",
            },
            (_, phase) => phase,
        }
    }

    fn phase_of(&self, init: &[Value], main: &[Value]) -> &'static str {
        let all = || init.iter().chain(main);
        phase(&self.pod, &|name| all().find(|status| status["name"] == name))
    }

    /// Whether nothing will run any more by itself.
    pub(super) fn is_over(&self) -> bool {
        let pod = &*self.pod;
        let status = |c: &Value, init: bool| {
            let record = self.records.get(spec::name(c));
            let frame = if init { Frame::init(pod, c, record) } else { Frame::main(pod, c, record) };
            container_status(&frame, record)
        };
        let init: Vec<Value> = spec::init_containers(pod).iter().map(|c| status(c, true)).collect();
        let main: Vec<Value> = spec::containers(pod).iter().map(|c| status(c, false)).collect();
        matches!(self.phase_of(&init, &main), "Succeeded" | "Failed")
    }

    /// The phase of a pod that was ended from outside: all main containers left well, or not.
    fn final_phase(&self) -> &'static str {
        if self.evicted.is_some() {
            return "Failed";
        }
        let well = |c: &Value| {
            let record = self.records.get(spec::name(c));
            record.and_then(super::instance::Record::ended).is_some_and(|ended| ended.code == 0)
        };
        if spec::containers(&self.pod).iter().all(well) { "Succeeded" } else { "Failed" }
    }
}
