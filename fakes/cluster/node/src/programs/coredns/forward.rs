//! Questions that are passed on.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::dns::errno_text;
use crate::runtime::ContainerSpec;
use crate::wire::Wire;

/// How long one server is waited for, and how often the list is asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
pub(super) const ROUNDS: usize = 2;
const LARGEST_ANSWER: usize = 4096;

/// Asks one server after the other; an error is the text of the last failure.
pub(super) async fn forward(
    spec: &ContainerSpec,
    wire: &Wire,
    upstreams: &[SocketAddr],
    packet: &[u8],
    rounds: usize,
) -> Result<Vec<u8>, String> {
    let mut why = "no upstream host".to_owned();
    for _ in 0..rounds {
        for server in upstreams {
            match ask(spec, wire, *server, packet).await {
                Ok(reply) => return Ok(reply),
                Err(error) => why = error,
            }
        }
    }
    Err(why)
}

async fn ask(
    spec: &ContainerSpec,
    wire: &Wire,
    server: SocketAddr,
    packet: &[u8],
) -> Result<Vec<u8>, String> {
    let dial = |error: &std::io::Error| format!("dial udp {server}: connect: {}", errno_text(error.kind()));
    let socket = UdpSocket::bind((spec.ip, 0)).await.map_err(|error| dial(&error))?;
    if wire.leads_nowhere(server) {
        spec.clock.sleep(ANSWER_WITHIN).await;
        let local = socket.local_addr().map_err(|error| dial(&error))?;
        return Err(format!("read udp {local}->{server}: i/o timeout"));
    }
    socket.connect(wire.actual(server)).await.map_err(|error| dial(&error))?;
    let local = socket.local_addr().map_err(|error| dial(&error))?;
    let refused =
        |error: &std::io::Error| format!("read udp {local}->{server}: read: {}", errno_text(error.kind()));
    socket.send(packet).await.map_err(|error| refused(&error))?;
    let mut buffer = vec![0; LARGEST_ANSWER];
    match spec.clock.timeout(ANSWER_WITHIN, socket.recv(&mut buffer)).await {
        Ok(Ok(length)) => Ok(buffer[..length].to_vec()),
        Ok(Err(error)) => Err(refused(&error)),
        Err(_) => Err(format!("read udp {local}->{server}: i/o timeout")),
    }
}
