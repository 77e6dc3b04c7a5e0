//! The API over HTTPS.

mod access;
mod answer;
mod call;
mod change;
mod condition;
mod discovery;
mod dispatch;
mod disruption;
mod expiry;
mod field_validation;
mod health;
mod inside;
mod openapi;
mod pod_security;
mod protobuf;
mod read;
mod review;
mod streaming;
mod subresource;
mod table;
mod target;
mod view;
mod watching;

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Store;
use crate::node::NodeAccess;
use crate::pki::{Authority, PkiError};
use crate::tokens::Tokens;

pub use condition::{ApiControl, Encounter, Hang, Outage, Slow, Trouble};

/// The Kubernetes version that is simulated.
const VERSION: &str = "v1.34.4";

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

/// What every request sees.
struct Shared {
    store: Store,
    tokens: Tokens,
    node: Arc<dyn NodeAccess>,
    control: ApiControl,
    stop: CancellationToken,
}

/// A running API server. Dropping it stops it too.
#[derive(Debug)]
pub struct ApiServer {
    address: SocketAddr,
    authority: Authority,
    tokens: Tokens,
    control: ApiControl,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl ApiServer {
    /// Starts serving.
    pub async fn start(config: ApiConfig) -> Result<Self, StartError> {
        let refused = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let mut names = vec![address.ip().to_string(), "localhost".to_owned()];
        names.extend(["kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(str::to_owned));
        names.push("kubernetes.default.svc.cluster.local".to_owned());
        names.extend(config.names);
        let tls =
            config.authority.server_config(&names, &["h2", "http/1.1"]).map_err(StartError::Certificate)?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(stop.clone().run_until_cancelled_owned(expiry::expire_events(config.store.clone())));
        let control = ApiControl::new(config.store.clone());
        let shared = Arc::new(Shared {
            store: config.store,
            tokens: config.tokens.clone(),
            node: config.node,
            control: control.clone(),
            stop: stop.clone(),
        });
        tasks.spawn(accept(listener, TlsAcceptor::from(tls), shared, tasks.clone()));
        Ok(Self { address, authority: config.authority, tokens: config.tokens, control, stop, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The way to its outages and hangs.
    pub fn control(&self) -> ApiControl {
        self.control.clone()
    }

    /// An administrator's kubeconfig with a token of its own, complete in itself.
    pub fn kubeconfig(&self) -> String {
        kubeconfig(self.address, &self.authority, &self.tokens)
    }

    /// Stops serving; every connection and watch ends, and the address is free again.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// A kubeconfig for the administrator of an API at that address, which need not be there yet.
pub fn kubeconfig(address: SocketAddr, authority: &Authority, tokens: &Tokens) -> String {
    let (authority, token) = (STANDARD.encode(authority.pem()), tokens.administrator());
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: admin@cluster\n\
         clusters:\n- name: cluster\n  cluster:\n    server: https://{address}\n    certificate-authority-data: {authority}\n\
         users:\n- name: admin\n  user:\n    token: {token}\n\
         contexts:\n- name: admin@cluster\n  context:\n    cluster: cluster\n    user: admin\n"
    )
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>, tasks: TaskTracker) {
    let stop = shared.stop.clone();
    loop {
        let connection = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            connection = listener.accept() => connection,
        };
        match connection {
            Ok((stream, _)) => {
                let (stop, serving) = (stop.clone(), serve(stream, tls.clone(), shared.clone()));
                let control = shared.control.clone();
                tasks.spawn(async move { control.attend(serving, stop).await });
            }
            Err(problem) => {
                tracing::debug!(%problem, "accept a connection to the API");
                tokio::task::yield_now().await;
            }
        }
    }
}

/// Serves one connection, HTTP/2 or HTTP/1.1 as the client likes.
async fn serve(stream: TcpStream, tls: TlsAcceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let stream = match tls.accept(stream).await {
        Ok(stream) => stream,
        Err(problem) => {
            tracing::debug!(%problem, "TLS handshake with the API");
            return;
        }
    };
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, std::convert::Infallible>(dispatch::handle(shared, request).await) }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    if let Err(problem) = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await {
        tracing::debug!(%problem, "serve a connection to the API");
    }
}
