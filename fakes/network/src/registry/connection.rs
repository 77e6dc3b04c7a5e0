//! From an open port to requests.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::payload::Switch;
use super::serve::{Line, serve};

/// Serves the port until it is told to stop; when it returns, the port and all connections are closed.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = clients.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    let (shared, tls) = (Arc::clone(&shared), tls.clone());
                    clients.spawn(async move {
                        if let Err(error) = connection(shared, stream, tls).await {
                            tracing::debug!(%error, %client, "serve a registry client");
                        }
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "accept a registry client");
                    tokio::task::yield_now().await;
                }
            },
        }
    }
    drop(listener);
    clients.shutdown().await;
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, tls: Option<TlsAcceptor>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let client = stream.peer_addr()?.ip();
    let Some(tls) = tls else { return requests(shared, stream, client, None).await };
    let stream = tls.accept(stream).await?;
    let server_name = stream.get_ref().1.server_name().map(str::to_owned);
    requests(shared, stream, client, server_name).await
}

async fn requests<S>(
    shared: Arc<Shared>,
    stream: S,
    client: IpAddr,
    server_name: Option<String>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let switch = Arc::new(Switch::default());
    let io = TokioIo::new(Tapped { stream, switch: Arc::clone(&switch) });
    let line = Line { client, server_name, switch: Arc::clone(&switch) };
    let service = service_fn(move |request| serve(Arc::clone(&shared), line.clone(), request));
    // The date of answers is that of the field, not the machine's.
    let serving = http1::Builder::new().auto_date_header(false).serve_connection(io, service);
    tokio::select! {
        served = serving => served.map_err(io::Error::other),
        // Dropping the connection leaves the client with half an answer and no word of farewell.
        () = switch.cut() => Ok(()),
    }
}

/// A stream that says when all that was written has left.
struct Tapped<S> {
    stream: S,
    switch: Arc<Switch>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.switch.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
