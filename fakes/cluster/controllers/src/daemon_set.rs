//! DaemonSets: one pod on every node.

use std::sync::Arc;

use cluster_api::events::Recorder;
use cluster_api::{Propagation, Store, kinds, object};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::control::{Controller, Next, Reconcile, controlled, note, own, owner_of};
use crate::queue::Key;
use crate::{hash, pods};

const REVISION_LABEL: &str = "controller-revision-hash";

struct DaemonSets {
    store: Store,
    events: Recorder,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    let lookup = store.clone();
    Controller::new(store, stop)
        .watch(&kinds::DAEMON_SETS, own)
        .watch(&kinds::PODS, owner_of("DaemonSet"))
        .watch(&kinds::NODES, {
            let mut known = std::collections::HashSet::new();
            move |node| {
                if !known.insert(object::name(node).to_owned()) {
                    return Vec::new();
                }
                lookup.list(&kinds::DAEMON_SETS, None).iter().map(|set| Key::of(set)).collect()
            }
        })
        .run(DaemonSets { store: store.clone(), events: Recorder::new(store, "daemonset-controller") });
}

impl Reconcile for DaemonSets {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(set) = self.store.get(&kinds::DAEMON_SETS, &key.namespace, &key.name) else {
            return Next::Change;
        };
        if object::is_deleting(&set) {
            return Next::Change;
        }
        let revision = hash::of(&set["spec"]["template"]);
        let nodes: Vec<Arc<Value>> =
            self.store.list(&kinds::NODES, None).into_iter().filter(|n| fits(&set, n)).collect();
        let owned = controlled(&self.store, &kinds::PODS, &set);
        for node in &nodes {
            let here: Vec<_> = owned.iter().filter(|pod| node_of(pod) == object::name(node)).collect();
            if here.is_empty() {
                self.create(&set, &revision, object::name(node));
            }
            for pod in here {
                let old = object::label(pod, REVISION_LABEL) != Some(revision.as_str())
                    && set["spec"]["updateStrategy"]["type"] != "OnDelete";
                if (old || pods::is_finished(pod)) && !object::is_deleting(pod) {
                    self.delete(&set, pod);
                }
            }
        }
        for pod in owned.iter().filter(|pod| !nodes.iter().any(|node| object::name(node) == node_of(pod))) {
            if !object::is_deleting(pod) {
                self.delete(&set, pod);
            }
        }
        self.write_status(&set, &revision, nodes.len());
        Next::Change
    }
}

/// The node a pod is on, or is pinned to before it is scheduled.
fn node_of(pod: &Value) -> &str {
    let pinned = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0";
    pod["spec"]["nodeName"].as_str().or_else(|| pod.pointer(pinned)?.as_str()).unwrap_or("")
}

fn fits(set: &Value, node: &Value) -> bool {
    let wanted = &set["spec"]["template"]["spec"]["nodeSelector"];
    wanted.is_null() || cluster_api::selector::map_matches(wanted, object::labels(node))
}

impl DaemonSets {
    fn create(&self, set: &Value, revision: &str, node: &str) {
        let mut pod = pods::from_template(set, &set["spec"]["template"]);
        pod["metadata"]["generateName"] = json!(format!("{}-", object::name(set)));
        object::set_label(&mut pod, REVISION_LABEL, revision);
        object::set_label(&mut pod, "pod-template-generation", &object::generation(set).to_string());
        object::child(object::child(&mut pod["spec"], "affinity"), "nodeAffinity")["requiredDuringSchedulingIgnoredDuringExecution"] = json!({"nodeSelectorTerms": [
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]});
        let mut tolerations = pod["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
        for (key, effect) in [
            ("node.kubernetes.io/not-ready", "NoExecute"),
            ("node.kubernetes.io/unreachable", "NoExecute"),
            ("node.kubernetes.io/disk-pressure", "NoSchedule"),
            ("node.kubernetes.io/memory-pressure", "NoSchedule"),
            ("node.kubernetes.io/unschedulable", "NoSchedule"),
        ] {
            tolerations.push(json!({"key": key, "operator": "Exists", "effect": effect}));
        }
        pod["spec"]["tolerations"] = json!(tolerations);
        match self.store.create(&kinds::PODS, pod) {
            Ok(pod) => {
                self.events.normal(set, "SuccessfulCreate", &format!("Created pod: {}", object::name(&pod)))
            }
            Err(error) => self.events.warning(set, "FailedCreate", &format!("Error creating: {error}")),
        }
    }

    fn delete(&self, set: &Value, pod: &Value) {
        let name = object::name(pod);
        if self.store.delete(&kinds::PODS, object::namespace(pod), name, Propagation::Background).is_ok() {
            self.events.normal(set, "SuccessfulDelete", &format!("Deleted pod: {name}"));
        }
    }

    fn write_status(&self, set: &Value, revision: &str, nodes: usize) {
        let owned = controlled(&self.store, &kinds::PODS, set);
        let active: Vec<_> = owned.iter().filter(|pod| pods::is_active(pod)).collect();
        let ready = active.iter().filter(|pod| pods::is_ready(pod)).count();
        let updated =
            active.iter().filter(|pod| object::label(pod, REVISION_LABEL) == Some(revision)).count();
        let generation = object::generation(set);
        let outcome = self.store.modify(&kinds::DAEMON_SETS, object::namespace(set), object::name(set), |set| {
            let mut status = json!({
                "currentNumberScheduled": active.len(), "numberMisscheduled": 0, "desiredNumberScheduled": nodes,
                "numberReady": ready, "observedGeneration": generation, "updatedNumberScheduled": updated,
            });
            if ready > 0 {
                status["numberAvailable"] = ready.into();
            }
            if nodes > ready {
                status["numberUnavailable"] = (nodes - ready).into();
            }
            set["status"] = status;
        });
        note("write the status of a DaemonSet", outcome);
    }
}
