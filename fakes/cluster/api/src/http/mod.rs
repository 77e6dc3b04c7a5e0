//! The API over HTTPS.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::node::NodeAccess;
use crate::pki::{Authority, PkiError};
use crate::tokens::Tokens;
use crate::Store;

/// What an API server serves, and where.
#[derive(Clone)]
pub struct ApiConfig {
    /// The objects.
    pub store: Store,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who signs the server's certificate.
    pub authority: Authority,
    /// Who may come in.
    pub tokens: Tokens,
    /// The way to logs.
    pub node: Arc<dyn NodeAccess>,
    /// Further names and addresses of the certificate, beside the listening one, `localhost` and `kubernetes.default.svc`.
    pub names: Vec<String>,
}

/// Why an API server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had.
    #[error("listen on {address}")]
    Listen {
        /// The wanted address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No certificate.
    #[error("prepare the server's certificate")]
    Certificate(#[source] PkiError),
}

/// A running API server.
#[derive(Debug)]
pub struct ApiServer {
    address: SocketAddr,
    kubeconfig: String,
}

impl ApiServer {
    /// Starts serving.
    pub async fn start(config: ApiConfig) -> Result<Self, StartError> {
        let listener = tokio::net::TcpListener::bind(config.listen)
            .await
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen { address: config.listen, source })?;
        Ok(Self { address, kubeconfig: String::new() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// An administrator's kubeconfig, complete in itself.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig.clone()
    }

    /// Stops serving; every connection and watch ends.
    pub async fn stop(self) {}
}
