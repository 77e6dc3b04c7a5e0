//! A Deployment's status: counters, availability, progress and its deadline.

use std::time::Duration;

use cluster_api::{kinds, object};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Deployments;
use super::replicas::{Bounds, Family, available, wanted};
use crate::conditions::{Condition, find, refresh_workload, set_workload};
use crate::control::{Next, int, moment, note, put_count, seconds};

/// What a rollout step met as the current ReplicaSet.
pub(super) enum Found {
    Nothing,
    Existing(String),
    Created(String),
}

struct Counts {
    replicas: i64,
    updated: i64,
    ready: i64,
    available: i64,
    unavailable: i64,
}

impl Counts {
    fn of(family: &Family) -> Self {
        let status = |field: &'static str| move |set: &Value| int(&set["status"][field]);
        let available = family.sum(available);
        Self {
            replicas: family.sum(status("replicas")),
            updated: family.current.as_ref().map_or(0, |set| int(&set["status"]["replicas"])),
            ready: family.sum(status("readyReplicas")),
            available,
            unavailable: (family.sum(wanted) - available).max(0),
        }
    }

    /// Nothing but the wanted pods of the current template, all available.
    fn complete(&self, deployment: &Value) -> bool {
        let desired = wanted(deployment);
        self.updated == desired && self.replicas == desired && self.available == desired
    }

    /// Whether anything moved since the status that the Deployment still carries.
    fn moved(&self, old: &Value) -> bool {
        let before = |field: &str| int(&old[field]);
        let old_replicas = before("replicas") - before("updatedReplicas");
        self.updated > before("updatedReplicas")
            || self.replicas - self.updated < old_replicas
            || self.ready > before("readyReplicas")
            || self.available > before("availableReplicas")
    }

    fn write(&self, status: &mut Value) {
        put_count(status, "replicas", self.replicas);
        put_count(status, "updatedReplicas", self.updated);
        put_count(status, "readyReplicas", self.ready);
        put_count(status, "availableReplicas", self.available);
        put_count(status, "unavailableReplicas", self.unavailable);
    }
}

impl Deployments {
    pub(super) fn write_status(&self, deployment: &Value, family: &Family, found: &Found) -> Next {
        let now = self.store.clock().now();
        let counts = Counts::of(family);
        let mut conditions = deployment["status"]["conditions"].as_array().cloned().unwrap_or_default();
        note_found(&mut conditions, found, now);
        set_workload(&mut conditions, &availability(deployment, &counts), now);
        let deadline =
            seconds(&deployment["spec"]["progressDeadlineSeconds"]).unwrap_or(Duration::from_secs(600));
        let mut next = Next::Change;
        if let Some(set) = &family.current {
            next =
                note_progress(&mut conditions, &Progress { deployment, counts: &counts, set, deadline, now });
        }
        let generation = object::generation(deployment);
        let outcome = self.store.modify(
            &kinds::DEPLOYMENTS,
            object::namespace(deployment),
            object::name(deployment),
            |deployment| {
                let status = object::child(deployment, "status");
                status["observedGeneration"] = generation.into();
                counts.write(status);
                status["conditions"] = json!(conditions);
            },
        );
        note("write the status of a Deployment", outcome);
        next
    }
}

fn note_found(conditions: &mut Vec<Value>, found: &Found, now: Timestamp) {
    let (reason, message) = match found {
        Found::Created(name) => ("NewReplicaSetCreated", format!("Created new replica set \"{name}\"")),
        Found::Existing(name) if find(conditions, "Progressing").is_none() => {
            ("FoundNewReplicaSet", format!("Found new replica set \"{name}\""))
        }
        Found::Existing(_) | Found::Nothing => return,
    };
    set_workload(conditions, &Condition { kind: "Progressing", status: "True", reason, message }, now);
}

fn availability(deployment: &Value, counts: &Counts) -> Condition<'static> {
    let least = wanted(deployment) - Bounds::of(deployment).unavailable;
    if counts.available >= least {
        Condition {
            kind: "Available",
            status: "True",
            reason: "MinimumReplicasAvailable",
            message: "Deployment has minimum availability.".to_owned(),
        }
    } else {
        Condition {
            kind: "Available",
            status: "False",
            reason: "MinimumReplicasUnavailable",
            message: "Deployment does not have minimum availability.".to_owned(),
        }
    }
}

struct Progress<'a> {
    deployment: &'a Value,
    counts: &'a Counts,
    set: &'a Value,
    deadline: Duration,
    now: Timestamp,
}

/// Sets `Progressing`; answers when the deadline will have passed.
fn note_progress(conditions: &mut Vec<Value>, progress: &Progress<'_>) -> Next {
    let Progress { deployment, counts, set, deadline, now } = *progress;
    let reason_now = find(conditions, "Progressing").map(|condition| condition["reason"].clone());
    if counts.replicas == counts.updated
        && reason_now.as_ref().is_some_and(|reason| reason == "NewReplicaSetAvailable")
    {
        return Next::Change;
    }
    let name = object::name(set);
    if counts.complete(deployment) {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        let done =
            Condition { kind: "Progressing", status: "True", reason: "NewReplicaSetAvailable", message };
        set_workload(conditions, &done, now);
        return Next::Change;
    }
    if counts.moved(&deployment["status"]) {
        let message = format!("ReplicaSet \"{name}\" is progressing.");
        let moving = Condition { kind: "Progressing", status: "True", reason: "ReplicaSetUpdated", message };
        refresh_workload(conditions, &moving, now);
        return Next::At(now + deadline + Duration::from_secs(1));
    }
    let Some(since) =
        find(conditions, "Progressing").and_then(|condition| moment(&condition["lastUpdateTime"]))
    else {
        return Next::Change;
    };
    if reason_now
        .is_some_and(|reason| reason == "NewReplicaSetAvailable" || reason == "ProgressDeadlineExceeded")
    {
        return Next::Change;
    }
    if since + deadline < now {
        let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
        let late =
            Condition { kind: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message };
        set_workload(conditions, &late, now);
        return Next::Change;
    }
    Next::At(since + deadline + Duration::from_secs(1))
}
