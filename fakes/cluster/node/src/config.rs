//! What a node is started with.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cluster_api::Store;
use cluster_api::tokens::Tokens;
use field_clock::Clock;

use crate::oci::Mirrors;
use crate::pull::PreloadedImage;
use crate::runtime::Runtime;
use crate::wire::{Addresses, Resolvers, Wire};

/// How containers reach the API.
#[derive(Clone, Debug)]
pub struct ApiAccess {
    /// `KUBERNETES_SERVICE_HOST`.
    pub host: IpAddr,
    /// `KUBERNETES_SERVICE_PORT`.
    pub port: u16,
    /// The authority that signed the API's certificate.
    pub ca_pem: String,
}

/// How many pods a kubelet takes that nobody told otherwise.
pub const DEFAULT_MAX_PODS: u32 = 110;

/// How fast a node makes sandboxes for pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// What one takes.
    pub takes: Duration,
    /// How many are made at once.
    pub at_once: usize,
}

impl Default for Pace {
    /// A machine that has nothing else to do.
    fn default() -> Self {
        Self { takes: Duration::from_millis(300), at_once: 64 }
    }
}

/// Everything a node needs.
#[derive(Clone)]
pub struct NodeConfig {
    /// The cluster's objects.
    pub store: Store,
    /// Field time.
    pub clock: Clock,
    /// Name of the node.
    pub name: String,
    /// Address of the node.
    pub ip: IpAddr,
    /// Addresses for pods.
    pub addresses: Addresses,
    /// Directory for volumes and what the node's own disk holds.
    pub volumes: PathBuf,
    /// Name servers of the node; may be changed at any time.
    pub resolvers: Resolvers,
    /// Where the sockets really are.
    pub wire: Wire,
    /// PEM certificates of the authorities that registries are trusted by.
    pub trust: Vec<String>,
    /// Mirrors that its container engine asks in place of registries.
    pub mirrors: Mirrors,
    /// What runs containers.
    pub runtime: Arc<dyn Runtime>,
    /// How containers reach the API.
    pub api: ApiAccess,
    /// Where tokens of service accounts come from.
    pub tokens: Tokens,
    /// How many pods it takes (`maxPods`); [`DEFAULT_MAX_PODS`] unless somebody configured it.
    pub max_pods: u32,
    /// How fast pods get their sandboxes.
    pub pace: Pace,
    /// Images that need no pull.
    pub preloaded: Vec<PreloadedImage>,
}

/// Where a path of the node's own disk really is, for a node with this `volumes` directory.
pub fn host_path(volumes: &std::path::Path, path: &str) -> PathBuf {
    let inside = path.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..");
    inside.fold(volumes.join("node"), |at, part| at.join(part))
}
