//! Volumes as real directories.

mod files;
mod paths;
mod sources;
mod subpath;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use cluster_api::kinds::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES};
use cluster_api::tokens::Tokens;
use cluster_api::{Store, object};
use serde_json::Value;

pub(crate) use subpath::prepare;

use crate::config::{ApiAccess, host_path};
use sources::Sources;

/// Makes the volumes of pods.
#[derive(Clone)]
pub(crate) struct Volumes {
    pub(crate) store: Store,
    pub(crate) root: PathBuf,
    pub(crate) tokens: Tokens,
    pub(crate) api: ApiAccess,
}

/// A volume that could not be made; the text of a `FailedMount` event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("MountVolume.SetUp failed for volume \"{volume}\" : {why}")]
pub(crate) struct MountError {
    pub(crate) volume: String,
    pub(crate) why: String,
}

/// Whose volumes, and the addresses that the downward API gives away.
pub(crate) struct Owner<'a> {
    pub(crate) pod: &'a Value,
    pub(crate) pod_ip: String,
    pub(crate) host_ip: String,
}

impl Volumes {
    /// The directory of everything that ends with a pod.
    pub(crate) fn pod_dir(&self, uid: &str) -> PathBuf {
        self.root.join("pods").join(uid)
    }

    /// The node's own root directory.
    pub(crate) fn node_root(&self) -> PathBuf {
        self.root.join("node")
    }

    /// Makes or refreshes all volumes of a pod; says for each where it is.
    pub(crate) fn set_up(&self, owner: &Owner<'_>) -> Result<HashMap<String, PathBuf>, Vec<MountError>> {
        let mut made = HashMap::new();
        let mut failed = Vec::new();
        for volume in owner.pod["spec"]["volumes"].as_array().into_iter().flatten() {
            let name = volume["name"].as_str().unwrap_or("").to_owned();
            match self.set_up_one(owner, volume, &name) {
                Ok(place) => {
                    made.insert(name, place);
                }
                Err(why) => failed.push(MountError { volume: name, why }),
            }
        }
        if failed.is_empty() { Ok(made) } else { Err(failed) }
    }

    fn set_up_one(&self, owner: &Owner<'_>, volume: &Value, name: &str) -> Result<PathBuf, String> {
        let own = self.pod_dir(object::uid(owner.pod)).join("volumes").join(name);
        if let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() {
            return self.claim(object::namespace(owner.pod), claim);
        }
        if let Some(path) = volume["hostPath"]["path"].as_str() {
            return on_disk(
                &host_path(&self.root, path),
                path,
                volume["hostPath"]["type"].as_str().unwrap_or(""),
            );
        }
        std::fs::create_dir_all(&own).map_err(|error| error.to_string())?;
        let sources = Sources { volumes: self, owner };
        if let Some(files) = sources.files(volume, &own)? {
            files.write_to(&own).map_err(|error| error.to_string())?;
        }
        Ok(own)
    }

    /// The directory behind a claim.
    fn claim(&self, namespace: &str, claim: &str) -> Result<PathBuf, String> {
        let bound = self.store.get(&PERSISTENT_VOLUME_CLAIMS, namespace, claim);
        let bound = bound.ok_or_else(|| format!("persistentvolumeclaims \"{claim}\" not found"))?;
        let volume = bound["spec"]["volumeName"].as_str().unwrap_or("");
        let volume = self
            .store
            .get(&PERSISTENT_VOLUMES, "", volume)
            .ok_or_else(|| format!("persistentvolumes \"{volume}\" not found"))?;
        for (field, kind) in
            [("hostPath", volume["spec"]["hostPath"]["type"].as_str().unwrap_or("")), ("local", "Directory")]
        {
            if let Some(path) = volume["spec"][field]["path"].as_str() {
                return on_disk(&host_path(&self.root, path), path, kind);
            }
        }
        Err(format!("no volume plugin matched name: {}", object::name(&volume)))
    }

    /// Whether something in the pod's volumes may change while it runs.
    pub(crate) fn may_change(pod: &Value) -> bool {
        let changes =
            |v: &Value| ["configMap", "secret", "projected"].iter().any(|kind| v[*kind].is_object());
        pod["spec"]["volumes"].as_array().is_some_and(|volumes| volumes.iter().any(changes))
    }

    /// Removes what ends with a pod.
    pub(crate) fn tear_down(&self, uid: &str) {
        if let Err(error) = std::fs::remove_dir_all(self.pod_dir(uid))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(%error, uid, "cannot remove the directory of a pod");
        }
    }

    /// Token, authority and namespace of a pod's service account.
    pub(crate) fn service_account_dir(&self, pod: &Value) -> io::Result<PathBuf> {
        let dir = self.pod_dir(object::uid(pod)).join("serviceaccount");
        std::fs::create_dir_all(&dir)?;
        std::fs::write(dir.join("ca.crt"), &self.api.ca_pem)?;
        std::fs::write(dir.join("namespace"), object::namespace(pod))?;
        let token = dir.join("token");
        if !token.exists() {
            std::fs::write(token, self.token(pod))?;
        }
        Ok(dir)
    }

    fn token(&self, pod: &Value) -> String {
        let account = pod["spec"]["serviceAccountName"].as_str().unwrap_or("default");
        self.tokens.service_account(object::namespace(pod), account, object::name(pod))
    }
}

/// A path of the node's disk, made or checked by its type.
fn on_disk(real: &Path, path: &str, kind: &str) -> Result<PathBuf, String> {
    let (missing, is_dir, is_file) = (std::fs::metadata(real).is_err(), real.is_dir(), real.is_file());
    match kind {
        "DirectoryOrCreate" if missing => std::fs::create_dir_all(real).map_err(|error| error.to_string())?,
        "FileOrCreate" if missing => {
            if let Some(parent) = real.parent() {
                std::fs::create_dir_all(parent).map_err(|error| error.to_string())?;
            }
            std::fs::write(real, "").map_err(|error| error.to_string())?;
        }
        // Without a type nothing is checked; the container runtime makes what is missing.
        "" if missing => std::fs::create_dir_all(real).map_err(|error| error.to_string())?,
        "Directory" | "DirectoryOrCreate" if !is_dir => {
            return Err(format!("hostPath type check failed: {path} is not a directory"));
        }
        "File" | "FileOrCreate" if !is_file => {
            return Err(format!("hostPath type check failed: {path} is not a file"));
        }
        _ => {}
    }
    Ok(real.to_owned())
}
