//! A served cluster for tests.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use cluster_api::pki::Authority;
use cluster_api::tokens::Tokens;
use cluster_api::{ApiConfig, ApiError, ApiServer, LogOptions, LogStream, NodeAccess, Store};
use field_clock::Clock;
use futures::StreamExt;
use serde_json::{Value, json};

/// A node whose every log has two lines.
struct TwoLines;

#[async_trait]
impl NodeAccess for TwoLines {
    async fn logs(&self, _: &str, pod: &str, options: LogOptions) -> Result<LogStream, ApiError> {
        if options.previous {
            return Err(ApiError::bad_request(format!(
                "previous terminated container \"main\" in pod \"{pod}\" not found"
            )));
        }
        let lines = [Bytes::from_static(b"one\n"), Bytes::from_static(b"two\n")];
        Ok(futures::stream::iter(lines).boxed())
    }
}

/// A store with a server in front of it.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) server: ApiServer,
}

impl World {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = Store::new(Clock::wall()).with_service_range(Ipv4Addr::new(127, 9, 8, 0));
        let tokens = Tokens::new();
        let server = ApiServer::start(ApiConfig {
            store: store.clone(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            authority: Authority::new("cluster").expect("an authority"),
            tokens: tokens.clone(),
            node: Arc::new(TwoLines),
            names: Vec::new(),
        })
        .await
        .expect("a server");
        Self { store, tokens, server }
    }
}

/// A pod of one container.
pub(crate) fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "db:1"}]}})
}
