//! What a cluster is started with.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cluster_node::oci::Mirrors;
use cluster_node::{DEFAULT_MAX_PODS, Network, Pace, PreloadedImage, Resolvers, Wire};
use field_clock::Clock;
use tempfile::TempDir;

/// The API's port, as every node has it.
const API_PORT: u16 = 6443;
/// The node among the addresses of its network.
const NODE_HOST: u8 = 1;
/// A directory in memory, on most systems.
const IN_MEMORY: &str = "/dev/shm";

/// What a cluster is started with: [`ClusterConfig::new`], and any of the fields changed.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Field time.
    pub clock: Clock,
    /// Name of its only node.
    pub node: String,
    /// Address of the node, `127.x.y.1`; pods and services get addresses of the same /24, and pods of further ones when it is full.
    pub node_ip: Ipv4Addr,
    /// The API's port on the node.
    pub api_port: u16,
    /// Directory for volumes and the node's disk; it exists.
    pub disk: PathBuf,
    /// The site's name servers, as the node knows them.
    pub resolvers: Resolvers,
    /// Where the sockets behind known addresses really are.
    pub wire: Wire,
    /// PEM certificates that registries are trusted by.
    pub trust: Vec<String>,
    /// Mirrors that the node's container engine asks in place of registries.
    pub mirrors: Mirrors,
    /// Images that the node has without any registry.
    pub images: Vec<PreloadedImage>,
    /// What everything random follows from: names, identities, and who comes first of two.
    pub seed: u64,
    /// How fast the node makes sandboxes for pods.
    pub pace: Pace,
    /// How many pods the node takes.
    pub max_pods: u32,
    /// What this cluster has of the machine; free again with the last clone.
    pub place: Option<Place>,
}

/// A loopback network and a directory that were claimed for one cluster.
#[derive(Clone, Debug)]
pub struct Place {
    network: Arc<Network>,
    disk: Arc<TempDir>,
}

impl Place {
    /// Claims both.
    ///
    /// # Errors
    /// When this machine has no loopback network left, or no directory can be made.
    pub fn claim() -> io::Result<Self> {
        let network = Arc::new(Network::claim()?);
        let in_memory = tempfile::Builder::new().prefix("cluster-").tempdir_in(IN_MEMORY);
        let disk = in_memory.or_else(|_| tempfile::Builder::new().prefix("cluster-").tempdir())?;
        Ok(Self { network, disk: Arc::new(disk) })
    }

    /// An address of the network; .1 is the node's, .2 to .19 and .250 to .253 are anybody's.
    pub fn host(&self, last: u8) -> Ipv4Addr {
        self.network.host(last)
    }

    /// The directory.
    pub fn disk(&self) -> &Path {
        self.disk.path()
    }
}

impl ClusterConfig {
    /// A cluster at a place of its own: a loopback network and a directory that end with it, no registry, no name servers outside.
    ///
    /// # Errors
    /// As [`Place::claim`].
    pub fn new(clock: &Clock) -> io::Result<Self> {
        let place = Place::claim()?;
        let config = Self::at(clock.clone(), place.host(NODE_HOST), place.disk().to_owned());
        Ok(Self { place: Some(place), ..config })
    }

    /// A cluster at a place that somebody else looks after.
    pub fn at(clock: Clock, node_ip: Ipv4Addr, disk: PathBuf) -> Self {
        Self {
            clock,
            node: "node".to_owned(),
            node_ip,
            api_port: API_PORT,
            disk,
            resolvers: Resolvers::default(),
            wire: Wire::new(),
            trust: Vec::new(),
            mirrors: Mirrors::default(),
            images: Vec::new(),
            seed: rand::random(),
            pace: Pace::default(),
            max_pods: DEFAULT_MAX_PODS,
            place: None,
        }
    }

    /// The same cluster with a node that takes this many pods.
    #[must_use]
    pub fn max_pods(self, max_pods: u32) -> Self {
        Self { max_pods, ..self }
    }
}
