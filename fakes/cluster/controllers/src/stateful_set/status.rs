//! A StatefulSet's status.

use cluster_api::{kinds, object};
use serde_json::{Value, json};

use super::StatefulSets;
use super::members::{Members, REVISION_LABEL, Set};
use crate::control::{Next, note, put_count, seconds};
use crate::pods;

impl StatefulSets {
    pub(super) fn write_status(&self, set: &Set<'_>) -> Next {
        let now = self.store.clock().now();
        let members = Members::of(&self.store, set);
        let min_ready = seconds(&set.object["spec"]["minReadySeconds"]).unwrap_or_default();
        let mut next = Next::Change;
        let (mut replicas, mut ready, mut available, mut updated, mut updated_ready) = (0, 0, 0, 0, 0);
        for pod in members.all() {
            replicas += 1;
            let is_new = object::label(pod, REVISION_LABEL) == Some(set.revision.as_str())
                && !object::is_deleting(pod);
            updated += i64::from(is_new);
            if let Some(moment) = pods::available_at(pod, min_ready) {
                ready += 1;
                updated_ready += i64::from(is_new);
                if moment <= now {
                    available += 1;
                } else {
                    next = next.or(Next::At(moment));
                }
            }
        }
        let wanted = i64::try_from(set.replicas()).unwrap_or(i64::MAX);
        let before = set.object["status"]["currentRevision"].as_str().unwrap_or(&set.revision);
        let complete = updated == wanted && updated_ready == wanted && replicas == wanted;
        let current_revision = if complete { set.revision.clone() } else { before.to_owned() };
        let current = members
            .all()
            .filter(|pod| {
                object::label(pod, REVISION_LABEL) == Some(current_revision.as_str())
                    && !object::is_deleting(pod)
            })
            .count();
        let generation = object::generation(set.object);
        let outcome = self.store.modify(
            &kinds::STATEFUL_SETS,
            object::namespace(set.object),
            object::name(set.object),
            |object| {
                let status = object::child(object, "status");
                status["observedGeneration"] = generation.into();
                status["collisionCount"] = 0.into();
                status["replicas"] = replicas.into();
                put_count(status, "readyReplicas", ready);
                put_count(status, "currentReplicas", i64::try_from(current).unwrap_or(i64::MAX));
                put_count(status, "updatedReplicas", updated);
                status["availableReplicas"] = Value::from(available);
                status["currentRevision"] = json!(current_revision);
                status["updateRevision"] = json!(set.revision);
            },
        );
        note("write the status of a StatefulSet", outcome);
        next
    }
}
