//! A machine's configuration, as far as this machine acts on it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use tonic::Status;

/// Keys of `machine` and `cluster` that Talos v1.11 knows.
const MACHINE: [&str; 27] = [
    "type",
    "token",
    "ca",
    "acceptedCAs",
    "certSANs",
    "controlPlane",
    "kubelet",
    "pods",
    "network",
    "disks",
    "install",
    "files",
    "env",
    "time",
    "sysctls",
    "sysfs",
    "registries",
    "systemDiskEncryption",
    "features",
    "udev",
    "logging",
    "kernel",
    "seccompProfiles",
    "baseRuntimeSpecOverrides",
    "nodeLabels",
    "nodeAnnotations",
    "nodeTaints",
];
const CLUSTER: [&str; 26] = [
    "id",
    "secret",
    "controlPlane",
    "clusterName",
    "network",
    "token",
    "aescbcEncryptionSecret",
    "secretboxEncryptionSecret",
    "ca",
    "acceptedCAs",
    "aggregatorCA",
    "serviceAccount",
    "apiServer",
    "controllerManager",
    "proxy",
    "scheduler",
    "discovery",
    "etcd",
    "coreDNS",
    "externalCloudProvider",
    "extraManifests",
    "extraManifestHeaders",
    "inlineManifests",
    "adminKubeconfig",
    "allowSchedulingOnMasters",
    "allowSchedulingOnControlPlanes",
];

/// What this machine acts on.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Configuration {
    pub(crate) machine: Machine,
    #[serde(default)]
    pub(crate) cluster: Cluster,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    pub(crate) ca: Pair,
    #[serde(default, rename = "certSANs")]
    pub(crate) names: Vec<String>,
    #[serde(default)]
    pub(crate) kubelet: Image,
    #[serde(default)]
    pub(crate) install: Install,
    #[serde(default)]
    pub(crate) network: Network,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cluster {
    #[serde(default)]
    pub(crate) etcd: Image,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Image {
    pub(crate) image: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Install {
    pub(crate) disk: Option<String>,
    pub(crate) image: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Network {
    pub(crate) hostname: Option<String>,
    #[serde(default)]
    pub(crate) nameservers: Vec<String>,
}

/// A certificate and its key: PEM in base64.
#[derive(Clone, Deserialize)]
pub(crate) struct Pair {
    crt: String,
    key: String,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").finish_non_exhaustive()
    }
}

impl Pair {
    /// Certificate and key in PEM, the key with the label that everybody knows: Talos has one of its own.
    pub(crate) fn pem(&self) -> Option<(String, String)> {
        let text = |it: &str| String::from_utf8(STANDARD.decode(it).ok()?).ok();
        Some((text(&self.crt)?, text(&self.key)?.replace("ED25519 PRIVATE KEY", "PRIVATE KEY")))
    }
}

impl Configuration {
    /// Reads a configuration.
    ///
    /// # Errors
    /// In the words of Talos, where it cannot be used.
    pub(crate) fn read(data: &[u8]) -> Result<Self, Status> {
        let failed = |why: String| Status::unknown(format!("failed to parse config: {why}"));
        let text = std::str::from_utf8(data)
            .map_err(|_| failed("decode error: yaml: control characters are not allowed".into()))?;
        let document: Value =
            serde_saphyr::from_str(text).map_err(|error| failed(format!("decode error: yaml: {error}")))?;
        for (part, known) in [("machine", &MACHINE[..]), ("cluster", &CLUSTER[..])] {
            let keys = document[part].as_object().into_iter().flatten();
            if let Some((key, value)) = keys.into_iter().find(|(key, _)| !known.contains(&key.as_str())) {
                return Err(failed(format!(
                    "unknown keys found during decoding:\n{part}:\n    {key}: {value}\n"
                )));
            }
        }
        serde_json::from_value(document).map_err(|error| failed(format!("decode error: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::Configuration;

    fn refused(text: &str) -> String {
        Configuration::read(text.as_bytes()).unwrap_err().message().to_owned()
    }

    #[test]
    fn what_talos_does_not_know_is_refused_in_its_words() {
        let expected =
            "failed to parse config: unknown keys found during decoding:\nmachine:\n    bogus: 1\n";
        assert_eq!(refused("machine:\n    bogus: 1\n"), expected);
        assert!(refused("machine: [").starts_with("failed to parse config: decode error: yaml: "));
        assert!(refused("version: v1alpha1\n").starts_with("failed to parse config: decode error: "));
    }

    #[test]
    fn what_the_machine_acts_on_is_read() {
        let text = "machine:\n  ca: { crt: QQ==, key: Qg== }\n  install: { disk: /dev/vda }\n  network: { nameservers: [1.1.1.1, 8.8.8.8] }\n";
        let configuration = Configuration::read(text.as_bytes()).unwrap();
        assert_eq!(configuration.machine.network.nameservers, ["1.1.1.1", "8.8.8.8"]);
        assert_eq!(configuration.machine.install.disk.as_deref(), Some("/dev/vda"));
        assert_eq!(configuration.machine.ca.pem(), Some(("A".to_owned(), "B".to_owned())));
        assert!(!format!("{configuration:?}").contains("QQ=="), "keys are not printed");
    }
}
