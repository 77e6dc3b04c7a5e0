//! Deployments: ReplicaSets per template, rolled from one to the next.

mod progress;
mod replicas;
mod rollout;

use cluster_api::events::Recorder;
use cluster_api::{Store, kinds, object};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::control::{Controller, Next, Reconcile, own, owner_of};
use crate::queue::Key;
use replicas::Family;

struct Deployments {
    store: Store,
    events: Recorder,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    let lookup = store.clone();
    Controller::new(store, stop)
        .watch(&kinds::DEPLOYMENTS, own)
        .watch(&kinds::REPLICA_SETS, owner_of("Deployment"))
        .watch(&kinds::PODS, move |pod| deployment_of_leaving_pod(&lookup, pod))
        .run(Deployments { store: store.clone(), events: Recorder::new(store, "deployment-controller") });
}

/// `Recreate` waits for the last old pod to be gone, which no ReplicaSet's status tells.
fn deployment_of_leaving_pod(store: &Store, pod: &Value) -> Vec<Key> {
    if !object::is_deleting(pod) {
        return Vec::new();
    }
    let namespace = object::namespace(pod);
    object::owner(pod)
        .filter(|owner| owner["kind"] == "ReplicaSet")
        .and_then(|owner| store.get(&kinds::REPLICA_SETS, namespace, owner["name"].as_str()?))
        .map(|set| owner_of("Deployment")(&set))
        .unwrap_or_default()
}

impl Reconcile for Deployments {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(deployment) = self.store.get(&kinds::DEPLOYMENTS, &key.namespace, &key.name) else {
            return Next::Change;
        };
        if object::is_deleting(&deployment) {
            return Next::Change;
        }
        let (found, family) = if deployment["spec"]["paused"] == true {
            (progress::Found::Nothing, Family::of(&self.store, &deployment))
        } else {
            self.roll(&deployment)
        };
        self.trim_history(&deployment, &family);
        self.write_status(&deployment, &family, &found)
    }
}
