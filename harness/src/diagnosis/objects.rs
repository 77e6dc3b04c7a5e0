//! What API objects say, as the contract reads them.

use serde_json::Value;

/// Objects of a component, by the beginnings of their names in the contract's table.
const OWNERS: &[(&str, &str)] = &[
    ("alga-core-sebastian-bootstrap", "alga-core"),
    ("alga-core-sebastian", "alga-core"),
    ("temporal-worker", "temporal-worker"),
    ("temporal-ui", "temporal-ui"),
    ("temporal", "temporal"),
];

/// Whether an object belongs to a component.
pub(super) fn belongs(object: &Value, component: &str) -> bool {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let owner = OWNERS.iter().find(|(begin, _)| name.starts_with(begin)).map(|(_, owner)| *owner);
    owner.map_or_else(|| name.starts_with(component), |owner| owner == component)
}

/// Every text below a value that `fits`.
pub(super) fn says(value: &Value, fits: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => fits(text),
        Value::Array(items) => items.iter().any(|item| says(item, fits)),
        Value::Object(entries) => entries.values().any(|entry| says(entry, fits)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// States and last states of a pod's containers, init containers first.
fn states(pod: &Value) -> impl Iterator<Item = &Value> {
    let statuses = ["initContainerStatuses", "containerStatuses"];
    let statuses = statuses.into_iter().filter_map(|list| pod["status"][list].as_array()).flatten();
    statuses.flat_map(|status| [&status["state"], &status["lastState"]])
}

/// A container waits for one of these reasons, with a message that fits.
pub(super) fn waits(pod: &Value, reasons: &[&str], fits: &dyn Fn(&str) -> bool) -> bool {
    let waiting = |state: &Value| {
        let waiting = &state["waiting"];
        waiting["reason"].as_str().is_some_and(|reason| reasons.contains(&reason))
            && fits(waiting["message"].as_str().unwrap_or_default())
    };
    states(pod).any(waiting)
}

/// A container has ended otherwise than well.
pub(super) fn has_failed(pod: &Value) -> bool {
    states(pod).any(|state| state["terminated"]["exitCode"].as_i64().is_some_and(|code| code != 0))
}

/// A container was started anew twice and is not ready.
pub(super) fn was_restarted(pod: &Value) -> bool {
    let statuses = ["initContainerStatuses", "containerStatuses"];
    let mut statuses = statuses.into_iter().filter_map(|list| pod["status"][list].as_array()).flatten();
    statuses.any(|it| it["restartCount"].as_u64() >= Some(2) && it["ready"] == false)
}

/// Readiness has changed since its containers run.
pub(super) fn was_ready(pod: &Value) -> bool {
    let Some(changed) = condition(pod, "Ready").and_then(|at| at["lastTransitionTime"].as_str()) else {
        return false;
    };
    // Both are in the same form, of which the order is that of the times.
    let started = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    let latest = started.filter_map(|it| it["state"]["running"]["startedAt"].as_str()).max();
    latest.is_some_and(|latest| changed > latest)
}

/// A condition's status.
pub(super) fn condition<'o>(object: &'o Value, kind: &str) -> Option<&'o Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// A condition has this status.
pub(super) fn is(object: &Value, kind: &str, status: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == status)
}

/// A pod runs and is not ready.
pub(super) fn runs_unready(pod: &Value) -> bool {
    pod["status"]["phase"] == "Running" && is(pod, "Ready", "False")
}

/// A workload has fewer ready replicas than it wants.
pub(super) fn lacks_replicas(workload: &Value) -> bool {
    let wanted = workload["spec"]["replicas"].as_i64().unwrap_or(1);
    workload["status"]["readyReplicas"].as_i64().unwrap_or(0) < wanted
}
