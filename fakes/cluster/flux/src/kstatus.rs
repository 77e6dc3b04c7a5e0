//! How far an object is, judged as kstatus does.

use cluster_api::object;
use serde_json::Value;

/// What an object's status says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It is not there.
    NotFound,
    /// It is going away.
    Terminating,
    /// It is not yet what it should be.
    InProgress,
    /// It will not become what it should be.
    Failed,
    /// It is what it should be.
    Current,
}

impl Health {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::Terminating => "Terminating",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Current => "Current",
        }
    }
}

/// The health of an object.
pub(crate) fn of(object: &Value) -> Health {
    if object::is_deleting(object) {
        return Health::Terminating;
    }
    if let Some(observed) = object["status"]["observedGeneration"].as_i64()
        && observed != object::generation(object)
    {
        return Health::InProgress;
    }
    if condition(object, "Stalled") == "True" {
        return Health::Failed;
    }
    if condition(object, "Reconciling") == "True" {
        return Health::InProgress;
    }
    match object["kind"].as_str().unwrap_or_default() {
        "Deployment" => deployment(object),
        "ReplicaSet" => {
            progress(replicas_at_least(object, &["replicas", "readyReplicas", "availableReplicas"]))
        }
        "StatefulSet" => stateful_set(object),
        "DaemonSet" => daemon_set(object),
        "Job" => job(object),
        "Pod" => pod(object),
        "PersistentVolumeClaim" => progress(object["status"]["phase"] == "Bound"),
        "Service" => service(object),
        "CustomResourceDefinition" => definition(object),
        _ => generic(object),
    }
}

fn progress(done: bool) -> Health {
    if done { Health::Current } else { Health::InProgress }
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a str {
    object::condition(object, kind).and_then(|condition| condition["status"].as_str()).unwrap_or("")
}

fn reason<'a>(object: &'a Value, kind: &str) -> &'a str {
    object::condition(object, kind).and_then(|condition| condition["reason"].as_str()).unwrap_or("")
}

fn count(object: &Value, field: &str) -> i64 {
    object["status"][field].as_i64().unwrap_or(0)
}

fn wanted(object: &Value) -> i64 {
    object["spec"]["replicas"].as_i64().unwrap_or(1)
}

fn replicas_at_least(object: &Value, fields: &[&str]) -> bool {
    object["status"]["observedGeneration"].is_i64()
        && fields.iter().all(|field| count(object, field) >= wanted(object))
}

fn deployment(object: &Value) -> Health {
    if reason(object, "Progressing") == "ProgressDeadlineExceeded" {
        return Health::Failed;
    }
    let complete = replicas_at_least(object, &["updatedReplicas", "availableReplicas", "readyReplicas"])
        && count(object, "replicas") <= count(object, "updatedReplicas")
        && condition(object, "Available") == "True"
        && reason(object, "Progressing") == "NewReplicaSetAvailable";
    progress(complete)
}

fn stateful_set(object: &Value) -> Health {
    if object["spec"]["updateStrategy"]["type"] == "OnDelete" {
        return Health::Current;
    }
    let ready = replicas_at_least(object, &["replicas", "readyReplicas", "currentReplicas"])
        && count(object, "replicas") <= wanted(object);
    progress(ready && object["status"]["currentRevision"] == object["status"]["updateRevision"])
}

fn daemon_set(object: &Value) -> Health {
    let wanted = count(object, "desiredNumberScheduled");
    let fields = ["currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady"];
    let known = object["status"]["observedGeneration"].is_i64();
    progress(known && fields.iter().all(|field| count(object, field) >= wanted))
}

fn job(object: &Value) -> Health {
    match (condition(object, "Complete"), condition(object, "Failed")) {
        ("True", _) => Health::Current,
        (_, "True") => Health::Failed,
        _ => Health::InProgress,
    }
}

fn pod(object: &Value) -> Health {
    match object["status"]["phase"].as_str().unwrap_or_default() {
        // A pod that has ended is what it should be, also when it ended badly: its owner makes another.
        "Succeeded" | "Failed" => Health::Current,
        "Running" if condition(object, "Ready") == "True" => Health::Current,
        "Running" => {
            let statuses = object["status"]["containerStatuses"].as_array().map_or(&[][..], Vec::as_slice);
            let looping =
                statuses.iter().any(|status| status["state"]["waiting"]["reason"] == "CrashLoopBackOff");
            if looping { Health::Failed } else { Health::InProgress }
        }
        _ => Health::InProgress,
    }
}

