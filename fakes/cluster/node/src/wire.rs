//! The node's network as the node knows it, and where its sockets really are.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

/// Maps addresses that the node knows (ports 53, 443) to the sockets that are really bound. Clones share the map.
///
/// Whoever connects asks [`Wire::actual`]; every text names the known address.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    known: Arc<RwLock<HashMap<SocketAddr, SocketAddr>>>,
}

impl Wire {
    /// A network where every address is what it says.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `known` is found at `actual`.
    pub fn map(&self, known: SocketAddr, actual: SocketAddr) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(known, actual);
    }

    /// Where to connect for an address; itself when nothing is mapped.
    pub fn actual(&self, known: SocketAddr) -> SocketAddr {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&known).copied().unwrap_or(known)
    }

    /// Whether anything can be found at an address; the internet beyond the mapped ones is not there, and does not answer.
    pub(crate) fn leads_nowhere(&self, known: SocketAddr) -> bool {
        !self.actual(known).ip().is_loopback()
    }

    /// Where to bind so that `known` can be reached: itself, or any port of the same address where ports need a privilege.
    pub(crate) fn place(&self, known: SocketAddr) -> SocketAddr {
        let actual = self.actual(known);
        if actual == known && known.port() < FIRST_FREE_PORT {
            SocketAddr::new(known.ip(), 0)
        } else {
            actual
        }
    }

    /// Remembers where `known` was bound.
    pub(crate) fn placed(&self, known: SocketAddr, actual: SocketAddr) {
        if known != actual {
            self.map(known, actual);
        }
    }
}

/// Ports below need a privilege.
const FIRST_FREE_PORT: u16 = 1024;

/// The name servers that the node's `resolv.conf` names. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Resolvers {
    list: Arc<RwLock<Vec<SocketAddr>>>,
}

impl Resolvers {
    /// These servers, asked in this order.
    pub fn new(servers: Vec<SocketAddr>) -> Self {
        Self { list: Arc::new(RwLock::new(servers)) }
    }

    /// Changes the list for everybody.
    pub fn set(&self, servers: Vec<SocketAddr>) {
        *self.list.write().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    /// The list now.
    pub fn get(&self) -> Vec<SocketAddr> {
        self.list.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The world's addresses: a /24 of 127/8 with pods at .20–.119 and services at .120–.249. Pods beyond get addresses of further networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    network: [u8; 3],
}

impl Addresses {
    /// The /24 that holds this address.
    pub fn around(address: Ipv4Addr) -> Self {
        let [a, b, c, _] = address.octets();
        Self { network: [a, b, c] }
    }

    /// All addresses for pods.
    pub fn pods(&self) -> impl Iterator<Item = IpAddr> + use<> {
        self.range(20..=119)
    }

    /// All addresses for services.
    pub fn services(&self) -> impl Iterator<Item = IpAddr> + use<> {
        self.range(120..=249)
    }

    /// The pods' network as a node's `podCIDR` says it.
    pub fn pod_cidr(&self) -> String {
        let [a, b, c] = self.network;
        format!("{a}.{b}.{c}.0/24")
    }

    fn range(&self, hosts: std::ops::RangeInclusive<u8>) -> impl Iterator<Item = IpAddr> + use<> {
        let [a, b, c] = self.network;
        hosts.map(move |host| IpAddr::V4(Ipv4Addr::new(a, b, c, host)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, Wire};
    use std::net::{Ipv4Addr, SocketAddr};

    #[test]
    fn an_address_that_nobody_mapped_is_itself() {
        let wire = Wire::new();
        let known: SocketAddr = "127.9.9.2:53".parse().unwrap();
        assert_eq!(wire.actual(known), known);
        wire.map(known, "127.9.9.2:5353".parse().unwrap());
        assert_eq!(wire.clone().actual(known).port(), 5353);
    }

    #[test]
    fn pods_and_services_do_not_share_addresses() {
        let addresses = Addresses::around(Ipv4Addr::new(127, 1, 2, 3));
        let pods: Vec<_> = addresses.pods().collect();
        assert_eq!(pods.len(), 100);
        assert!(addresses.services().all(|service| !pods.contains(&service)));
        assert_eq!(pods[0].to_string(), "127.1.2.20");
    }
}
