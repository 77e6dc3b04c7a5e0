//! Networks of this machine's loopback, one world each.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use rand::RngExt as _;

/// How many networks are tried before giving up.
const TRIES: usize = 256;
/// Whoever has bound this port of a network's last address has the network.
const LOCK: (u8, u16) = (254, 6443);

/// A /24 of 127/8 that no other world of this machine has, as long as this lives.
#[derive(Debug)]
pub struct Network {
    prefix: [u8; 3],
    _lock: TcpListener,
}

impl Network {
    /// Claims a free network.
    ///
    /// # Errors
    /// When this system has no addresses 127.x.y.z besides 127.0.0.1, or all are taken.
    pub fn claim() -> io::Result<Self> {
        let mut last = None;
        for _ in 0..TRIES {
            let [b, c] = [rand::rng().random_range(64..=250), rand::rng().random_range(1..=250)];
            let (host, port) = LOCK;
            let address = SocketAddr::from((Ipv4Addr::new(127, b, c, host), port));
            // An address that can be bound but not reached is that of a loopback which is down.
            match TcpListener::bind(address).and_then(|lock| TcpStream::connect(address).map(|_| lock)) {
                Ok(lock) => return Ok(Self { prefix: [127, b, c], _lock: lock }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
    }

    /// An address of the network.
    pub fn host(&self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.prefix;
        Ipv4Addr::new(a, b, c, last)
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn two_claims_are_two_networks() {
        let (one, two) = (Network::claim().unwrap(), Network::claim().unwrap());
        assert_ne!(one.host(1), two.host(1));
    }
}
