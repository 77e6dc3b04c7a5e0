//! What is kept of a simulated world for people: objects without secrets' values, what the resolver and the registry saw.

use std::fs;
use std::path::Path;

use cluster_api::{Res, Store, kinds};
use serde_json::{Value, json};

use super::outside::Servers;
use crate::world::WorldError;

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

pub(super) fn write(store: &Store, servers: &Servers, directory: &Path) -> Result<(), WorldError> {
    for (name, kind) in KINDS {
        let objects: Vec<Value> = store.list(kind, None).iter().map(|object| shown(name, object)).collect();
        write_json(&directory.join(format!("{name}.json")), &json!(objects))?;
    }
    write_json(&directory.join("resolver.json"), &json!(servers.dns.control().receipts()))?;
    write_json(&directory.join("registry.json"), &json!(servers.registry.control().receipts()))
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

fn write_json(path: &Path, value: &Value) -> Result<(), WorldError> {
    fs::write(path, serde_json::to_vec_pretty(value)?)?;
    Ok(())
}
