//! ReplicaSets: as many pods of a template as are asked for.

use std::sync::Arc;
use std::time::Duration;

use cluster_api::events::Recorder;
use cluster_api::{Propagation, Store, kinds, object};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::control::{Controller, Next, Reconcile, int, note, own, owner_of, put_count, seconds};
use crate::members::Members;
use crate::pods;
use crate::queue::Key;

const RETRY: Duration = Duration::from_secs(5);

struct ReplicaSets {
    store: Store,
    events: Recorder,
    members: Members,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    Controller::new(store, stop)
        .watch(&kinds::REPLICA_SETS, own)
        .watch(&kinds::PODS, owner_of("ReplicaSet"))
        .run(ReplicaSets {
            store: store.clone(),
            events: Recorder::new(store, "replicaset-controller"),
            members: Members::new(store),
        });
}

impl Reconcile for ReplicaSets {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(set) = self.store.get(&kinds::REPLICA_SETS, &key.namespace, &key.name) else {
            return Next::Change;
        };
        let mut next = Next::Change;
        let count = self.members.of(object::uid(&set)).len();
        if !object::is_deleting(&set) && count != wanted(&set) {
            next = self.scale(&set, count);
        }
        next.or(self.write_status(&set))
    }
}

/// How many pods a ReplicaSet wants.
fn wanted(set: &Value) -> usize {
    usize::try_from(set["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or(0)
}

impl ReplicaSets {
    fn scale(&mut self, set: &Value, count: usize) -> Next {
        let wanted = wanted(set);
        for _ in count..wanted {
            if !self.create_pod(set) {
                return Next::At(self.store.clock().now() + RETRY);
            }
        }
        if count > wanted {
            let members = self.members.of(object::uid(set)).values();
            let mut active: Vec<Arc<Value>> = members.map(|member| Arc::clone(&member.pod)).collect();
            active.sort_by_cached_key(|pod| pods::worth(pod));
            for pod in &active[..count - wanted] {
                self.delete_pod(set, pod);
            }
        }
        Next::Change
    }

    fn create_pod(&self, set: &Value) -> bool {
        let mut pod = pods::from_template(set, &set["spec"]["template"]);
        pod["metadata"]["generateName"] = json!(format!("{}-", object::name(set)));
        match self.store.create(&kinds::PODS, pod) {
            Ok(pod) => {
                self.events.normal(set, "SuccessfulCreate", &format!("Created pod: {}", object::name(&pod)));
                true
            }
            Err(error) => {
                self.events.warning(set, "FailedCreate", &format!("Error creating: {error}"));
                false
            }
        }
    }

    fn delete_pod(&self, set: &Value, pod: &Value) {
        let (namespace, name) = (object::namespace(pod), object::name(pod));
        match self.store.delete(&kinds::PODS, namespace, name, Propagation::Background) {
            Ok(_) => self.events.normal(set, "SuccessfulDelete", &format!("Deleted pod: {name}")),
            Err(error) if error.is_not_found() => {}
            Err(error) => self.events.warning(set, "FailedDelete", &format!("Error deleting: {error}")),
        }
    }

    fn write_status(&mut self, set: &Value) -> Next {
        let now = self.store.clock().now();
        let min_ready = seconds(&set["spec"]["minReadySeconds"]).unwrap_or_default();
        let mut next = Next::Change;
        let (mut ready, mut available) = (0, 0);
        let members = self.members.of(object::uid(set));
        for moment in members.values().filter_map(|member| Some(member.ready_since? + min_ready)) {
            ready += 1;
            if moment <= now {
                available += 1;
            } else {
                next = next.or(Next::At(moment));
            }
        }
        let replicas = i64::try_from(members.len()).unwrap_or(i64::MAX);
        let generation = object::generation(set);
        let status = &set["status"];
        let stands = int(&status["replicas"]) == replicas
            && status["replicas"].is_i64()
            && int(&status["readyReplicas"]) == ready
            && int(&status["availableReplicas"]) == available
            && int(&status["observedGeneration"]) == generation;
        if !stands {
            let outcome =
                self.store.modify(&kinds::REPLICA_SETS, object::namespace(set), object::name(set), |set| {
                    let status = object::child(set, "status");
                    status["replicas"] = replicas.into();
                    put_count(status, "fullyLabeledReplicas", replicas);
                    put_count(status, "readyReplicas", ready);
                    put_count(status, "availableReplicas", available);
                    status["observedGeneration"] = generation.into();
                });
            note("write the status of a ReplicaSet", outcome);
        }
        next
    }
}
