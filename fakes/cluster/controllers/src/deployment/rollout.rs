//! One step of a rollout.

use std::sync::Arc;

use cluster_api::{Propagation, kinds, object};
use serde_json::{Value, json};

use super::Deployments;
use super::progress::Found;
use super::replicas::{Bounds, Family, HASH_LABEL, REVISION, available, is_recreate, revision, wanted};
use crate::control::{controlled, int, note};
use crate::{hash, pods};

const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Deployments {
    /// Makes the ReplicaSet of the template if there is none, and moves replicas towards it.
    /// The status is of the ReplicaSets as they were before old ones were told to shrink.
    pub(super) fn roll(&self, deployment: &Value) -> (Found, Family) {
        let family = Family::of(&self.store, deployment);
        if is_recreate(deployment) {
            for set in &family.old {
                self.scale(deployment, set, 0);
            }
            if family.old.iter().any(|set| self.has_pods(set)) {
                let found = family
                    .current
                    .as_ref()
                    .map_or(Found::Nothing, |set| Found::Existing(object::name(set).to_owned()));
                return (found, Family::of(&self.store, deployment));
            }
        }
        let (current, found) = match &family.current {
            Some(set) => (Arc::clone(set), Found::Existing(object::name(set).to_owned())),
            None => match self.create(deployment, &family) {
                Some(set) => {
                    let name = object::name(&set).to_owned();
                    (set, Found::Created(name))
                }
                None => return (Found::Nothing, family),
            },
        };
        self.number(deployment, &current, &family);
        self.scale(deployment, &current, target(deployment, &family, &current));
        let family = Family::of(&self.store, deployment);
        if !is_recreate(deployment) {
            self.scale_down_old(deployment);
        }
        (found, family)
    }

    fn has_pods(&self, set: &Value) -> bool {
        controlled(&self.store, &kinds::PODS, set).iter().any(|pod| !pods::is_finished(pod))
    }

    fn create(&self, deployment: &Value, family: &Family) -> Option<Arc<Value>> {
        let hash = hash::of(&deployment["spec"]["template"]);
        let name = format!("{}-{hash}", object::name(deployment));
        let mut selector = deployment["spec"]["selector"].clone();
        object::child(&mut selector, "matchLabels")[HASH_LABEL] = json!(hash);
        let mut template = deployment["spec"]["template"].clone();
        object::set_label(&mut template, HASH_LABEL, &hash);
        let bounds = Bounds::of(deployment);
        let mut annotations = deployment["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
        annotations.retain(|key, _| key != LAST_APPLIED && key != REVISION);
        annotations.insert(DESIRED.to_owned(), json!(wanted(deployment).to_string()));
        annotations.insert(MAX.to_owned(), json!((wanted(deployment) + bounds.surge).to_string()));
        annotations.insert(REVISION.to_owned(), json!(next_revision(family).to_string()));
        let replicas = initial(deployment, family);
        let mut spec = json!({"replicas": replicas, "selector": selector, "template": template});
        if !deployment["spec"]["minReadySeconds"].is_null() {
            spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"].clone();
        }
        let set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": name, "namespace": object::namespace(deployment), "labels": template["metadata"]["labels"],
                "annotations": annotations, "ownerReferences": [object::owner_reference(deployment)],
            },
            "spec": spec,
        });
        match self.store.create(&kinds::REPLICA_SETS, set) {
            Ok(set) => {
                if replicas > 0 {
                    self.events.normal(
                        deployment,
                        "ScalingReplicaSet",
                        &format!("Scaled up replica set {name} from 0 to {replicas}"),
                    );
                }
                Some(set)
            }
            Err(error) => {
                self.events.warning(
                    deployment,
                    "ReplicaSetCreateError",
                    &format!("Failed to create new replica set \"{name}\": {error}"),
                );
                None
            }
        }
    }

    /// Gives the current ReplicaSet the highest revision, and the Deployment the same.
    fn number(&self, deployment: &Value, current: &Value, family: &Family) {
        let number = revision(current).max(next_revision(family)).to_string();
        let namespace = object::namespace(deployment);
        if object::annotation(current, REVISION) != Some(number.as_str()) {
            let outcome = self.store.modify(&kinds::REPLICA_SETS, namespace, object::name(current), |set| {
                object::set_annotation(set, REVISION, &number);
            });
            note("number a ReplicaSet", outcome);
        }
        if object::annotation(deployment, REVISION) != Some(number.as_str()) {
            let outcome =
                self.store.modify(&kinds::DEPLOYMENTS, namespace, object::name(deployment), |deployment| {
                    object::set_annotation(deployment, REVISION, &number);
                });
            note("number a Deployment", outcome);
        }
    }

    fn scale_down_old(&self, deployment: &Value) {
        let family = Family::of(&self.store, deployment);
        let Some(current) = &family.current else { return };
        let least = wanted(deployment) - Bounds::of(deployment).unavailable;
        let unavailable_new = wanted(current) - available(current);
        let mut allowed = family.sum(wanted) - least - unavailable_new;
        for set in &family.old {
            let unhealthy = (wanted(set) - available(set)).min(allowed);
            if unhealthy > 0 {
                allowed -= unhealthy;
                self.scale(deployment, set, wanted(set) - unhealthy);
            }
        }
        let family = Family::of(&self.store, deployment);
        let mut spare = family.sum(available) - least;
        for set in &family.old {
            let going = wanted(set).min(available(set)).min(spare);
            if going > 0 && allowed > 0 {
                spare -= going;
                self.scale(deployment, set, wanted(set) - going);
            }
        }
    }

    /// Sets a ReplicaSet's replicas and the numbers it carries about its Deployment.
    fn scale(&self, deployment: &Value, set: &Value, replicas: i64) {
        let before = wanted(set);
        let desired = wanted(deployment);
        let most = (desired + Bounds::of(deployment).surge).to_string();
        let desired = desired.to_string();
        let told = object::annotation(set, DESIRED) == Some(desired.as_str())
            && object::annotation(set, MAX) == Some(most.as_str());
        if before == replicas && (told || before == 0) {
            return;
        }
        let name = object::name(set);
        let outcome = self.store.modify(&kinds::REPLICA_SETS, object::namespace(set), name, |set| {
            set["spec"]["replicas"] = replicas.into();
            object::set_annotation(set, DESIRED, &desired);
            object::set_annotation(set, MAX, &most);
        });
        if outcome.is_ok() && before != replicas {
            let direction = if replicas > before { "up" } else { "down" };
            self.events.normal(
                deployment,
                "ScalingReplicaSet",
                &format!("Scaled {direction} replica set {name} from {before} to {replicas}"),
            );
        }
    }

    /// Deletes empty old ReplicaSets beyond the history limit.
    pub(super) fn trim_history(&self, deployment: &Value, family: &Family) {
        let limit =
            usize::try_from(deployment["spec"]["revisionHistoryLimit"].as_i64().unwrap_or(10)).unwrap_or(0);
        let excess = family.old.len().saturating_sub(limit);
        for set in &family.old[..excess] {
            let empty = wanted(set) == 0 && int(&set["status"]["replicas"]) == 0;
            if empty && !object::is_deleting(set) {
                let (namespace, name) = (object::namespace(set), object::name(set));
                note(
                    "trim history",
                    self.store.delete(&kinds::REPLICA_SETS, namespace, name, Propagation::Background),
                );
            }
        }
    }
}

fn next_revision(family: &Family) -> i64 {
    family.old.iter().map(|set| revision(set)).max().unwrap_or(0) + 1
}

/// Replicas of a ReplicaSet that is about to be made.
fn initial(deployment: &Value, family: &Family) -> i64 {
    if is_recreate(deployment) {
        return wanted(deployment);
    }
    let room = wanted(deployment) + Bounds::of(deployment).surge - family.sum(wanted);
    room.clamp(0, wanted(deployment))
}

/// Replicas the current ReplicaSet may have now.
fn target(deployment: &Value, family: &Family, current: &Value) -> i64 {
    let desired = wanted(deployment);
    let has = wanted(current);
    if is_recreate(deployment) || has >= desired {
        return desired;
    }
    let total: i64 = family.old.iter().map(|set| wanted(set)).sum::<i64>() + has;
    let room = desired + Bounds::of(deployment).surge - total;
    if room <= 0 { has } else { has + room.min(desired - has) }
}