/// The health of something that makes pods itself: while it is not yet what it should be, one pod that loops and
/// is not on its way out is enough to give it up. A Deployment is not asked for its pods (cli-utils
/// `pod_controller.go` against `deployment.go`).
pub(crate) fn with_pods<'a>(object: &Value, mut pods: impl Iterator<Item = &'a Value>) -> Health {
    match of(object) {
        Health::InProgress if pods.any(|pod| of(pod) == Health::Failed) => Health::Failed,
        health => health,
    }
}

/// Whether an object's health is also that of its pods.
pub(crate) fn makes_pods(object: &Value) -> bool {
    matches!(object["kind"].as_str(), Some("StatefulSet" | "ReplicaSet"))
}

fn service(object: &Value) -> Health {
    let balanced = object["spec"]["type"] == "LoadBalancer";
    progress(
        !balanced
            || object["status"]["loadBalancer"]["ingress"].as_array().is_some_and(|list| !list.is_empty()),
    )
}

fn definition(object: &Value) -> Health {
    match (condition(object, "Established"), condition(object, "NamesAccepted")) {
        ("True", _) => Health::Current,
        (_, "False") => Health::Failed,
        _ => Health::InProgress,
    }
}

/// Everything else is judged by `Ready`, when it has one.
fn generic(object: &Value) -> Health {
    match condition(object, "Ready") {
        "" | "True" => Health::Current,
        _ => Health::InProgress,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flux_object_that_nobody_has_looked_at_is_in_progress() {
        let fresh = json!({"kind": "HelmRelease", "metadata": {"generation": 1}, "status": {"observedGeneration": -1}});
        assert_eq!(of(&fresh), Health::InProgress);
    }

    #[test]
    fn a_stalled_release_has_failed() {
        let stalled = json!({"kind": "HelmRelease", "metadata": {"generation": 1}, "status": {"observedGeneration": 1,
            "conditions": [{"type": "Stalled", "status": "True"}, {"type": "Ready", "status": "False"}]}});
        assert_eq!(of(&stalled), Health::Failed);
    }

    #[test]
    fn a_deployment_is_current_only_when_its_new_replica_set_is_available() {
        let mut object = json!({"kind": "Deployment", "metadata": {"generation": 1}, "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
                "conditions": [{"type": "Available", "status": "True"},
                    {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}]}});
        assert_eq!(of(&object), Health::InProgress);
        object["status"]["conditions"][1]["reason"] = json!("NewReplicaSetAvailable");
        assert_eq!(of(&object), Health::Current);
        object["status"]["conditions"][1]["reason"] = json!("ProgressDeadlineExceeded");
        assert_eq!(of(&object), Health::Failed);
    }

    #[test]
    fn a_stateful_set_that_waits_for_a_looping_pod_has_failed() {
        let set = json!({"kind": "StatefulSet", "metadata": {"generation": 1}, "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "replicas": 1}});
        let pod = |reason: &str| {
            json!({"kind": "Pod", "metadata": {}, "status": {"phase": "Running",
                "containerStatuses": [{"state": {"waiting": {"reason": reason}}}]}})
        };
        assert_eq!(with_pods(&set, [&pod("CrashLoopBackOff")].into_iter()), Health::Failed);
        assert_eq!(with_pods(&set, [&pod("ContainerCreating")].into_iter()), Health::InProgress);
        let mut leaving = pod("CrashLoopBackOff");
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(with_pods(&set, [&leaving].into_iter()), Health::InProgress);
    }

    #[test]
    fn a_job_is_current_when_it_is_complete_and_not_before() {
        assert_eq!(of(&json!({"kind": "Job", "status": {"active": 1}})), Health::InProgress);
        let complete =
            json!({"kind": "Job", "status": {"conditions": [{"type": "Complete", "status": "True"}]}});
        assert_eq!(of(&complete), Health::Current);
    }
}
