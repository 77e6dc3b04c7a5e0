//! PersistentVolumeClaims and PersistentVolumes: binding, provisioning by others, protection while in use.

mod binding;
mod claims;
mod provisioning;
mod volume;

use cluster_api::{Store, kinds, object};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::control::{Controller, own};
use crate::queue::Key;

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    let (lookup, classes) = (store.clone(), store.clone());
    Controller::new(store, stop)
        .watch(&kinds::PERSISTENT_VOLUME_CLAIMS, own)
        .watch(&kinds::PERSISTENT_VOLUMES, move |volume| claims_for(&lookup, volume))
        .watch(&kinds::STORAGE_CLASSES, move |_| {
            let claims = classes.list(&kinds::PERSISTENT_VOLUME_CLAIMS, None);
            claims.iter().filter(|claim| !is_bound(claim)).map(|claim| Key::of(claim)).collect()
        })
        .watch(&kinds::PODS, claims_of_ended_pod)
        .run(claims::Claims::new(store));
    Controller::new(store, stop)
        .watch(&kinds::PERSISTENT_VOLUMES, own)
        .watch(&kinds::PERSISTENT_VOLUME_CLAIMS, |claim| {
            claim["spec"]["volumeName"].as_str().map(|name| Key::new("", name)).into_iter().collect()
        })
        .run(volume::Volumes::new(store));
}

fn is_bound(claim: &Value) -> bool {
    claim["status"]["phase"] == "Bound"
}

/// The claim a volume names, or every open claim when it names none.
fn claims_for(store: &Store, volume: &Value) -> Vec<Key> {
    let reference = &volume["spec"]["claimRef"];
    if let (Some(namespace), Some(name)) = (reference["namespace"].as_str(), reference["name"].as_str()) {
        return vec![Key::new(namespace, name)];
    }
    let claims = store.list(&kinds::PERSISTENT_VOLUME_CLAIMS, None);
    claims.iter().filter(|claim| !is_bound(claim)).map(|claim| Key::of(claim)).collect()
}

/// Claims that may have lost their last user.
fn claims_of_ended_pod(pod: &Value) -> Vec<Key> {
    if !object::is_deleting(pod) && !crate::pods::is_finished(pod) {
        return Vec::new();
    }
    claim_names(pod).map(|name| Key::new(object::namespace(pod), name)).collect()
}

/// The claims that a pod mounts.
fn claim_names(pod: &Value) -> impl Iterator<Item = &str> {
    let volumes = pod["spec"]["volumes"].as_array().map_or(&[][..], Vec::as_slice);
    volumes.iter().filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
}
