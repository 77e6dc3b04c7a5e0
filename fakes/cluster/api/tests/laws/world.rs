//! One served cluster for many histories, each in a namespace of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cluster_api::pki::Authority;
use cluster_api::tokens::Tokens;
use cluster_api::{ApiConfig, ApiServer, NoNode, Store, kinds};
use field_clock::Clock;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use tokio::runtime::Runtime;

pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) client: Client,
    store: Store,
    namespaces: AtomicU64,
    _server: ApiServer,
}

impl World {
    /// On two threads: requests overlap.
    pub(crate) fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
        let store = Store::new(Clock::wall()).with_service_range(Ipv4Addr::new(127, 9, 7, 0));
        let (server, client) = runtime.block_on(async {
            let server = ApiServer::start(ApiConfig {
                store: store.clone(),
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                authority: Authority::new("cluster").expect("an authority"),
                tokens: Tokens::new(),
                node: Arc::new(NoNode),
                names: Vec::new(),
            });
            let server = server.await.expect("a server");
            let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig()).expect("a kubeconfig");
            let options = KubeConfigOptions::default();
            let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a config");
            let client = Client::try_from(config).expect("a client");
            (server, client)
        });
        Self { runtime, client, store, namespaces: AtomicU64::new(0), _server: server }
    }

    /// A namespace that nobody has used.
    pub(crate) fn namespace(&self) -> String {
        let name = format!("n{}", self.namespaces.fetch_add(1, Ordering::Relaxed));
        self.store.create(&kinds::NAMESPACES, json!({"metadata": {"name": name}})).expect("a new name");
        name
    }
}
