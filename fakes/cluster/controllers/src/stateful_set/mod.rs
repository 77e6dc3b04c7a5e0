//! StatefulSets: pods with names and claims of their own, one after the other.

mod members;
mod status;

use std::sync::Arc;

use cluster_api::events::Recorder;
use cluster_api::{Propagation, Store, kinds, object};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::control::{Controller, Next, Reconcile, own, owner_of, seconds};
use crate::pods;
use crate::queue::Key;
use members::{Members, REVISION_LABEL, Set};

struct StatefulSets {
    store: Store,
    events: Recorder,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    Controller::new(store, stop)
        .watch(&kinds::STATEFUL_SETS, own)
        .watch(&kinds::PODS, owner_of("StatefulSet"))
        .run(StatefulSets { store: store.clone(), events: Recorder::new(store, "statefulset-controller") });
}

impl Reconcile for StatefulSets {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(object) = self.store.get(&kinds::STATEFUL_SETS, &key.namespace, &key.name) else {
            return Next::Change;
        };
        let set = Set::of(&object);
        let mut next = Next::Change;
        if !object::is_deleting(&object) {
            next = self.step(&set);
        }
        next.or(self.write_status(&set))
    }
}

impl StatefulSets {
    /// Moves as far as the order allows: ordered sets stop at the first member that is not ready.
    fn step(&self, set: &Set<'_>) -> Next {
        let members = Members::of(&self.store, set);
        let parallel = set.object["spec"]["podManagementPolicy"] == "Parallel";
        for ordinal in 0..set.replicas() {
            match members.at(ordinal) {
                None => {
                    if !self.create(set, ordinal) || !parallel {
                        return Next::Change;
                    }
                }
                Some(pod) if pods::is_finished(pod) && !object::is_deleting(pod) => {
                    self.delete(set, pod);
                    return Next::Change;
                }
                Some(pod) => {
                    if let Some(wait) = self.hold(set, pod)
                        && !parallel
                    {
                        return wait;
                    }
                }
            }
        }
        for pod in members.beyond(set.replicas()) {
            if !object::is_deleting(pod) {
                self.delete(set, pod);
            }
            if !parallel {
                return Next::Change;
            }
        }
        self.update(set, &members)
    }

    /// Whether the order waits for this member, and until when at the latest.
    fn hold(&self, set: &Set<'_>, pod: &Value) -> Option<Next> {
        let ready =
            pods::available_at(pod, seconds(&set.object["spec"]["minReadySeconds"]).unwrap_or_default());
        match ready {
            _ if object::is_deleting(pod) => Some(Next::Change),
            None => Some(Next::Change),
            Some(moment) => (moment > self.store.clock().now()).then_some(Next::At(moment)),
        }
    }

    /// Deletes the last member of another revision, once all after it are ready again.
    fn update(&self, set: &Set<'_>, members: &Members) -> Next {
        let strategy = &set.object["spec"]["updateStrategy"];
        if strategy["type"] == "OnDelete" {
            return Next::Change;
        }
        let partition = strategy["rollingUpdate"]["partition"].as_u64().unwrap_or(0);
        for ordinal in (partition..set.replicas()).rev() {
            let Some(pod) = members.at(ordinal) else { return Next::Change };
            if object::label(pod, REVISION_LABEL) != Some(set.revision.as_str()) {
                if !object::is_deleting(pod) {
                    self.delete(set, pod);
                }
                return Next::Change;
            }
            if let Some(wait) = self.hold(set, pod) {
                return wait;
            }
        }
        Next::Change
    }

    fn create(&self, set: &Set<'_>, ordinal: u64) -> bool {
        let (name, pod_name) = (object::name(set.object), set.pod_name(ordinal));
        for claim in set.claims(ordinal) {
            let claim_name = object::name(&claim).to_owned();
            if self
                .store
                .get(&kinds::PERSISTENT_VOLUME_CLAIMS, object::namespace(set.object), &claim_name)
                .is_some()
            {
                continue;
            }
            match self.store.create(&kinds::PERSISTENT_VOLUME_CLAIMS, claim) {
                Ok(_) => self.events.normal(
                    set.object,
                    "SuccessfulCreate",
                    &format!("create Claim {claim_name} Pod {pod_name} in StatefulSet {name} success"),
                ),
                Err(error) => {
                    self.events.warning(
                        set.object,
                        "FailedCreate",
                        &format!("create Claim {claim_name} for Pod {pod_name} in StatefulSet {name} failed error: {error}"),
                    );
                    return false;
                }
            }
        }
        match self.store.create(&kinds::PODS, set.pod(ordinal)) {
            Ok(_) => {
                let message = format!("create Pod {pod_name} in StatefulSet {name} successful");
                self.events.normal(set.object, "SuccessfulCreate", &message);
                true
            }
            Err(error) => {
                let message = format!("create Pod {pod_name} in StatefulSet {name} failed error: {error}");
                self.events.warning(set.object, "FailedCreate", &message);
                false
            }
        }
    }

    fn delete(&self, set: &Set<'_>, pod: &Arc<Value>) {
        let (namespace, pod_name) = (object::namespace(pod), object::name(pod));
        let name = object::name(set.object);
        match self.store.delete(&kinds::PODS, namespace, pod_name, Propagation::Background) {
            Ok(_) => {
                let message = format!("delete Pod {pod_name} in StatefulSet {name} successful");
                self.events.normal(set.object, "SuccessfulDelete", &message);
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                let message = format!("delete Pod {pod_name} in StatefulSet {name} failed error: {error}");
                self.events.warning(set.object, "FailedDelete", &message);
            }
        }
    }
}
