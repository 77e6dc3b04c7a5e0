//! Claims of a pod, as far as they decide where and whether it can run.

use std::sync::Arc;

use cluster_api::kinds::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES};
use cluster_api::{Store, object};
use serde_json::Value;

/// The claims of a pod.
#[derive(Default)]
pub(super) struct Claims {
    /// Those that wait for their first consumer.
    pub(super) unbound: Vec<Arc<Value>>,
    /// The volumes behind the others.
    pub(super) volumes: Vec<Arc<Value>>,
}

const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// Looks at all claims of a pod; an error is what keeps it from every node.
pub(super) fn claims(store: &Store, pod: &Value) -> Result<Claims, String> {
    let mut claims = Claims::default();
    for name in names(pod) {
        let claim = store.get(&PERSISTENT_VOLUME_CLAIMS, object::namespace(pod), &name);
        let claim = claim.ok_or_else(|| format!("persistentvolumeclaim \"{name}\" not found"))?;
        if object::is_deleting(&claim) {
            return Err(format!("persistentvolumeclaim \"{name}\" is being deleted"));
        }
        if claim["status"]["phase"] == "Lost" {
            return Err(format!(
                "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{}\"",
                claim["spec"]["volumeName"].as_str().unwrap_or("")
            ));
        }
        let volume = claim["spec"]["volumeName"].as_str().unwrap_or("");
        if claim["status"]["phase"] == "Bound" {
            claims.volumes.extend(store.get(&PERSISTENT_VOLUMES, "", volume));
        } else if waits_for_consumer(store, &claim) {
            claims.unbound.push(claim);
        } else {
            return Err("pod has unbound immediate PersistentVolumeClaims".to_owned());
        }
    }
    Ok(claims)
}

fn names(pod: &Value) -> Vec<String> {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    volumes
        .filter_map(|volume| {
            if volume["ephemeral"].is_object() {
                return Some(format!("{}-{}", object::name(pod), volume["name"].as_str()?));
            }
            volume["persistentVolumeClaim"]["claimName"].as_str().map(str::to_owned)
        })
        .collect()
}

fn waits_for_consumer(store: &Store, claim: &Value) -> bool {
    let class = claim["spec"]["storageClassName"].as_str().unwrap_or("");
    store
        .get(&STORAGE_CLASSES, "", class)
        .is_some_and(|class| class["volumeBindingMode"] == "WaitForFirstConsumer")
}

/// Tells the provisioner of a claim where its first consumer is going to run.
pub(super) fn select_node(store: &Store, claim: &Value, node: &str) {
    let told =
        store.modify(&PERSISTENT_VOLUME_CLAIMS, object::namespace(claim), object::name(claim), |claim| {
            if object::annotation(claim, SELECTED_NODE) != Some(node) {
                object::set_annotation(claim, SELECTED_NODE, node);
            }
        });
    if let Err(error) = told {
        tracing::debug!(%error, "cannot select a node for a claim");
    }
}
