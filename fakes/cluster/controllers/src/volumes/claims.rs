//! One claim: its class, its volume, its protection.

use std::time::Duration;

use cluster_api::events::Recorder;
use cluster_api::{Store, kinds, object};
use serde_json::{Value, json};

use super::{binding, claim_names, provisioning};
use crate::control::{Next, Reconcile, note};
use crate::pods;
use crate::queue::Key;

/// The controller looks at open claims again and again.
const RESYNC: Duration = Duration::from_secs(15);
const PROTECTION: &str = "kubernetes.io/pvc-protection";

pub(super) struct Claims {
    pub(super) store: Store,
    pub(super) events: Recorder,
}

impl Claims {
    pub(super) fn new(store: &Store) -> Self {
        Self { store: store.clone(), events: Recorder::new(store, "persistentvolume-controller") }
    }
}

impl Reconcile for Claims {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(claim) = self.store.get(&kinds::PERSISTENT_VOLUME_CLAIMS, &key.namespace, &key.name) else {
            return Next::Change;
        };
        if object::is_deleting(&claim) {
            self.release(&claim);
            return Next::Change;
        }
        if !object::has_finalizer(&claim, PROTECTION) {
            let outcome = self.modify(&claim, |claim| {
                object::add_finalizer(claim, PROTECTION);
                if claim["status"]["phase"].is_null() {
                    object::child(claim, "status")["phase"] = json!("Pending");
                }
            });
            note("protect a claim", outcome);
            return Next::Change;
        }
        if claim["spec"]["volumeName"].as_str().is_some_and(|name| !name.is_empty()) {
            return self.follow(&claim);
        }
        self.look_for_volume(&claim)
    }
}

impl Claims {
    pub(super) fn modify(
        &self,
        claim: &Value,
        change: impl FnOnce(&mut Value),
    ) -> Result<std::sync::Arc<Value>, cluster_api::ApiError> {
        let (namespace, name) = (object::namespace(claim), object::name(claim));
        self.store.modify(&kinds::PERSISTENT_VOLUME_CLAIMS, namespace, name, change)
    }

    /// Lets a deleted claim go once no pod uses it.
    fn release(&self, claim: &Value) {
        let users = self.store.list(&kinds::PODS, Some(object::namespace(claim)));
        let name = object::name(claim);
        let used =
            users.iter().any(|pod| !pods::is_finished(pod) && claim_names(pod).any(|claim| claim == name));
        if !used && object::has_finalizer(claim, PROTECTION) {
            note("let a claim go", self.modify(claim, |claim| object::remove_finalizer(claim, PROTECTION)));
        }
    }

    /// A claim that names its volume.
    fn follow(&self, claim: &Value) -> Next {
        let name = claim["spec"]["volumeName"].as_str().unwrap_or_default();
        let Some(volume) = self.store.get(&kinds::PERSISTENT_VOLUMES, "", name) else {
            if object::annotation(claim, binding::COMPLETED).is_some() && claim["status"]["phase"] != "Lost" {
                note("lose a claim", self.modify(claim, |claim| claim["status"] = json!({"phase": "Lost"})));
                let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
                self.events.warning(claim, "ClaimLost", message);
            }
            return Next::Change;
        };
        if binding::belongs(&volume, claim) {
            binding::bind(self, claim, &volume);
            return Next::Change;
        }
        if volume["spec"]["claimRef"].is_null() {
            binding::bind(self, claim, &volume);
            return Next::Change;
        }
        let message = format!("volume \"{name}\" already bound to a different claim.");
        self.events.warning(claim, "FailedBinding", &message);
        Next::At(self.store.clock().now() + RESYNC)
    }

    fn look_for_volume(&self, claim: &Value) -> Next {
        if let Some(volume) = binding::find(&self.store, claim) {
            binding::bind(self, claim, &volume);
            return Next::Change;
        }
        provisioning::ask(self, claim);
        Next::At(self.store.clock().now() + RESYNC)
    }
}
