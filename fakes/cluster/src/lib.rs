//! A Kubernetes in one process, with real sockets, TLS, processes and files.
//!
//! ```text
//!   kubectl, kube-rs ──HTTPS──▶ api (store, watches, RBAC)
//!                                │
//!        ┌───────────────────────┼───────────────────────┐
//!   controllers             node (scheduler, kubelet,    flux (programs of images,
//!   (deployments, jobs …)    proxies, cluster DNS)        as pods)
//!                                │
//!                            Runtime: image entrypoint → program, given by whoever starts the cluster
//! ```
//!
//! [`Cluster::start`] gives a node that is Ready, cluster DNS that runs, and nothing else. What runs in containers is up to
//! the [`Runtime`] of the caller; the cluster's own programs (CoreDNS, the local-path provisioner, the Flux controllers) are
//! put in front of it by [`SystemRuntime`].

/// The code of `README.md`, tried as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod config;
mod objects;
mod planned;
mod programs;
mod system;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cluster_api::ApiServer;
use cluster_node::Node;
use tokio_util::sync::CancellationToken;

pub use cluster_api::{ApiControl, Encounter, Res, Store, Trouble, kinds, object};
pub use cluster_flux::Burden;
pub use cluster_node::{
    Container, ContainerSpec, Exit, LogSink, Pace, PreloadedImage, Resolvers, Runtime, StartError, Wire,
};
pub use config::{ClusterConfig, Place};
pub use field_clock::{Clock, FieldRuntime, Options};
pub use planned::Planned;
pub use programs::{Process, Programs};
pub use system::{ProgramContainer, SystemRuntime};

/// A cluster did not start.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The certificate authority could not be made.
    #[error("make the cluster's certificate authority")]
    Authority(#[source] cluster_api::pki::PkiError),
    /// The API did not start.
    #[error("start the API server")]
    Api(#[source] cluster_api::StartError),
    /// The node did not start.
    #[error("start the node")]
    Node(#[source] cluster_node::NodeError),
    /// An object that every cluster has could not be made.
    #[error("make the cluster's own objects")]
    Objects(#[source] cluster_api::ApiError),
}

/// A running cluster; it ends when [`Cluster::stop`] is called or its runtime ends.
pub struct Cluster {
    store: Store,
    api: ApiServer,
    node: Arc<Node>,
    running: system::Running,
    burden: Burden,
    stop: CancellationToken,
    _place: Option<Place>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("api", &self.api.address()).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Starts a cluster on the runtime of the caller.
    ///
    /// # Errors
    /// See [`ClusterError`].
    pub async fn start(config: ClusterConfig, programs: Arc<dyn Runtime>) -> Result<Self, ClusterError> {
        Planned::new(config)?.start(programs).await
    }

    /// Starts a cluster whose node has the images of these programs.
    ///
    /// # Errors
    /// See [`ClusterError`].
    pub async fn start_with(mut config: ClusterConfig, programs: Programs) -> Result<Self, ClusterError> {
        config.images.extend(programs.images());
        Self::start(config, Arc::new(programs)).await
    }

    /// The objects, for whoever watches from within.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.api.address()
    }

    /// The way to outages and hangs of the API.
    pub fn api(&self) -> ApiControl {
        self.api.control()
    }

    /// The node, for whoever cuts it off.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// How busy the machine of the Flux controllers is.
    pub fn burden(&self) -> &Burden {
        &self.burden
    }

    /// Restarts the machine in good order: the API is away, containers end, and everything begins again after `takes`.
    ///
    /// What looks after nodes runs on the same machine and counts no time meanwhile; so `takes` is less than its patience.
    pub fn reboot(&self, takes: Duration) {
        let (api, node, clock) = (self.api.control(), Arc::clone(&self.node), self.store.clock().clone());
        tokio::spawn(async move {
            let outage = api.outage();
            node.power_off();
            clock.sleep(takes).await;
            node.power_on();
            drop(outage);
        });
    }

    /// Kills the processes of one of the cluster's own programs where they stand, as SIGKILL does; how many there were.
    pub fn kill(&self, program: &str) -> usize {
        self.running.kill(program)
    }

    /// An administrator's kubeconfig, complete in itself.
    pub fn kubeconfig(&self) -> String {
        self.api.kubeconfig()
    }

    /// Stops every container and everything else; returns when all sockets are closed.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.node.stop().await;
        self.api.stop().await;
    }
}

/// An image of the cluster's own, there before any registry.
pub(crate) fn preloaded_image(name: &str, entrypoint: &str) -> PreloadedImage {
    PreloadedImage { name: name.to_owned(), entrypoint: vec![entrypoint.to_owned()] }
}
