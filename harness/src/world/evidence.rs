//! What is kept of a world for people: objects without secrets' values; and what of a world must not be kept.

use std::fs;
use std::path::Path;

use cluster_api::{Res, Store, kinds};
use serde::Serialize;
use serde_json::{Value, json};

use crate::world::concealed::plain;
use crate::world::{Concealed, WorldError};

/// What is written, by file name.
const KINDS: [(&str, &Res); 16] = [
    ("nodes", &kinds::NODES),
    ("pods", &kinds::PODS),
    ("events", &kinds::EVENTS),
    ("services", &kinds::SERVICES),
    ("configmaps", &kinds::CONFIG_MAPS),
    ("deployments", &kinds::DEPLOYMENTS),
    ("statefulsets", &kinds::STATEFUL_SETS),
    ("jobs", &kinds::JOBS),
    ("persistentvolumeclaims", &kinds::PERSISTENT_VOLUME_CLAIMS),
    ("persistentvolumes", &kinds::PERSISTENT_VOLUMES),
    ("storageclasses", &kinds::STORAGE_CLASSES),
    ("ocirepositories", &kinds::OCI_REPOSITORIES),
    ("helmcharts", &kinds::HELM_CHARTS),
    ("kustomizations", &kinds::KUSTOMIZATIONS),
    ("helmreleases", &kinds::HELM_RELEASES),
    ("secrets", &kinds::SECRETS),
];

/// Every object that helps, a file for each kind.
pub(in crate::world) fn write_objects(store: &Store, directory: &Path) -> Result<(), WorldError> {
    for (name, kind) in KINDS {
        let objects: Vec<Value> = store.list(kind, None).iter().map(|object| shown(name, object)).collect();
        write_json(&directory.join(format!("{name}.json")), &objects)?;
    }
    Ok(())
}

/// The token that the status service asks for.
pub(in crate::world) fn status_token(store: &Store) -> Option<String> {
    let secret = store.get(&kinds::SECRETS, "appliance-system", "appliance-status-auth")?;
    plain(&secret["data"]["token"])
}

/// The values of all secrets, but for those that Kubernetes and Helm make for themselves.
pub(in crate::world) fn concealed(store: &Store) -> Concealed {
    let secrets = store.list(&kinds::SECRETS, None);
    Concealed::new(secrets.iter().flat_map(|secret| Concealed::values(secret)))
}

/// Secrets are shown by their names and keys only.
fn shown(kind: &str, object: &Value) -> Value {
    if kind != "secrets" {
        return object.clone();
    }
    let keys: Vec<&String> = object["data"].as_object().map(|data| data.keys().collect()).unwrap_or_default();
    json!({"metadata": {"name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"]},
        "type": object["type"], "keys": keys})
}

/// Writes something as JSON that people read.
pub(in crate::world) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), WorldError> {
    fs::write(path, serde_json::to_vec_pretty(value)?)?;
    Ok(())
}
