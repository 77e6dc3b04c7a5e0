//! What steps take that are no waiting: requests to the API, unpacking, building.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use field_clock::Clock;
use jiff::Timestamp;

/// How busy the controllers' machine is with other things; clones are the same machine's.
#[derive(Clone, Debug, Default)]
pub struct Burden(Arc<Mutex<Load>>);

#[derive(Debug, Default)]
struct Load {
    delay: Duration,
    felt: Vec<Timestamp>,
}

impl Burden {
    /// From now on each reconciliation begins that much later than it would; nothing takes the burden away.
    pub fn set(&self, delay: Duration) {
        self.load().delay = delay;
    }

    /// When reconciliations were held up, the first hundred.
    pub fn felt(&self) -> Vec<Timestamp> {
        self.load().felt.clone()
    }

    pub(crate) async fn bear(&self, clock: &Clock) {
        let delay = {
            let mut load = self.load();
            if !load.delay.is_zero() && load.felt.len() < 100 {
                load.felt.push(clock.now());
            }
            load.delay
        };
        if !delay.is_zero() {
            clock.sleep(delay).await;
        }
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Spends about so many milliseconds, a quarter more or less; the same step of the same thing at the same time takes the same.
pub(crate) async fn spend(clock: &Clock, milliseconds: u32, what: &str) {
    let mut hasher = DefaultHasher::new();
    (what, clock.now().as_microsecond()).hash(&mut hasher);
    let share = 0.75 + f64::from(u16::try_from(hasher.finish() % 50_000).unwrap_or_default()) / 100_000.0;
    clock.sleep(Duration::from_secs_f64(f64::from(milliseconds) * share / 1000.0)).await;
}
