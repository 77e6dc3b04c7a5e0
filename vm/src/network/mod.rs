//! A machine's network: QEMU's own small one, with a wire of ours between it and the guest's card.
//!
//! ```text
//!   guest's card ══ guest.wire ══▶ Wire ══ outside.wire ══▶ QEMU's user network (10.0.2.0/24, DHCP, forwards)
//!                                   │
//!                                   ├─ UDP to a service: one connected socket per flow, "connection refused" included
//!                                   ├─ TCP to a service: another port of 10.0.2.2, which is the host's loopback
//!                                   └─ anywhere else: prohibited, said by ICMP at once
//! ```
//! Why a wire: QEMU passes questions for names on to port 53 of the host's own resolver and to no other port, and it swallows
//! the kernel's "connection refused" for datagrams. With the wire a guest asks 10.0.2.3, or 1.1.1.1, on port 53, and it is the
//! scenario's resolver that answers, or refuses. Nothing of the host or the internet is reachable that is not a service.

mod flows;
mod frame;
mod relay;
mod route;
mod wire;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

pub(crate) use wire::{Wire, WireEnds};

use crate::specification::WishError;

/// The guest's own address, as it gets it by DHCP.
pub const GUEST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
/// The guest's gateway.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
/// The resolver that the guest is told by DHCP.
pub const RESOLVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);
/// The card's.
pub(crate) const GUEST_HARDWARE_ADDRESS: &str = "52:54:00:12:34:56";

/// How a machine is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// It has no card.
    None,
    /// A card on QEMU's own network.
    User(UserNetwork),
}

impl From<UserNetwork> for Network {
    fn from(network: UserNetwork) -> Self {
        Self::User(network)
    }
}

/// QEMU's own network: what of the guest can be reached, and what the guest can reach.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct UserNetwork {
    pub(crate) forwards: Vec<u16>,
    pub(crate) services: Vec<Service>,
}

impl UserNetwork {
    /// A network in which the guest reaches nobody, and nobody the guest.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a TCP port of the guest's that can be reached at a free port of the host's loopback; the kernel chooses it
    /// when the machine starts, so it is nobody else's ([`Machine::reached_at`](crate::Machine::reached_at)).
    pub fn forward(mut self, guest_port: u16) -> Self {
        self.forwards.push(guest_port);
        self
    }

    /// The same with a service that the guest can reach.
    pub fn service(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    /// The same with a resolver at port 53, over UDP and TCP, of the address that the guest is told by DHCP.
    pub fn resolver(self, to: SocketAddr) -> Self {
        self.resolver_at(RESOLVER, to)
    }

    /// The same with a resolver at port 53, over UDP and TCP, of another address.
    pub fn resolver_at(self, at: Ipv4Addr, to: SocketAddr) -> Self {
        let at = SocketAddrV4::new(at, 53);
        self.service(Service::Udp { at, to }).service(Service::Tcp { at, port: to.port() })
    }

    pub(crate) fn check(&self) -> Result<(), WishError> {
        for (number, port) in self.forwards.iter().enumerate() {
            if self.forwards[..number].contains(port) {
                return Err(WishError::TwoForwards(*port));
            }
        }
        for (number, service) in self.services.iter().enumerate() {
            service.check()?;
            let same = |other: &Service| (other.at(), other.is_udp()) == (service.at(), service.is_udp());
            if self.services[..number].iter().any(same) {
                return Err(WishError::Service { at: service.at(), reason: "another service is there" });
            }
        }
        Ok(())
    }
}

/// Something outside that the guest can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Over UDP.
    Udp {
        /// Where the guest sees it.
        at: SocketAddrV4,
        /// Where it is.
        to: SocketAddr,
    },
    /// Over TCP. QEMU's network leads to the host's 127.0.0.1 and to no other loopback address.
    Tcp {
        /// Where the guest sees it.
        at: SocketAddrV4,
        /// Its port at 127.0.0.1.
        port: u16,
    },
}

impl Service {
    pub(crate) fn at(&self) -> SocketAddrV4 {
        match self {
            Self::Udp { at, .. } | Self::Tcp { at, .. } => *at,
        }
    }

    fn is_udp(&self) -> bool {
        matches!(self, Self::Udp { .. })
    }

    fn check(&self) -> Result<(), WishError> {
        let at = self.at();
        let refused = |reason| Err(WishError::Service { at, reason });
        let ip = *at.ip();
        if is_local(ip) && ip != GATEWAY && ip != RESOLVER {
            return refused("of the guest's own network only 10.0.2.2 and 10.0.2.3 answer");
        }
        if ip.is_loopback() || ip.is_multicast() || ip.is_broadcast() || ip.is_unspecified() {
            return refused("no guest sends that anywhere");
        }
        if self.is_udp() && at.port() == 67 {
            return refused("the guest gets its address there");
        }
        Ok(())
    }
}

/// The address is one of the guest's own network.
pub(crate) fn is_local(ip: Ipv4Addr) -> bool {
    ip.octets()[..3] == GATEWAY.octets()[..3]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(network: UserNetwork) -> String {
        network.check().unwrap_err().to_string()
    }

    #[test]
    fn a_service_is_where_a_guest_can_reach_it() {
        let somewhere = "127.0.0.1:5353".parse().unwrap();
        let unseen = UserNetwork::new().resolver_at(Ipv4Addr::new(10, 0, 2, 53), somewhere);
        assert!(refused(unseen).contains("only 10.0.2.2 and 10.0.2.3 answer"));
        assert!(refused(UserNetwork::new().resolver_at(Ipv4Addr::LOCALHOST, somewhere)).contains("no guest"));
        let public = UserNetwork::new().resolver(somewhere).resolver_at(Ipv4Addr::new(1, 1, 1, 1), somewhere);
        assert_eq!(public.check(), Ok(()));
    }

    #[test]
    fn an_address_and_a_port_are_given_once() {
        let somewhere = "127.0.0.1:5353".parse().unwrap();
        assert!(
            refused(UserNetwork::new().resolver(somewhere).resolver(somewhere)).contains("another service")
        );
        assert_eq!(UserNetwork::new().forward(1).forward(1).check(), Err(WishError::TwoForwards(1)));
    }
}
