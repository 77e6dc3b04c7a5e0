//! Where a frame of the guest's goes. Nothing here waits or sends.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use smoltcp::wire::{EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};

use super::flows::Flows;
use super::frame::Heading;
use super::{GATEWAY, Service, UserNetwork, is_local};

/// Where machines get their addresses.
const DHCP: u16 = 67;

/// What becomes of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// On to QEMU's network, perhaps with another address in it.
    On,
    /// Nowhere, and nobody is told.
    Nowhere,
    /// Nowhere, and the guest is told.
    Prohibited,
    /// To a service, by a socket of ours.
    Datagram(Datagram),
}

/// A datagram for a service.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Datagram {
    pub(super) heading: Heading,
    pub(super) from: SocketAddrV4,
    pub(super) at: SocketAddrV4,
    pub(super) to: SocketAddr,
    pub(super) payload: Vec<u8>,
}

/// The way of every frame between a guest and what is outside.
#[derive(Debug)]
pub(super) struct Routes {
    network: UserNetwork,
    flows: Flows,
}

impl Routes {
    pub(super) fn new(network: UserNetwork) -> Self {
        Self { network, flows: Flows::default() }
    }

    /// The way of a frame that the guest sent; one that goes on may be changed.
    pub(super) fn of_guest(&mut self, bytes: &mut [u8]) -> Way {
        let Ok(frame) = EthernetFrame::new_checked(&*bytes) else { return Way::Nowhere };
        match frame.ethertype() {
            EthernetProtocol::Arp => return Way::On,
            EthernetProtocol::Ipv4 => {}
            _ => return Way::Nowhere,
        }
        let Ok(ip) = Ipv4Packet::new_checked(frame.payload()) else { return Way::Nowhere };
        match ip.next_header() {
            IpProtocol::Udp => self.udp(&frame, &ip),
            IpProtocol::Tcp => {
                let Ok(tcp) = TcpPacket::new_checked(ip.payload()) else { return Way::Nowhere };
                let (from, at) = (tcp.src_port(), SocketAddrV4::new(ip.dst_addr(), tcp.dst_port()));
                self.tcp(bytes, from, at)
            }
            IpProtocol::Icmp if is_local(ip.dst_addr()) => Way::On,
            _ => refused(ip.dst_addr()),
        }
    }

    /// A frame for the guest, as the guest must see it.
    pub(super) fn to_guest(&self, bytes: &mut [u8]) {
        self.flows.answer(bytes);
    }

    fn udp(&self, frame: &EthernetFrame<&[u8]>, ip: &Ipv4Packet<&[u8]>) -> Way {
        let Ok(udp) = UdpPacket::new_checked(ip.payload()) else { return Way::Nowhere };
        let at = SocketAddrV4::new(ip.dst_addr(), udp.dst_port());
        if at.port() == DHCP && (at.ip().is_broadcast() || *at.ip() == GATEWAY) {
            return Way::On;
        }
        let service = self.network.services.iter().find_map(|service| match service {
            Service::Udp { at: there, to } if *there == at => Some(*to),
            Service::Udp { .. } | Service::Tcp { .. } => None,
        });
        match service {
            Some(to) => Way::Datagram(Datagram {
                heading: Heading::back(frame),
                from: SocketAddrV4::new(ip.src_addr(), udp.src_port()),
                at,
                to,
                payload: udp.payload().to_vec(),
            }),
            None => refused(ip.dst_addr()),
        }
    }

    fn tcp(&mut self, bytes: &mut [u8], from: u16, at: SocketAddrV4) -> Way {
        if *at.ip() == GATEWAY && self.network.forwards.contains(&from) {
            return Way::On;
        }
        let service = self.network.services.iter().find_map(|service| match service {
            Service::Tcp { at: there, port } if *there == at => Some(*port),
            Service::Udp { .. } | Service::Tcp { .. } => None,
        });
        match service {
            Some(port) => {
                self.flows.lead(bytes, at, port);
                Way::On
            }
            None => refused(*at.ip()),
        }
    }
}

/// Who speaks to everybody expects no answer.
fn refused(to: Ipv4Addr) -> Way {
    let to_many = to.is_broadcast() || to.is_multicast() || (is_local(to) && to.octets()[3] == 255);
    if to_many { Way::Nowhere } else { Way::Prohibited }
}

#[cfg(test)]
mod tests;
