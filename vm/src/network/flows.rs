//! TCP connections to services: the guest sees one address, QEMU's network another.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::wire::{EthernetFrame, Ipv4Packet, TcpPacket};

use super::GATEWAY;

/// Which service a connection is for, by the guest's port and the host's.
#[derive(Debug, Default)]
pub(super) struct Flows {
    seen: HashMap<(u16, u16), SocketAddrV4>,
}

impl Flows {
    /// Leads a segment of the guest's for the service at `at` to `port` of the host's loopback.
    pub(super) fn lead(&mut self, frame: &mut [u8], at: SocketAddrV4, port: u16) {
        change(frame, |ip, ports| {
            self.seen.insert((ports.from, port), at);
            ip.to = GATEWAY;
            ports.to = port;
        });
    }

    /// Gives an answer the address of the service for which its connection is; one of no such connection stays as it is.
    pub(super) fn answer(&self, frame: &mut [u8]) {
        change(frame, |ip, ports| {
            if ip.from == GATEWAY
                && let Some(at) = self.seen.get(&(ports.to, ports.from))
            {
                ip.from = *at.ip();
                ports.from = at.port();
            }
        });
    }
}

struct Addresses {
    from: Ipv4Addr,
    to: Ipv4Addr,
}

struct Ports {
    from: u16,
    to: u16,
}

/// Changes the addresses of a TCP segment, and the sums over them. Any other frame stays as it is.
fn change(frame: &mut [u8], changes: impl FnOnce(&mut Addresses, &mut Ports)) {
    let Ok(mut ethernet) = EthernetFrame::new_checked(frame) else { return };
    let Ok(mut ip) = Ipv4Packet::new_checked(ethernet.payload_mut()) else { return };
    if ip.next_header() != smoltcp::wire::IpProtocol::Tcp || ip.more_frags() || ip.frag_offset() != 0 {
        return;
    }
    let mut addresses = Addresses { from: ip.src_addr(), to: ip.dst_addr() };
    let Ok(tcp) = TcpPacket::new_checked(ip.payload_mut()) else { return };
    let mut ports = Ports { from: tcp.src_port(), to: tcp.dst_port() };
    changes(&mut addresses, &mut ports);
    ip.set_src_addr(addresses.from);
    ip.set_dst_addr(addresses.to);
    ip.fill_checksum();
    let mut tcp = TcpPacket::new_unchecked(ip.payload_mut());
    tcp.set_src_port(ports.from);
    tcp.set_dst_port(ports.to);
    tcp.fill_checksum(&addresses.from.into(), &addresses.to.into());
}
