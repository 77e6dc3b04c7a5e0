//! Names and identities that nobody chose.

use rand::RngExt;

/// Letters and digits that make no words.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A prefix and five letters, as `generateName` does.
pub(crate) fn suffixed(prefix: &str) -> String {
    let prefix: String = prefix.chars().take(58).collect();
    let mut rng = rand::rng();
    let tail: String = (0..5).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect();
    prefix + &tail
}

/// A random (version 4) UUID.
pub fn uuid() -> String {
    let mut bytes: [u8; 16] = rand::rng().random();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Some random bytes in hexadecimal.
pub(crate) fn secret() -> String {
    hex(&rand::rng().random::<[u8; 24]>())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
