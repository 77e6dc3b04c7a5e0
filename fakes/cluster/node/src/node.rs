//! A node: everything in this crate put together.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use cluster_api::events::Recorder;
use cluster_api::{ApiError, ExecRequest, LogOptions, LogStream, NodeAccess, Session};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{NodeConfig, host_path};
use crate::dns::PodNetwork;
use crate::identity;
use crate::kubelet::{Evictions, Kubelet};
use crate::memory::{self, Memory};
use crate::oci::{Client, Reference, TrustError};
use crate::pod_logs::{self, PodLogs};
use crate::pool::Pool;
use crate::process::Process;
use crate::pull::Images;
use crate::volumes::Volumes;
use crate::{proxy, scheduler, sessions};

/// A node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The trusted certificates cannot be used.
    #[error("cannot make a client for registries")]
    Trust(#[source] TrustError),
    /// The directory for volumes cannot be made.
    #[error("cannot make the directory for volumes {path}")]
    Volumes {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// What is on the disk of any node.
const DISK: [&str; 8] = ["etc", "usr", "var", "opt", "bin", "lib", "run", "tmp"];

/// A running node with its scheduler and its service network. Clones are the same node.
#[derive(Clone)]
pub struct Node {
    kubelet: Arc<Kubelet>,
}

impl Node {
    /// Starts a node on the current runtime.
    ///
    /// # Errors
    /// [`NodeError`] when its certificates or its directory cannot be used.
    pub fn start(config: NodeConfig) -> Result<Self, NodeError> {
        let path = config.volumes.clone();
        for directory in DISK {
            std::fs::create_dir_all(path.join("node").join(directory))
                .map_err(|source| NodeError::Volumes { path: path.clone(), source })?;
        }
        // Links in the way to the directory must not look like links out of a volume.
        let root = path.canonicalize().map_err(|source| NodeError::Volumes { path, source })?;
        let network = PodNetwork::of_node(
            config.clock.clone(),
            config.wire.clone(),
            config.ip,
            config.resolvers.clone(),
        );
        let client = Client::new(network, &config.trust)
            .map_err(NodeError::Trust)?
            .with_mirrors(config.mirrors.clone());
        let kubelet = Arc::new(Kubelet {
            images: Images::new(config.clock.clone(), client, &config.preloaded),
            recorder: Recorder::new(&config.store, "kubelet").on(&config.name),
            pod_addresses: Pool::new(config.addresses.pods()),
            volumes: Volumes { store: config.store.clone(), root, tokens: config.tokens, api: config.api },
            network: config.addresses,
            max_pods: config.max_pods,
            store: config.store,
            clock: config.clock,
            name: config.name,
            ip: config.ip,
            wire: config.wire,
            resolvers: config.resolvers,
            runtime: config.runtime,
            process: Process::default(),
            sandboxes: Semaphore::new(config.pace.at_once.max(1)),
            pace: config.pace,
            logs: PodLogs::default(),
            memory: Memory::default(),
            evictions: Evictions::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        identity::register(&kubelet);
        kubelet.tasks.spawn(identity::run(Arc::clone(&kubelet)));
        kubelet.tasks.spawn(Arc::clone(&kubelet).run());
        kubelet.tasks.spawn(memory::keep(Arc::clone(&kubelet)));
        kubelet.tasks.spawn(scheduler::run(kubelet.store.clone(), kubelet.stop.clone()));
        let proxy = proxy::run(
            kubelet.store.clone(),
            kubelet.clock.clone(),
            kubelet.wire.clone(),
            kubelet.ip,
            kubelet.stop.clone(),
        );
        kubelet.tasks.spawn(proxy);
        Ok(Self { kubelet })
    }

    /// Stops everything that runs on the node and waits until it has ended; objects stay as they are.
    pub async fn stop(&self) {
        self.kubelet.stop.cancel();
        self.kubelet.tasks.close();
        self.kubelet.tasks.wait().await;
    }

    /// Takes the node's copy of an image away, as `crictl rmi` does; says whether there was one. Containers run on.
    pub fn remove_image(&self, name: &str) -> bool {
        Reference::parse(name).is_ok_and(|name| self.kubelet.images.remove(&name))
    }

    /// Stops the kubelet's process: its lease stands still, nothing is probed, started or ended, and nobody can read logs.
    /// Containers run on.
    pub fn stop_kubelet(&self) {
        self.kubelet.process.stop();
    }

    /// Starts the kubelet again; it looks at every pod anew, and its probes begin from nothing.
    pub fn start_kubelet(&self) {
        self.kubelet.process.start();
    }

    /// Ends the machine in good order: every container is asked to end, and the kubelet has ended. Objects stay as they are.
    pub fn power_off(&self) {
        self.kubelet.process.power_off();
    }

    /// Starts the machine, and its kubelet, which makes every pod anew that had not ended.
    pub fn power_on(&self) {
        self.kubelet.process.start();
    }

    /// Programs outside of pods take the machine's memory until this much is left; `None` ends them.
    pub fn leave_memory(&self, bytes: Option<u64>) {
        self.kubelet.memory.leave(&self.kubelet, bytes);
    }

    /// Where a path of the node's own disk really is, e.g. the directory of a local volume.
    pub fn host_path(&self, path: &str) -> PathBuf {
        host_path(&self.kubelet.volumes.root, path)
    }

    /// Where the pods ask for names.
    pub fn cluster_dns(&self) -> std::net::SocketAddr {
        self.kubelet.cluster_dns()
    }
}

#[async_trait]
impl NodeAccess for Node {
    async fn logs(&self, namespace: &str, pod: &str, options: LogOptions) -> Result<LogStream, ApiError> {
        if !self.kubelet.process.life().running {
            return Err(pod_logs::unreachable(&self.kubelet, namespace, pod, &options));
        }
        pod_logs::read(&self.kubelet, namespace, pod, &options)
    }

    async fn exec(&self, namespace: &str, pod: &str, request: ExecRequest) -> Result<Session, ApiError> {
        sessions::exec(&self.kubelet, namespace, pod, request)
    }

    async fn attach(
        &self,
        namespace: &str,
        pod: &str,
        container: Option<String>,
    ) -> Result<Session, ApiError> {
        sessions::attach(&self.kubelet, namespace, pod, container)
    }

    async fn connect(&self, namespace: &str, pod: &str, port: u16) -> Result<TcpStream, String> {
        sessions::connect(&self.kubelet, namespace, pod, port).await
    }
}
