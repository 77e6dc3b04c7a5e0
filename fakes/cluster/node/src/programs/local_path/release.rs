//! Volumes whose claim is gone.

use cluster_api::kinds::PERSISTENT_VOLUMES;
use cluster_api::{Propagation, object};
use serde_json::Value;

use super::{PROVISIONER, Provisioner};
use crate::config::host_path;

impl Provisioner {
    /// Removes a released volume with its directory, where its policy says so.
    pub(super) fn release(&self, volume: &Value) {
        let ours = object::annotation(volume, "pv.kubernetes.io/provisioned-by") == Some(PROVISIONER);
        let released = volume["status"]["phase"] == "Released";
        // One that somebody deleted before its claim went is no longer looked at: its directory stays.
        let ending = object::is_deleting(volume);
        if !ours || !released || ending || volume["spec"]["persistentVolumeReclaimPolicy"] != "Delete" {
            return;
        }
        let name = object::name(volume);
        let path = volume["spec"]["hostPath"]["path"].as_str().unwrap_or("");
        self.log.line(&format!("I Deleting volume {name} at {path}"));
        if path.matches('/').count() > 1
            && let Err(error) = std::fs::remove_dir_all(host_path(&self.volumes, path))
        {
            self.log.line(&format!("E cannot remove {path}: {error}"));
        }
        if let Err(error) = self.store.delete(&PERSISTENT_VOLUMES, "", name, Propagation::Background) {
            self.log.line(&format!("E cannot delete volume {name}: {error}"));
        }
    }
}
