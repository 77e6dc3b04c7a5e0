//! What controllers read in pods, and how they make them from templates.

use std::time::Duration;

use cluster_api::object;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::control::moment;

/// `status.phase`; a pod without one is Pending.
pub(crate) fn phase(pod: &Value) -> &str {
    pod["status"]["phase"].as_str().unwrap_or("Pending")
}

/// Whether the pod has ended for good.
pub(crate) fn is_finished(pod: &Value) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether the pod runs or will run: neither ended nor going away.
pub(crate) fn is_active(pod: &Value) -> bool {
    !is_finished(pod) && !object::is_deleting(pod)
}

/// Whether the condition `Ready` is true.
pub(crate) fn is_ready(pod: &Value) -> bool {
    object::condition(pod, "Ready").is_some_and(|condition| condition["status"] == "True")
}

/// When a ready pod has been or will have been ready for long enough; `None` when it is not ready.
pub(crate) fn available_at(pod: &Value, min_ready: Duration) -> Option<Timestamp> {
    let ready = object::condition(pod, "Ready").filter(|condition| condition["status"] == "True")?;
    Some(moment(&ready["lastTransitionTime"]).unwrap_or(Timestamp::UNIX_EPOCH) + min_ready)
}

/// A pod of a template, owned by its controller; the caller names it.
pub(crate) fn from_template(owner: &Value, template: &Value) -> Value {
    let mut metadata = json!({"namespace": object::namespace(owner)});
    for field in ["labels", "annotations", "finalizers"] {
        if !template["metadata"][field].is_null() {
            metadata[field] = template["metadata"][field].clone();
        }
    }
    metadata["ownerReferences"] = json!([object::owner_reference(owner)]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// How little it costs to lose a pod; the lowest goes first.
pub(crate) fn worth(pod: &Value) -> (bool, bool, bool, std::cmp::Reverse<String>) {
    let created = pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
    (pod["spec"]["nodeName"].is_string(), phase(pod) == "Running", is_ready(pod), std::cmp::Reverse(created))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_nobody_has_scheduled_is_worth_less_than_a_ready_one() {
        let fresh = json!({"status": {"phase": "Pending"}});
        let ready = json!({"spec": {"nodeName": "n"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        assert!(worth(&fresh) < worth(&ready));
    }

    #[test]
    fn availability_begins_some_seconds_after_readiness() {
        let pod = json!({"status": {"conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}});
        let expected: Timestamp = "2026-01-01T00:00:05Z".parse().unwrap();
        assert_eq!(available_at(&pod, Duration::from_secs(5)), Some(expected));
    }
}
