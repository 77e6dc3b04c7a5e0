//! What nobody chose: generated names, identities, and the moments that everybody takes. All of it follows from one seed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Letters and digits that make no words.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// What fits in front of a suffix.
const PREFIX: usize = 58;
const SUFFIX: usize = 5;

/// The chance of one cluster: the same seed gives the same names and the same moments in the same order of asking.
#[derive(Debug)]
pub struct Chance {
    source: Mutex<StdRng>,
}

impl Chance {
    /// Everything that follows from a seed.
    pub fn seeded(seed: u64) -> Self {
        Self { source: Mutex::new(StdRng::seed_from_u64(seed)) }
    }

    /// A prefix and five letters, as `generateName` does.
    pub fn suffixed(&self, prefix: &str) -> String {
        let prefix: String = prefix.chars().take(PREFIX).collect();
        let mut source = self.source();
        let tail: String =
            (0..SUFFIX).map(|_| char::from(ALPHABET[source.random_range(0..ALPHABET.len())])).collect();
        prefix + &tail
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        let mut bytes: [u8; 16] = self.source().random();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = hex(&bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// 64 hexadecimal digits, as container engines name what they run.
    pub fn id(&self) -> String {
        hex(&self.source().random::<[u8; 32]>())
    }

    /// A number from nought to `most`, both included.
    pub fn up_to(&self, most: u64) -> u64 {
        self.source().random_range(0..=most)
    }

    /// The moment that somebody takes before he acts; no longer than `most`. Who acts first of two hangs on it.
    pub fn moment(&self, most: Duration) -> Duration {
        most.mul_f64(self.source().random())
    }

    fn source(&self) -> MutexGuard<'_, StdRng> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some random bytes in hexadecimal, which no seed tells.
pub(crate) fn secret() -> String {
    hex(&rand::rng().random::<[u8; 24]>())
}

/// A version 4 UUID, which no seed tells.
pub(crate) fn uuid() -> String {
    Chance::seeded(rand::rng().random()).uuid()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_same_seed_gives_the_same_names() {
        let names = |seed| {
            let chance = Chance::seeded(seed);
            (chance.suffixed("web-"), chance.uuid(), chance.up_to(1_000_000))
        };
        assert_eq!(names(7), names(7));
        assert_ne!(names(7), names(8));
    }
}
