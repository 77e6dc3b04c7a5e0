//! Volumes of a pod, and what of them a container sees.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::env::{ConfigError, expand};
use super::spec;
use super::worker::Worker;
use crate::go_time::since;
use crate::runtime::{Access, Mount};
use crate::volumes::{Owner, prepare};

/// How long the kubelet waits for volumes before it says so.
const MOUNTS_WITHIN: Duration = Duration::from_secs(123);
const LONGEST_WAIT: Duration = Duration::from_secs(122);
/// Parts of volumes as they were mounted: what takes their place in the volume later is another directory.
pub(super) type Pins = Mutex<HashMap<String, File>>;

pub(super) const ACCOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How the mounting of a pod's volumes goes.
#[derive(Default)]
pub(super) struct Mounting {
    began: Option<Timestamp>,
    wait: Duration,
}

impl Worker {
    pub(super) fn owner(&self) -> Owner<'_> {
        let pod_ip = self.sandbox.as_ref().map_or(String::new(), |sandbox| sandbox.ip.to_string());
        Owner { pod: &self.pod, pod_ip, host_ip: self.node.ip.to_string() }
    }

    /// Makes the volumes; when one fails, says so and looks again later, each time after twice as long.
    pub(super) fn mount(&mut self) -> bool {
        let made = self.node.volumes.set_up(&self.owner());
        let failed = match made {
            Ok(made) => {
                self.volumes = Some(made);
                self.mounting = Mounting::default();
                return true;
            }
            // What was made once stays as it is when a source goes away.
            Err(_) if self.volumes.is_some() => return true,
            Err(failed) => failed,
        };
        for error in &failed {
            self.node.recorder.warning(&self.pod, "FailedMount", &error.to_string());
        }
        let now = self.node.clock.now();
        let began = *self.mounting.began.get_or_insert(now);
        if since(&self.node.clock, began) >= MOUNTS_WITHIN {
            let names: Vec<&str> = failed.iter().map(|error| error.volume.as_str()).collect();
            let names = names.join(" ");
            let text = format!(
                "Unable to attach or mount volumes: unmounted volumes=[{names}], unattached volumes=[], failed to process volumes=[]: context deadline exceeded"
            );
            self.node.recorder.warning(&self.pod, "FailedMount", &text);
            self.mounting.began = Some(now);
        }
        self.mounting.wait = (self.mounting.wait * 2).clamp(Duration::from_millis(500), LONGEST_WAIT);
        self.look_in(self.mounting.wait);
        false
    }

    /// What a container sees of the volumes.
    pub(super) fn mounts(
        &self,
        container: &Value,
        env: &[(String, String)],
    ) -> Result<Vec<Mount>, ConfigError> {
        let mut mounts = Vec::new();
        for mount in container["volumeMounts"].as_array().into_iter().flatten() {
            let name = mount["name"].as_str().unwrap_or("");
            let place = self.volumes.as_ref().and_then(|made| made.get(name));
            let place = place.ok_or_else(|| {
                ConfigError(format!(
                    "cannot find volume \"{name}\" to mount into container \"{}\"",
                    spec::name(container)
                ))
            })?;
            let host = self.part(place, mount, container, env)?;
            let read_only = mount["readOnly"] == true || self.is_made_of_objects(name);
            let access = if read_only { Access::ReadOnly } else { Access::ReadWrite };
            mounts.push(Mount {
                path: PathBuf::from(mount["mountPath"].as_str().unwrap_or("/")),
                host,
                access,
            });
        }
        Ok(mounts)
    }

    fn part(
        &self,
        place: &Path,
        mount: &Value,
        container: &Value,
        env: &[(String, String)],
    ) -> Result<PathBuf, ConfigError> {
        let part = match mount["subPathExpr"].as_str() {
            Some(text) => expand_all(text, env)?,
            None => mount["subPath"].as_str().unwrap_or("").to_owned(),
        };
        if part.is_empty() {
            return Ok(place.to_owned());
        }
        let volume = mount["name"].as_str().unwrap_or("");
        let part = prepare(&self.node.volumes.node_root(), place, &part)
            .map_err(|error| ConfigError(error.text(volume, spec::name(container))))?;
        let path = mount["mountPath"].as_str().unwrap_or("/");
        Ok(self.pin(format!("{} {path}", spec::name(container)), part))
    }

    /// A path that leads to this very directory or file until the container is started again, wherever it is moved to.
    fn pin(&self, mount: String, part: PathBuf) -> PathBuf {
        let Ok(file) = File::open(&part) else { return part };
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
        if !path.exists() {
            return part;
        }
        self.pins.lock().unwrap_or_else(PoisonError::into_inner).insert(mount, file);
        path
    }

    /// Whether a volume holds what objects of the API say; nobody writes into such a one.
    fn is_made_of_objects(&self, volume: &str) -> bool {
        let volumes = self.pod["spec"]["volumes"].as_array().into_iter().flatten();
        let kinds = ["configMap", "secret", "downwardAPI", "projected"];
        volumes
            .filter(|known| known["name"] == volume)
            .any(|known| kinds.iter().any(|kind| known[*kind].is_object()))
    }

    /// Token, authority and namespace, where the pod wants them; mounted unless a volume is there already.
    pub(super) fn account(&self, container: &Value, mounts: &mut Vec<Mount>) -> Option<PathBuf> {
        let path = Path::new(ACCOUNT_PATH);
        if let Some(mount) = mounts.iter().find(|mount| mount.path == path) {
            return Some(mount.host.clone());
        }
        if self.pod["spec"]["automountServiceAccountToken"] == false {
            return None;
        }
        let dir = match self.node.volumes.service_account_dir(&self.pod) {
            Ok(dir) => dir,
            Err(error) => {
                tracing::warn!(%error, container = spec::name(container), "no service account directory");
                return None;
            }
        };
        mounts.push(Mount { path: path.to_owned(), host: dir.clone(), access: Access::ReadOnly });
        Some(dir)
    }
}

/// As [`expand`], but an unknown name is an error.
fn expand_all(text: &str, env: &[(String, String)]) -> Result<String, ConfigError> {
    let missing = std::cell::RefCell::new(None);
    let result = expand(text, &|name| {
        let found = env.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        if found.is_none() {
            missing.borrow_mut().get_or_insert_with(|| name.to_owned());
        }
        found
    });
    match missing.into_inner() {
        Some(name) => Err(ConfigError(format!("missing value for {name}"))),
        None => Ok(result),
    }
}
