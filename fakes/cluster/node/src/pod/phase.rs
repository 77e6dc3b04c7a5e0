//! The phase that the containers' statuses amount to.

use serde_json::Value;

use super::spec;

#[derive(Default)]
struct Count {
    pending_init: usize,
    failed_init: usize,
    waiting: usize,
    running: usize,
    stopped: usize,
    succeeded: usize,
}

/// The phase of a pod whose containers have these statuses, by name.
pub(super) fn phase<'a>(pod: &Value, status_of: &dyn Fn(&str) -> Option<&'a Value>) -> &'static str {
    let mut count = Count::default();
    for container in spec::init_containers(pod) {
        count.init(container, status_of(spec::name(container)));
    }
    for container in spec::containers(pod) {
        count.main(status_of(spec::name(container)));
    }
    count.phase(pod["spec"]["restartPolicy"].as_str().unwrap_or("Always"))
}

impl Count {
    fn init(&mut self, container: &Value, status: Option<&Value>) {
        let Some(status) = status else {
            self.pending_init += 1;
            return;
        };
        let ended = |state: &Value| state["terminated"]["exitCode"].as_i64();
        if spec::is_sidecar(container) {
            let up = status["state"]["running"].is_object() && status["started"] == true;
            let over = ended(&status["state"]).is_some() || ended(&status["lastState"]).is_some();
            self.pending_init += usize::from(!up && !over);
            return;
        }
        match (ended(&status["state"]), ended(&status["lastState"])) {
            (Some(0), _) => {}
            (Some(_), _) => self.failed_init += 1,
            (None, Some(code)) if code != 0 && status["state"]["waiting"].is_object() => {
                self.failed_init += 1
            }
            (None, _) => self.pending_init += 1,
        }
    }

    fn main(&mut self, status: Option<&Value>) {
        let state = |which: &str, kind: &str| status.and_then(|s| s[which].get(kind));
        if state("state", "running").is_some() {
            self.running += 1;
        } else if let Some(ended) = state("state", "terminated") {
            self.stopped += 1;
            self.succeeded += usize::from(ended["exitCode"] == 0);
        } else if state("lastState", "terminated").is_some() {
            self.stopped += 1;
        } else {
            self.waiting += 1;
        }
    }

    fn phase(&self, policy: &str) -> &'static str {
        if self.failed_init > 0 && policy == "Never" {
            "Failed"
        } else if self.pending_init > 0 || self.waiting > 0 {
            "Pending"
        } else if self.running > 0 || (self.stopped > 0 && policy == "Always") {
            "Running"
        } else if self.stopped > 0 && self.stopped == self.succeeded {
            "Succeeded"
        } else if self.stopped > 0 && policy == "Never" {
            "Failed"
        } else if self.stopped > 0 {
            "Running"
        } else {
            "Pending"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::phase;
    use serde_json::{Value, json};

    fn phase_of(policy: &str, state: Value, last: Value) -> &'static str {
        let pod = json!({"spec": {"restartPolicy": policy, "containers": [{"name": "a"}]}});
        let status = json!({"state": state, "lastState": last});
        phase(&pod, &|_| Some(&status))
    }

    #[test]
    fn a_crash_loop_is_running_and_a_failed_pull_is_pending() {
        let ended = json!({"terminated": {"exitCode": 1}});
        assert_eq!(
            phase_of("Always", json!({"waiting": {"reason": "CrashLoopBackOff"}}), ended.clone()),
            "Running"
        );
        assert_eq!(phase_of("Always", ended.clone(), json!({})), "Running");
        assert_eq!(phase_of("Always", json!({"waiting": {"reason": "ErrImagePull"}}), json!({})), "Pending");
        assert_eq!(phase_of("Never", ended, json!({})), "Failed");
        assert_eq!(phase_of("OnFailure", json!({"terminated": {"exitCode": 0}}), json!({})), "Succeeded");
    }
}
