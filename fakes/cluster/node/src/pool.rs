//! Addresses of pods.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::network::Network;

/// Hosts of a further network: all but its own address, the lock's and the broadcast's.
const HOSTS: std::ops::RangeInclusive<u8> = 1..=253;

/// Addresses to give away; the one given back last is taken last. When none is left, another network is claimed.
pub(crate) struct Pool {
    state: Mutex<State>,
}

struct State {
    free: VecDeque<IpAddr>,
    /// Networks that were claimed when the first was full.
    further: Vec<Network>,
}

impl Pool {
    pub(crate) fn new(addresses: impl Iterator<Item = IpAddr>) -> Self {
        Self { state: Mutex::new(State { free: addresses.collect(), further: Vec::new() }) }
    }

    pub(crate) fn take(&self) -> Option<IpAddr> {
        let mut state = self.lock();
        if state.free.is_empty() {
            match Network::claim() {
                Ok(network) => {
                    state.free.extend(HOSTS.map(|host| IpAddr::V4(network.host(host))));
                    state.further.push(network);
                }
                Err(error) => tracing::warn!(%error, "no further network for pods"),
            }
        }
        state.free.pop_front()
    }

    pub(crate) fn give_back(&self, address: IpAddr) {
        self.lock().free.push_back(address);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Pool;

    #[test]
    fn a_pool_that_is_empty_grows_and_gives_no_address_twice() {
        let first = "127.1.2.20".parse().unwrap();
        let pool = Pool::new([first].into_iter());
        let taken: HashSet<_> = (0..600).map(|_| pool.take().unwrap()).collect();
        assert_eq!(taken.len(), 600);
        assert!(taken.iter().all(std::net::IpAddr::is_loopback));
        pool.give_back(first);
        assert_ne!(pool.take(), Some(first));
    }
}
