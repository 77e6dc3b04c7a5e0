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
/// An error may be the kernel's word on an earlier datagram of the same flow; this one was not sent then, and has another try.
const TRIES: usize = 2;
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
        for _ in 0..TRIES {
            if socket.send(&datagram.payload).await.is_ok() {
                return;
            }
            // Whose end of the guest's is gone needs no word.
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

#[cfg(test)]
mod tests {
    use smoltcp::wire::{EthernetAddress, EthernetFrame, Ipv4Packet, UdpPacket};

    use super::super::{GUEST, RESOLVER};
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn question(to: SocketAddr) -> (Datagram, Vec<u8>) {
        let heading = frame::Heading { from: EthernetAddress([2; 6]), to: EthernetAddress([4; 6]) };
        let (from, at) = (SocketAddrV4::new(GUEST, 40000), SocketAddrV4::new(RESOLVER, 53));
        let bytes = frame::datagram(heading, from, at, b"question").unwrap();
        let back = frame::Heading { from: heading.to, to: heading.from };
        (Datagram { heading: back, from, at, to, payload: b"question".to_vec() }, bytes)
    }

    /// From where a frame is, and its datagram; nothing for a word of ICMP.
    fn read(bytes: &[u8]) -> (Ipv4Addr, Option<Vec<u8>>) {
        let ethernet = EthernetFrame::new_checked(bytes).unwrap();
        let ip = Ipv4Packet::new_checked(ethernet.payload()).unwrap();
        let udp = ip.next_header() == smoltcp::wire::IpProtocol::Udp;
        (ip.src_addr(), udp.then(|| UdpPacket::new_checked(ip.payload()).unwrap().payload().to_vec()))
    }

    /// An address of nobody's, with a port that the kernel gives to nobody who does not ask for it.
    fn free_address() -> SocketAddr {
        let first = 20_000 + (std::process::id() % 5_000) as u16;
        let mut addresses = (first..first + 5_000).map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        addresses.find(|address| std::net::UdpSocket::bind(address).is_ok()).unwrap()
    }

    #[tokio::test]
    async fn a_closed_port_is_told_and_the_same_flow_works_once_it_is_open() {
        let clock = Clock::wall();
        let address = free_address();
        let (guest, mut frames) = mpsc::channel(16);
        let mut relay = Relay::new(clock.clone(), guest);
        let (datagram, bytes) = question(address);
        relay.send(datagram, bytes).await;
        // It opens before anybody has read the kernel's word on the first question: that word meets the second one.
        let server = std::net::UdpSocket::bind(address).unwrap();
        let (datagram, bytes) = question(address);
        relay.send(datagram, bytes).await;
        let told = clock.timeout(LIMIT, frames.recv()).await.unwrap().unwrap();
        assert_eq!(read(&told), (RESOLVER, None));
        server.set_nonblocking(true).unwrap();
        let server = UdpSocket::from_std(server).unwrap();
        let mut buffer = [0; 64];
        let (length, from) = clock.timeout(LIMIT, server.recv_from(&mut buffer)).await.unwrap().unwrap();
        assert_eq!(&buffer[..length], b"question");
        server.send_to(b"answer", from).await.unwrap();
        let told = clock.timeout(LIMIT, frames.recv()).await.unwrap().unwrap();
        assert_eq!(read(&told), (RESOLVER, Some(b"answer".to_vec())));
    }
}
