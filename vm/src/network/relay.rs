//! Datagrams of the guest's on their way to services, a connected socket for each flow: only such a one is told by the kernel
//! that nobody listens.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use field_clock::Clock;
use smoltcp::wire::Icmpv4DstUnreachable;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::frame;
use super::route::Datagram;

/// Nobody waits longer for an answer; a later one has no flow any more.
const IDLE: Duration = Duration::from_secs(60);
/// More than a frame holds.
const MOST: usize = 2048;

/// Who asked whom.
type Flow = (SocketAddrV4, SocketAddrV4);

/// Every flow of a machine; all end with it.
#[derive(Debug)]
pub(super) struct Relay {
    clock: Clock,
    guest: mpsc::Sender<Vec<u8>>,
    flows: HashMap<Flow, Arc<UdpSocket>>,
    listeners: JoinSet<Flow>,
}

impl Relay {
    /// Answers go to `guest`, as frames.
    pub(super) fn new(clock: Clock, guest: mpsc::Sender<Vec<u8>>) -> Self {
        Self { clock, guest, flows: HashMap::new(), listeners: JoinSet::new() }
    }

    /// Sends a datagram on; `bytes` is its frame, for the word that it arrived nowhere.
    pub(super) async fn send(&mut self, datagram: Datagram, bytes: Vec<u8>) {
        while let Some(Ok(over)) = self.listeners.try_join_next() {
            self.flows.remove(&over);
        }
        let Ok(socket) = self.socket(&datagram, &bytes).await else { return };
        // The kernel's word on an earlier datagram comes with this one, and is for it all the same.
        if socket.send(&datagram.payload).await.is_err() {
            let _ = self.guest.send(refused(&bytes, *datagram.at.ip())).await;
        }
    }

    async fn socket(&mut self, datagram: &Datagram, bytes: &[u8]) -> std::io::Result<Arc<UdpSocket>> {
        let flow = (datagram.from, datagram.at);
        if let Some(socket) = self.flows.get(&flow) {
            return Ok(Arc::clone(socket));
        }
        let own = match datagram.to {
            SocketAddr::V4(_) => "0.0.0.0:0",
            SocketAddr::V6(_) => "[::]:0",
        };
        let socket = Arc::new(UdpSocket::bind(own).await?);
        socket.connect(datagram.to).await?;
        self.flows.insert(flow, Arc::clone(&socket));
        let listener = Listener {
            socket: Arc::clone(&socket),
            guest: self.guest.clone(),
            heading: datagram.heading,
            flow,
            lost: bytes.to_vec(),
        };
        self.listeners.spawn(listener.listen(self.clock.clone()));
        Ok(socket)
    }
}

/// Waits for a flow's answers.
struct Listener {
    socket: Arc<UdpSocket>,
    guest: mpsc::Sender<Vec<u8>>,
    heading: frame::Heading,
    flow: Flow,
    /// The first datagram's frame: all of a flow look alike to whom they are told as lost.
    lost: Vec<u8>,
}

impl Listener {
    async fn listen(self, clock: Clock) -> Flow {
        let (guest, at) = self.flow;
        let mut buffer = [0; MOST];
        while let Ok(heard) = clock.timeout(IDLE, self.socket.recv(&mut buffer)).await {
            let answer = match heard {
                Ok(length) => frame::datagram(self.heading, at, guest, &buffer[..length]),
                Err(_) => Some(refused(&self.lost, *at.ip())),
            };
            if let Some(answer) = answer
                && self.guest.send(answer).await.is_err()
            {
                break;
            }
        }
        self.flow
    }
}

/// The word that nobody listens; empty where the frame held no packet, which no sender of ours ever sees.
fn refused(bytes: &[u8], from: Ipv4Addr) -> Vec<u8> {
    frame::unreachable(bytes, from, Icmpv4DstUnreachable::PortUnreachable).unwrap_or_default()
}
