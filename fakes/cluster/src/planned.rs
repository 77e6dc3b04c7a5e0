//! A cluster before anything of it runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use cluster_api::pki::Authority;
use cluster_api::tokens::Tokens;
use cluster_api::{ApiConfig, ApiServer, Store, kinds};
use cluster_node::{Addresses, ApiAccess, Node, NodeConfig, Runtime};
use tokio_util::sync::CancellationToken;

use crate::{Cluster, ClusterConfig, ClusterError, SystemRuntime, objects, system};

/// A cluster of which nothing runs: its objects have a place, and who administers it is settled.
#[derive(Debug)]
pub struct Planned {
    config: ClusterConfig,
    store: Store,
    authority: Authority,
    tokens: Tokens,
}

impl Planned {
    /// A cluster that can be started.
    ///
    /// # Errors
    /// When its certificate authority cannot be made.
    pub fn new(config: ClusterConfig) -> Result<Self, ClusterError> {
        let store = Store::seeded(config.clock.clone(), config.seed).with_service_range(config.node_ip);
        let authority = Authority::new("kubernetes").map_err(ClusterError::Authority)?;
        Ok(Self { config, store, authority, tokens: Tokens::new() })
    }

    /// Where its objects will be.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Its administrator's kubeconfig, good as soon as it runs.
    pub fn kubeconfig(&self) -> String {
        cluster_api::kubeconfig(self.address(), &self.authority, &self.tokens)
    }

    /// Where its API will be.
    fn address(&self) -> SocketAddr {
        SocketAddr::from((self.config.node_ip, self.config.api_port))
    }

    /// Starts it on the runtime of the caller.
    ///
    /// # Errors
    /// See [`ClusterError`].
    pub async fn start(self, programs: Arc<dyn Runtime>) -> Result<Cluster, ClusterError> {
        let listen = self.address();
        let Self { config, store, authority, tokens } = self;
        let stop = CancellationToken::new();
        let ca_pem = authority.pem();
        objects::create(&store, config.node_ip, config.api_port).map_err(ClusterError::Objects)?;
        cluster_controllers::start(
            &store,
            stop.clone(),
            &cluster_controllers::Options { ca_pem: ca_pem.clone() },
        );
        let runtime = SystemRuntime::new(&store, &config, programs);
        let (running, burden) = (runtime.running(), runtime.burden());
        let node = Arc::new(
            Node::start(NodeConfig {
                store: store.clone(),
                clock: config.clock.clone(),
                name: config.node,
                ip: config.node_ip.into(),
                addresses: Addresses::around(config.node_ip),
                volumes: config.disk,
                resolvers: config.resolvers,
                wire: config.wire,
                trust: config.trust,
                mirrors: config.mirrors,
                runtime: Arc::new(runtime),
                api: ApiAccess { host: config.node_ip.into(), port: config.api_port, ca_pem },
                tokens: tokens.clone(),
                max_pods: config.max_pods,
                pace: config.pace,
                preloaded: system::preloaded().into_iter().chain(config.images).collect(),
            })
            .map_err(ClusterError::Node)?,
        );
        let api = ApiServer::start(ApiConfig {
            store: store.clone(),
            listen,
            authority,
            tokens,
            node: Arc::<Node>::clone(&node),
            names: api_names(&store, config.node_ip),
        })
        .await
        .map_err(ClusterError::Api)?;
        Ok(Cluster { store, api, node, running, burden, stop, _place: config.place })
    }
}

/// Every name by which the API is spoken to: the node's address, the address of its service, and the service's names.
fn api_names(store: &Store, node: Ipv4Addr) -> Vec<String> {
    let service = store.get(&kinds::SERVICES, "default", "kubernetes");
    let address = service.and_then(|service| service["spec"]["clusterIP"].as_str().map(str::to_owned));
    let names = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    names.map(str::to_owned).into_iter().chain([node.to_string()]).chain(address).collect()
}
