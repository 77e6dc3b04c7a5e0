//! Knocking at one's own port.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use field_clock::Clock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpStream, UdpSocket};

/// On loopback the kernel answers at once; this is only for a port that somebody else holds in silence.
const PATIENCE: Duration = Duration::from_millis(250);

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
}

/// What a client met that knocked at a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The kernel turned it away: connection refused.
    Refused,
    /// Somebody listens.
    Open,
    /// No answer of any kind.
    Silent,
    /// The knock itself went wrong.
    Failed(String),
}

/// A server knocked at its own closed port as any client would, and this is what it met.
///
/// No server can see a request that the kernel refused, so a closed port has no receipts. What can be known is that the port
/// was closed: it is probed right after it was closed and right before it is opened again, and nobody but the server opens it
/// in between. Probes are no requests and never among the receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortProbe {
    /// When, in field time.
    pub at: Timestamp,
    /// By which transport.
    pub transport: Transport,
    /// At which address.
    pub address: SocketAddr,
    /// What came of it.
    pub finding: Finding,
}

pub(crate) async fn probe(clock: &Clock, transport: Transport, address: SocketAddr) -> PortProbe {
    let _hold = clock.hold("the probe of a closed port");
    let answer = clock.timeout(PATIENCE, knock(transport, address)).await;
    let finding = match answer {
        Ok(Ok(())) => Finding::Open,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Finding::Refused,
        Ok(Err(error)) => Finding::Failed(error.to_string()),
        Err(_) => Finding::Silent,
    };
    PortProbe { at: clock.now(), transport, address, finding }
}

async fn knock(transport: Transport, address: SocketAddr) -> io::Result<()> {
    match transport {
        Transport::Tcp => TcpStream::connect(address).await.map(drop),
        Transport::Udp => {
            let any: IpAddr =
                if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            let socket = UdpSocket::bind((any, 0)).await?;
            socket.connect(address).await?;
            socket.send(&[]).await?;
            socket.recv(&mut [0]).await.map(drop)
        }
    }
}
