//! An object under reconciliation, and its conditions in the order in which Flux lists them.

use std::sync::Arc;

use cluster_api::{Res, Store, object};
use jiff::Timestamp;
use serde_json::{Value, json};

const REQUESTED: &str = "reconcile.fluxcd.io/requestedAt";

/// First what is under way, then `Ready`, then the rest.
const ORDER: [&str; 12] = [
    "Stalled",
    "Reconciling",
    "Ready",
    "Drifted",
    "Released",
    "Remediated",
    "TestSuccess",
    "Healthy",
    "FetchFailed",
    "ArtifactOutdated",
    "ArtifactInStorage",
    "SourceVerified",
];

/// One object of a Flux kind.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) store: Store,
    pub(crate) res: Res,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Subject {
    pub(crate) fn get(&self) -> Option<Arc<Value>> {
        self.store.get(&self.res, &self.namespace, &self.name)
    }

    /// Writes status and conditions in one step.
    pub(crate) fn write(&self, change: impl FnOnce(&mut Status<'_>)) {
        let now = self.store.clock().now();
        self.modify(|object| change(&mut Status { object, now }));
    }

    /// Writes anything in one step.
    pub(crate) fn modify(&self, change: impl FnOnce(&mut Value)) {
        if let Err(error) = self.store.modify(&self.res, &self.namespace, &self.name, change) {
            tracing::debug!(%error, name = self.name, "write a Flux object");
        }
    }
}

/// The status of an object while it is written.
pub(crate) struct Status<'a> {
    object: &'a mut Value,
    now: Timestamp,
}

impl Status<'_> {
    /// The generation the object has now.
    pub(crate) fn generation(&self) -> i64 {
        object::generation(self.object)
    }

    /// Sets a condition for the generation the object has now.
    pub(crate) fn set(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let generation = object::generation(self.object);
        let conditions = self.conditions();
        let old = conditions.iter().find(|condition| condition["type"] == kind);
        let stamp = match old {
            Some(old) if old["status"] == status => old["lastTransitionTime"].clone(),
            _ => json!(object::timestamp(self.now)),
        };
        let new = json!({
            "lastTransitionTime": stamp, "message": message, "observedGeneration": generation, "reason": reason,
            "status": status, "type": kind,
        });
        let mut conditions = conditions.to_vec();
        conditions.retain(|condition| condition["type"] != kind);
        conditions.push(new);
        conditions.sort_by_key(place);
        self.field("conditions", json!(conditions));
    }

    /// Takes conditions away.
    pub(crate) fn drop(&mut self, kinds: &[&str]) {
        let mut conditions = self.conditions().to_vec();
        conditions.retain(|condition| !kinds.iter().any(|kind| condition["type"] == *kind));
        if conditions.len() != self.conditions().len() {
            self.field("conditions", json!(conditions));
        }
    }

    /// `Reconciling`, which takes `Stalled` away.
    pub(crate) fn reconciling(&mut self, reason: &str, message: &str) {
        self.drop(&["Stalled"]);
        self.set("Reconciling", "True", reason, message);
    }

    /// `Stalled`, which takes `Reconciling` away.
    pub(crate) fn stalled(&mut self, reason: &str, message: &str) {
        self.drop(&["Reconciling"]);
        self.set("Stalled", "True", reason, message);
    }

    /// What was under way is to be tried again.
    pub(crate) fn with_retry(&mut self) {
        let message = self.condition("Reconciling").and_then(|c| c["message"].as_str()).map(str::to_owned);
        if let Some(message) = message {
            self.set("Reconciling", "True", "ProgressingWithRetry", &message);
        }
    }

    /// Notes that the current generation has been dealt with.
    pub(crate) fn observe(&mut self) {
        let generation = object::generation(self.object);
        self.field("observedGeneration", json!(generation));
    }

    /// Notes that a request by annotation has been dealt with.
    pub(crate) fn handled(&mut self) {
        if let Some(requested) = object::annotation(self.object, REQUESTED).map(str::to_owned) {
            self.field("lastHandledReconcileAt", json!(requested));
        }
    }

    /// Sets a field of the status; null takes it away.
    pub(crate) fn field(&mut self, name: &str, value: Value) {
        let status = object::child(self.object, "status");
        if value.is_null() {
            status.as_object_mut().map(|status| status.shift_remove(name));
        } else {
            status[name] = value;
        }
    }

    /// A field of the status.
    pub(crate) fn get(&self, name: &str) -> &Value {
        &self.object["status"][name]
    }

    /// A counter one higher.
    pub(crate) fn count(&mut self, name: &str) {
        let count = self.get(name).as_i64().unwrap_or(0) + 1;
        self.field(name, json!(count));
    }

    /// A condition.
    pub(crate) fn condition(&self, kind: &str) -> Option<&Value> {
        object::condition(self.object, kind)
    }

    fn conditions(&self) -> &[Value] {
        self.object["status"]["conditions"].as_array().map_or(&[], Vec::as_slice)
    }
}

fn place(condition: &Value) -> usize {
    ORDER.iter().position(|kind| condition["type"] == *kind).unwrap_or(ORDER.len())
}

/// Whether a condition is true.
pub(crate) fn is_true(object: &Value, kind: &str) -> bool {
    object::condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// The generation that a controller has dealt with; -1 when none.
pub(crate) fn observed(object: &Value) -> i64 {
    object["status"]["observedGeneration"].as_i64().unwrap_or(-1)
}

/// Whether a reconciliation was asked for that has not been dealt with.
pub(crate) fn is_requested(object: &Value) -> bool {
    object::annotation(object, REQUESTED)
        .is_some_and(|requested| object["status"]["lastHandledReconcileAt"] != requested)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(object: &Value) -> Vec<&str> {
        object["status"]["conditions"].as_array().unwrap().iter().filter_map(|c| c["type"].as_str()).collect()
    }

    #[test]
    fn what_is_under_way_stands_first_and_ready_second() {
        let mut object = json!({"metadata": {"generation": 2}});
        let mut status = Status { object: &mut object, now: Timestamp::UNIX_EPOCH };
        status.set("Released", "True", "InstallSucceeded", "");
        status.set("Ready", "True", "InstallSucceeded", "");
        status.reconciling("Progressing", "Fulfilling prerequisites");
        assert_eq!(kinds(&object), ["Reconciling", "Ready", "Released"]);
        Status { object: &mut object, now: Timestamp::UNIX_EPOCH }.stalled("RetriesExceeded", "");
        assert_eq!(kinds(&object), ["Stalled", "Ready", "Released"]);
    }

    #[test]
    fn conditions_that_are_not_set_keep_their_generation() {
        let mut object = json!({"metadata": {"generation": 1}});
        Status { object: &mut object, now: Timestamp::UNIX_EPOCH }.set(
            "Released",
            "False",
            "InstallFailed",
            "",
        );
        object["metadata"]["generation"] = json!(2);
        Status { object: &mut object, now: Timestamp::UNIX_EPOCH }.set("Ready", "Unknown", "Progressing", "");
        assert_eq!(object::condition(&object, "Released").unwrap()["observedGeneration"], 1);
        assert_eq!(object::condition(&object, "Ready").unwrap()["observedGeneration"], 2);
    }
}
