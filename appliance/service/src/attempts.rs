//! Addresses that guess must wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

const FREE: u32 = 5;
const FIRST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Addresses remembered; beyond, those that need not wait are forgotten.
const REMEMBERED: usize = 4096;

/// Failed attempts by address.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<IpAddr, Record>>);

#[derive(Debug)]
struct Record {
    failures: u32,
    until: Instant,
}

impl Attempts {
    /// Notes a failure; says how long the address has to wait, if it has failed too often.
    pub(crate) fn fail(&self, address: IpAddr) -> Option<Duration> {
        let now = Instant::now();
        let mut records = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if records.len() >= REMEMBERED {
            records.retain(|_, record| record.until > now);
        }
        let record = records.entry(address).or_insert(Record { failures: 0, until: now });
        if record.until > now {
            return Some(record.until - now);
        }
        record.failures += 1;
        if record.failures <= FREE {
            return None;
        }
        let pause = FIRST.saturating_mul(1 << (record.failures - FREE - 1).min(8)).min(LONGEST);
        record.until = now + pause;
        Some(pause)
    }

    /// Forgets an address that proved itself.
    pub(crate) fn succeed(&self, address: IpAddr) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::Attempts;

    #[test]
    fn the_sixth_failure_has_to_wait_a_minute() {
        let attempts = Attempts::default();
        let guest = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!((0..5).all(|_| attempts.fail(guest).is_none()));
        assert_eq!(attempts.fail(guest).map(|it| it.as_secs()), Some(60));
        attempts.succeed(guest);
        assert!(attempts.fail(guest).is_none());
    }
}
