//! Conditions of Deployments and Jobs, whose lists keep times of their own.

use cluster_api::object;
use jiff::Timestamp;
use serde_json::{Value, json};

/// One condition to be set.
pub(crate) struct Condition<'a> {
    /// `type`.
    pub kind: &'a str,
    /// `status`.
    pub status: &'a str,
    /// `reason`.
    pub reason: &'a str,
    /// `message`.
    pub message: String,
}

/// The condition of a type in a list.
pub(crate) fn find<'a>(conditions: &'a [Value], kind: &str) -> Option<&'a Value> {
    conditions.iter().find(|condition| condition["type"] == kind)
}

/// Whether a condition of a type is true.
pub(crate) fn is_true(object: &Value, kind: &str) -> bool {
    object::condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// Sets a Deployment's condition: the same status and reason change nothing, any other goes to the end of the list.
pub(crate) fn set_workload(conditions: &mut Vec<Value>, condition: &Condition<'_>, now: Timestamp) {
    if find(conditions, condition.kind)
        .is_some_and(|old| old["status"] == condition.status && old["reason"] == condition.reason)
    {
        return;
    }
    refresh_workload(conditions, condition, now);
}

/// Sets a Deployment's condition anew, with a fresh update time.
pub(crate) fn refresh_workload(conditions: &mut Vec<Value>, condition: &Condition<'_>, now: Timestamp) {
    let now = object::timestamp(now);
    let transition = find(conditions, condition.kind)
        .filter(|old| old["status"] == condition.status)
        .and_then(|old| old["lastTransitionTime"].as_str())
        .unwrap_or(&now)
        .to_owned();
    conditions.retain(|old| old["type"] != condition.kind);
    conditions.push(json!({
        "type": condition.kind, "status": condition.status, "lastUpdateTime": now, "lastTransitionTime": transition,
        "reason": condition.reason, "message": condition.message,
    }));
}

/// A Job's condition.
pub(crate) fn of_job(condition: &Condition<'_>, now: Timestamp) -> Value {
    let now = object::timestamp(now);
    json!({
        "type": condition.kind, "status": condition.status, "lastProbeTime": now, "lastTransitionTime": now,
        "reason": condition.reason, "message": condition.message,
    })
}
