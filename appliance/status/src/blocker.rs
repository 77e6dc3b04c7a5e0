//! What stands in the way: codes, layers, severities.

use serde::{Deserialize, Serialize};

/// How much a blocker matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nobody can log in until it is gone.
    Critical,
    /// People can log in all the same.
    Background,
}

macro_rules! blocker_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $layer:literal;)*) => {
        /// Cause of a blocker, as the document names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum BlockerCode {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl BlockerCode {
            /// Every code, from the machine upwards.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Name in the document.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Layer in the document.
            #[must_use]
            pub const fn layer(self) -> &'static str {
                match self { $(Self::$variant => $layer,)* }
            }
        }
    };
}

blocker_codes! {
    /// The machine does not answer.
    Host = "host", "Talos host reachability";
    /// The Kubernetes API does not answer.
    Kubernetes = "kubernetes", "Kubernetes availability";
    /// Names cannot be resolved.
    Dns = "dns", "Platform DNS resolution";
    /// A node is not Ready.
    Node = "node", "Talos host reachability";
    /// No usable storage class or provisioner.
    StorageClass = "storage-class", "Storage";
    /// A pod finds no node.
    Scheduling = "scheduling", "Scheduling";
    /// The volume of Postgres cannot be prepared.
    PostgresStorage = "postgres-storage", "Core Postgres storage initialization";
    /// Another volume cannot be prepared.
    StorageInit = "storage-init", "Core storage initialization";
    /// A volume has no room.
    VolumeFull = "volume-full", "Storage";
    /// A ConfigMap, Secret or key is missing.
    ConfigMissing = "config-missing", "Configuration";
    /// Passwords and data do not belong together.
    Credentials = "credentials", "Credentials";
    /// The registry does not have the image.
    ImageNotFound = "image-not-found", "Image tag availability";
    /// The registry cannot be asked, or refuses.
    ImageRegistry = "image-registry", "Image registry";
    /// A pull broke off and is tried again.
    ImagePullInterrupted = "image-pull-interrupted", "Image pull interruption";
    /// The bootstrap job failed.
    BootstrapFailed = "bootstrap-failed", "Bootstrap job failure";
    /// The bootstrap job was never created.
    BootstrapMissing = "bootstrap-missing", "Bootstrap job failure";
    /// Temporal's schema has the wrong version.
    TemporalSchema = "temporal-schema", "Temporal schema initialization";
    /// A service-link variable is taken for a setting.
    ServiceLink = "service-link", "Kubernetes service-link environment collision";
    /// A login-critical workload is not ready and nothing more exact is known.
    Workload = "workload", "workload readiness failure";
    /// A background workload is not ready and nothing more exact is known.
    BackgroundWorkload = "background-workload", "workload readiness failure";
    /// The source, or a Kustomization, fails.
    Source = "source", "Flux source/reconcile failure";
    /// Helm's release storage is stuck.
    HelmStorage = "helm-storage", "Helm release storage issue";
    /// A HelmRelease failed and nothing below explains it.
    Helm = "helm", "Helm release failure";
    /// An expected HelmRelease is absent.
    ReleaseMissing = "release-missing", "Release";
    /// What runs is not what was selected.
    ReleaseDrift = "release-drift", "Release";
    /// The app is ready and its page does not answer.
    LoginProbe = "login-probe", "Login";
}

impl std::fmt::Display for BlockerCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What follows from a blocker and is therefore not one itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// What it would be called if it stood alone.
    pub code: BlockerCode,
    /// Whom it hits.
    pub component: String,
}

/// One cause that needs somebody to act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// Cause.
    pub code: BlockerCode,
    /// How much it matters.
    pub severity: Severity,
    /// Whom it hits first.
    pub component: String,
    /// Layer of the code.
    pub layer: String,
    /// Evidence in words.
    pub reason: String,
    /// The one next step that helps.
    pub next_action: String,
    /// Whether login waits for it.
    pub login_blocking: bool,
    /// What follows from it.
    pub consequences: Vec<Consequence>,
}

#[cfg(test)]
mod tests {
    use super::BlockerCode;

    #[test]
    fn every_code_is_written_as_it_is_named() {
        for code in BlockerCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
