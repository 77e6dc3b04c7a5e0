//! A volume for a claim.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use cluster_api::kinds::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES};
use cluster_api::object;
use serde_json::{Value, json};

use super::{PROVISIONER, Provisioner};
use crate::config::host_path;

const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// How long the helper pod takes that makes the directory.
const MAKING_TAKES: Duration = Duration::from_secs(3);
/// The first wait after a failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_secs(960);

impl Provisioner {
    /// Whether a claim is this provisioner's to serve, now.
    pub(super) fn is_wanted(&self, claim: &Value) -> bool {
        let bound = claim["spec"]["volumeName"].as_str().is_some_and(|name| !name.is_empty());
        if bound || object::is_deleting(claim) {
            return false;
        }
        let Some(class) = self.class(claim) else { return false };
        class["provisioner"] == PROVISIONER
            && (class["volumeBindingMode"] != "WaitForFirstConsumer"
                || object::annotation(claim, SELECTED_NODE).is_some())
    }

    fn class(&self, claim: &Value) -> Option<std::sync::Arc<Value>> {
        self.store.get(&STORAGE_CLASSES, "", claim["spec"]["storageClassName"].as_str()?)
    }

    /// Tries until there is a volume, or nobody wants it any more.
    pub(super) async fn provision(&self, claim: &Value) {
        let (namespace, name) = (object::namespace(claim), object::name(claim));
        let mut wait = FIRST_WAIT;
        loop {
            let text =
                format!("External provisioner is provisioning volume for claim \"{namespace}/{name}\"");
            self.recorder.normal(claim, "Provisioning", &text);
            let Err(why) = self.try_once(claim).await else { return };
            let class = claim["spec"]["storageClassName"].as_str().unwrap_or("");
            let text = format!("failed to provision volume with StorageClass \"{class}\": {why}");
            self.log.line(&format!("E provision \"{namespace}/{name}\" class \"{class}\": {why}"));
            self.recorder.warning(claim, "ProvisioningFailed", &text);
            self.store.clock().sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            let now = self.store.get(&PERSISTENT_VOLUME_CLAIMS, namespace, name);
            if !now.is_some_and(|now| object::uid(&now) == object::uid(claim) && self.is_wanted(&now)) {
                return;
            }
        }
    }

    async fn try_once(&self, claim: &Value) -> Result<(), String> {
        let modes = claim["spec"]["accessModes"].as_array().into_iter().flatten();
        if !modes.into_iter().all(|mode| mode == "ReadWriteOnce" || mode == "ReadWriteOncePod") {
            return Err(
                "NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes".to_owned()
            );
        }
        let Some(node) = object::annotation(claim, SELECTED_NODE) else {
            return Err("configuration error, no node was specified".to_owned());
        };
        let class = self.class(claim).ok_or("the storage class is gone")?;
        let volume = format!("pvc-{}", object::uid(claim));
        let (namespace, name) = (object::namespace(claim), object::name(claim));
        let path = format!("{}/{volume}_{namespace}_{name}", self.base_path(node));
        self.log.line(&format!("I Creating volume {volume} at {node}:{path}"));
        self.store.clock().sleep(MAKING_TAKES).await;
        // Whatever user a pod runs as may write there.
        let directory = host_path(&self.volumes, &path);
        std::fs::create_dir_all(&directory)
            .and_then(|()| std::fs::set_permissions(&directory, Permissions::from_mode(0o777)))
            .map_err(|error| format!("failed to create volume {volume}: {error}"))?;
        let made = self.store.create(&PERSISTENT_VOLUMES, describe(claim, &class, &volume, node, &path));
        match made {
            Ok(_) => {}
            Err(error) if error.reason == "AlreadyExists" => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
        self.log.line(&format!("I Volume {volume} has been created on {node}:{path}"));
        self.recorder.normal(
            claim,
            "ProvisioningSucceeded",
            &format!("Successfully provisioned volume {volume}"),
        );
        Ok(())
    }
}

fn describe(claim: &Value, class: &Value, volume: &str, node: &str, path: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {
            "name": volume,
            "annotations": {"local.path.provisioner/selected-node": node, "pv.kubernetes.io/provisioned-by": PROVISIONER},
            "finalizers": ["kubernetes.io/pv-protection"],
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": object::name(claim), "namespace": object::namespace(claim),
                "resourceVersion": object::resource_version(claim), "uid": object::uid(claim),
            },
            "hostPath": {"path": path, "type": "DirectoryOrCreate"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]},
            ]}]}},
            "persistentVolumeReclaimPolicy": class.get("reclaimPolicy").cloned().unwrap_or(json!("Delete")),
            "storageClassName": object::name(class),
            "volumeMode": "Filesystem",
        },
    })
}
