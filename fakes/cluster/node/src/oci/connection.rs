//! One connection to a registry.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use super::endpoint::{Endpoint, Scheme};
use super::error::{RequestFailure, Route, io_kind};
use super::tls::handshake_text;
use crate::dns::{PodNetwork, errno_text};

/// How long Go waits for a handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// A connection that can take requests, one after the other.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Empty<Bytes>>,
    pub(super) route: Route,
}

/// Connects to a registry.
pub(super) async fn connect(
    network: &PodNetwork,
    tls: &Arc<ClientConfig>,
    endpoint: &Endpoint,
) -> Result<Connection, RequestFailure> {
    let (host, port) = endpoint.place();
    let (stream, remote) = network.dial_known(host, port).await.map_err(RequestFailure::Dial)?;
    let route = Route { local: stream.local_addr().ok(), remote };
    if endpoint.scheme() == Scheme::Http {
        return speak(stream, route).await;
    }
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| RequestFailure::Tls(format!("tls: invalid server name {host:?}")))?;
    let agreed = network
        .clock()
        .timeout(HANDSHAKE_WITHIN, TlsConnector::from(Arc::clone(tls)).connect(name, stream))
        .await;
    match agreed {
        Ok(Ok(stream)) => speak(stream, route).await,
        Ok(Err(error)) => Err(match handshake_text(&error, host) {
            Some(text) => RequestFailure::Tls(text),
            None => broken(&error, &route),
        }),
        Err(_) => Err(RequestFailure::Tls("net/http: TLS handshake timeout".to_owned())),
    }
}

async fn speak<S>(stream: S, route: Route) -> Result<Connection, RequestFailure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error, &route))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!(%error, "registry connection ended");
        }
    });
    Ok(Connection { sender, route })
}

/// How a connection broke, in Go's words.
pub(super) fn broken(error: &(dyn std::error::Error + 'static), route: &Route) -> RequestFailure {
    match io_kind(error) {
        None | Some(std::io::ErrorKind::UnexpectedEof) => RequestFailure::Eof,
        Some(kind) => RequestFailure::Broken { route: route.to_string(), word: errno_text(kind) },
    }
}
