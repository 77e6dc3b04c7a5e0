//! One volume: its phase and its protection.

use cluster_api::{Store, kinds, object};
use serde_json::{Value, json};

use super::binding;
use crate::control::{Next, Reconcile, note};
use crate::queue::Key;

const PROTECTION: &str = "kubernetes.io/pv-protection";

pub(super) struct Volumes {
    store: Store,
}

impl Volumes {
    pub(super) fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// The phase the volume should show.
    fn phase(&self, volume: &Value) -> &'static str {
        let reference = &volume["spec"]["claimRef"];
        let Some(name) = reference["name"].as_str() else { return "Available" };
        let namespace = reference["namespace"].as_str().unwrap_or_default();
        match self.store.get(&kinds::PERSISTENT_VOLUME_CLAIMS, namespace, name) {
            Some(claim)
                if claim["spec"]["volumeName"] == volume["metadata"]["name"]
                    && binding::belongs(volume, &claim) =>
            {
                "Bound"
            }
            Some(claim) if binding::belongs(volume, &claim) => "Available",
            _ if reference["uid"].as_str().unwrap_or("").is_empty() => "Available",
            _ => "Released",
        }
    }
}

impl Reconcile for Volumes {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(volume) = self.store.get(&kinds::PERSISTENT_VOLUMES, "", &key.name) else {
            return Next::Change;
        };
        let phase = self.phase(&volume);
        let deleting = object::is_deleting(&volume);
        let old = volume["status"]["phase"].as_str().unwrap_or("Pending");
        // A provisioned volume is bound by its claim's controller, which sets the phase itself.
        let keeps = phase == "Available" && !volume["spec"]["claimRef"]["uid"].is_null();
        let changed = old != phase && !keeps;
        let protected = object::has_finalizer(&volume, PROTECTION);
        if !changed && protected != deleting {
            return Next::Change;
        }
        let now = object::timestamp(self.store.clock().now());
        let outcome = self.store.modify(&kinds::PERSISTENT_VOLUMES, "", &key.name, |volume| {
            if changed {
                volume["status"] = json!({"phase": phase, "lastPhaseTransitionTime": now});
            }
            if !deleting {
                object::add_finalizer(volume, PROTECTION);
            } else if phase != "Bound" {
                object::remove_finalizer(volume, PROTECTION);
            }
        });
        note("write a volume", outcome);
        Next::Change
    }
}
