//! A /24 of 127/8 for each world.
//!
//! ```text
//!   .1 the node   .2 the resolver   .3 the registries   .4 the operator's desk   .5 public resolvers   .6 a portal
//!   .7 a clock, and an earlier install's database   .20–.249 pods and services
//! ```

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use rand::RngExt as _;

/// Kubernetes' API, as every node has it.
pub(in crate::world) const API_PORT: u16 = 6443;
/// The status service.
pub(in crate::world) const STATUS_PORT: u16 = 8080;
/// The application.
pub(in crate::world) const APP_PORT: u16 = 3000;
/// Where DNS is known to be; really it listens on [`DNS_ACTUAL`], since low ports need a privilege.
pub(in crate::world) const DNS_KNOWN: u16 = 53;
pub(in crate::world) const DNS_ACTUAL: u16 = 5353;
/// Where the registry is known to be, and where it is.
pub(in crate::world) const REGISTRY_KNOWN: u16 = 443;
pub(in crate::world) const REGISTRY_ACTUAL: u16 = 8443;
/// The site's proxy.
pub(in crate::world) const PROXY_PORT: u16 = 3128;

/// The site's clock.
const CLOCK_PORT: u16 = 1123;

/// How many networks are tried before giving up; two suites and their jobs take a dozen.
const TRIES: usize = 64;

/// A network that no other world of this machine has, as long as this lives.
#[derive(Debug)]
pub(in crate::world) struct Network {
    prefix: [u8; 3],
    /// Binding the last address is the lock between worlds, also those of other processes.
    _lock: TcpListener,
}

impl Network {
    /// Claims a free network.
    ///
    /// # Errors
    /// When this system has no addresses 127.x.y.z besides 127.0.0.1, or all are taken.
    pub(in crate::world) fn claim() -> io::Result<Self> {
        let mut last = None;
        for _ in 0..TRIES {
            let prefix = [127, rand::rng().random_range(64..=250), rand::rng().random_range(1..=250)];
            let [a, b, c] = prefix;
            let address = SocketAddr::from((Ipv4Addr::new(a, b, c, 254), API_PORT));
            // An address that can be bound but not reached is that of a loopback which is down.
            match TcpListener::bind(address).and_then(|lock| TcpStream::connect(address).map(|_| lock)) {
                Ok(lock) => return Ok(Self { prefix, _lock: lock }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
    }

    fn host(&self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.prefix;
        Ipv4Addr::new(a, b, c, last)
    }

    /// The node.
    pub(in crate::world) fn node(&self) -> Ipv4Addr {
        self.host(1)
    }

    /// The site's resolver.
    pub(in crate::world) fn resolver(&self) -> IpAddr {
        self.host(2).into()
    }

    /// The image registry.
    pub(in crate::world) fn registry(&self) -> IpAddr {
        self.host(3).into()
    }

    /// The public resolvers.
    pub(in crate::world) fn public_resolver(&self) -> IpAddr {
        self.host(5).into()
    }

    /// The portal at which a site's guests sign in.
    pub(in crate::world) fn portal(&self) -> IpAddr {
        self.host(6).into()
    }

    /// The database of an earlier install, while its volume is made.
    pub(in crate::world) fn former(&self) -> IpAddr {
        self.host(7).into()
    }

    /// The site's clock.
    pub(in crate::world) fn clock(&self) -> SocketAddr {
        (self.host(7), CLOCK_PORT).into()
    }

    /// The operator's desk.
    pub(in crate::world) fn desk(&self) -> IpAddr {
        self.host(4).into()
    }

    /// A port of the node.
    pub(in crate::world) fn on_node(&self, port: u16) -> SocketAddr {
        (self.node(), port).into()
    }
}
