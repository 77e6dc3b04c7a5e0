//! The sockets of the DNS server.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::answer::{HEADER, answer};
use super::receipt::DnsReceipt;
use crate::probe::Transport;

/// Serves both sockets until it is told to stop; when it returns, they and all streams are closed.
pub(crate) async fn serve(shared: Arc<Shared>, udp: UdpSocket, tcp: TcpListener, stop: CancellationToken) {
    let mut clients = JoinSet::new();
    tokio::select! {
        () = stop.cancelled() => {}
        () = datagrams(&shared, &udp) => {}
        () = streams(&shared, &tcp, &mut clients) => {}
    }
    clients.shutdown().await;
}

async fn datagrams(shared: &Shared, socket: &UdpSocket) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let (length, client) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            // An earlier answer met a client that was gone already.
            Err(error) => {
                tracing::debug!(%error, "receive a DNS question");
                continue;
            }
        };
        let Some(bytes) = respond(shared, &buffer[..length], Transport::Udp, client) else { continue };
        if let Err(error) = socket.send_to(&bytes, client).await {
            tracing::debug!(%error, %client, "send a DNS answer");
        }
    }
}

async fn streams(shared: &Arc<Shared>, listener: &TcpListener, clients: &mut JoinSet<()>) {
    loop {
        tokio::select! {
            Some(_) = clients.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    let shared = Arc::clone(shared);
                    clients.spawn(async move {
                        if let Err(error) = stream_of_questions(&shared, stream, client).await {
                            tracing::debug!(%error, %client, "serve a DNS stream");
                        }
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "accept a DNS stream");
                    tokio::task::yield_now().await;
                }
            },
        }
    }
}

async fn stream_of_questions(shared: &Shared, mut stream: TcpStream, client: SocketAddr) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let length = match stream.read_u16().await {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut message = vec![0; usize::from(length)];
        stream.read_exact(&mut message).await?;
        let Some(bytes) = respond(shared, &message, Transport::Tcp, client) else { continue };
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend(bytes);
        stream.write_all(&framed).await?;
    }
}

/// The answer to send, if any; leaves the receipt.
fn respond(shared: &Shared, message: &[u8], transport: Transport, client: SocketAddr) -> Option<Vec<u8>> {
    if message.len() < HEADER {
        return None;
    }
    let at = shared.clock.now();
    let reply = {
        let mut said = shared.said.lock().unwrap_or_else(PoisonError::into_inner);
        let said = &mut *said;
        answer(message, transport, &said.zone, &mut said.faults)
    };
    shared.receipts.append(DnsReceipt {
        at,
        transport,
        client,
        name: reply.name,
        record_type: reply.record_type,
        outcome: reply.outcome,
        fault: reply.fault,
    });
    reply.bytes
}
