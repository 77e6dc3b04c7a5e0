//! What steps take that are no waiting: requests to the API, unpacking, building.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use field_clock::Clock;

/// Spends about so many milliseconds, a quarter more or less; the same step of the same thing at the same time takes the same.
pub(crate) async fn spend(clock: &Clock, milliseconds: u32, what: &str) {
    let mut hasher = DefaultHasher::new();
    (what, clock.now().as_microsecond()).hash(&mut hasher);
    let share = 0.75 + f64::from(u16::try_from(hasher.finish() % 50_000).unwrap_or_default()) / 100_000.0;
    clock.sleep(Duration::from_secs_f64(f64::from(milliseconds) * share / 1000.0)).await;
}
