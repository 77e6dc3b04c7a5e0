//! The door of a machine's API.

use std::io;
use std::net::SocketAddr;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::api::Api;
use crate::identity;
use crate::machine::{Machine, Voice};
use crate::visits::Visit;

/// The API, while it is served.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves a machine's API at an address; while nothing listens in the machine, connections are closed at once.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(machine: Machine, at: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                tokio::select! {
                    taken = listener.accept() => match taken {
                        Ok((stream, _)) => drop(open.spawn(serve(machine.clone(), stream))),
                        Err(error) => tracing::debug!(%error, "take a connection to a machine"),
                    },
                    Some(_) = open.join_next() => {}
                }
            }
        });
        Ok(Self { address, task })
    }

    /// Where it is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(machine: Machine, stream: TcpStream) {
    if machine.voice() == Voice::Silent {
        machine.visited(Visit::Unanswered);
        // The connection is held, and nothing is said, until whoever made it gives up.
        let mut buffer = [0; 1024];
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut buffer) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
        return;
    }
    let Some(identity) = machine.identity() else { return };
    let stream = match TlsAcceptor::from(identity).accept(stream).into_fallible().await {
        Ok(stream) => stream,
        Err((error, stream)) => {
            machine.visited(Visit::Distrusted);
            tracing::debug!(%error, "a caller of a machine and it do not trust each other");
            return take_leave(stream).await;
        }
    };
    let role = identity::role(stream.get_ref().1.peer_certificates());
    let api = Api { machine, role };
    let answer = service_fn(move |request| {
        let api = api.clone();
        async move { Ok::<_, std::convert::Infallible>(api.answer(request).await) }
    });
    let http = Builder::new(TokioExecutor::new()).http2_only();
    if let Err(error) = http.serve_connection(TokioIo::new(stream), answer).await {
        tracing::debug!(%error, "serve a caller of a machine");
    }
}

/// Whoever goes away with words unread takes their own last ones back: why a caller is refused would be lost.
async fn take_leave(mut stream: TcpStream) {
    let left = stream.shutdown().await;
    if left.is_ok() {
        // However it ends, the caller has gone.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
}
