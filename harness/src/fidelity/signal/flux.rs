//! What the status of Flux' objects says besides their conditions.

use serde_json::Value;

use super::{Class, Slot};

/// Fields that are compared as they are.
const FIELDS: [&str; 13] = [
    "observedGeneration",
    "lastAppliedRevision",
    "lastAttemptedRevision",
    "lastAttemptedReleaseAction",
    "lastAttemptedGeneration",
    "installFailures",
    "upgradeFailures",
    "failures",
    "lastHandledReconcileAt",
    "observedChartName",
    "observedSourceArtifactRevision",
    "storageNamespace",
    "helmChart",
];

pub(super) fn slots(object: &Value) -> Vec<Slot> {
    let status = &object["status"];
    let mut slots = Vec::new();
    for field in FIELDS {
        let words = match &status[field] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        slots.push(Slot::new(Class::Status, field, words));
    }
    if let Some(revision) = status["artifact"]["revision"].as_str() {
        slots.push(Slot::new(Class::Status, "artifact", revision));
    }
    if let Some(history) = status["history"].as_array() {
        let entries = history.iter().map(entry).collect::<Vec<_>>().join(", ");
        slots.push(Slot::new(Class::Status, "history", entries));
    }
    slots
}

/// A release of a HelmRelease, or a reconciliation of a Kustomization.
fn entry(entry: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match entry["status"].as_str() {
        Some(status) => format!("{}.v{}:{status}", text(&entry["name"]), entry["version"]),
        None => text(&entry["lastReconciledStatus"]),
    }
}
