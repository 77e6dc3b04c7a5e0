//! Passwords of people as the application keeps them: `pbkdf2-sha256$ROUNDS$SALT$HASH`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const BLOCK: usize = 64;
const ROUNDS: u32 = 1000;

/// A password as it is kept.
pub fn hash(password: &str) -> String {
    let salt: [u8; 16] = rand::random();
    let key = derive(password.as_bytes(), &salt, ROUNDS);
    format!("pbkdf2-sha256${ROUNDS}${}${}", STANDARD.encode(salt), STANDARD.encode(key))
}

/// Whether `password` is the one that was kept.
pub fn verify(password: &str, kept: &str) -> bool {
    let mut parts = kept.split('$');
    let (Some("pbkdf2-sha256"), Some(rounds), Some(salt), Some(key)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Ok(rounds), Ok(salt), Ok(key)) = (rounds.parse(), STANDARD.decode(salt), STANDARD.decode(key))
    else {
        return false;
    };
    let derived = derive(password.as_bytes(), &salt, rounds);
    // All bytes are looked at, wherever the first difference is.
    key.len() == derived.len() && key.iter().zip(derived).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// PBKDF2 with HMAC-SHA-256, one block.
fn derive(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let keys = Keys::new(password);
    let mut last = keys.mac(&[salt, &1_u32.to_be_bytes()].concat());
    let mut sum = last;
    for _ in 1..rounds {
        last = keys.mac(&last);
        sum.iter_mut().zip(last).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

/// The two states that every HMAC with one key begins with.
struct Keys {
    inner: Sha256,
    outer: Sha256,
}

impl Keys {
    fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if key.len() > BLOCK {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let start = |mark: u8| Sha256::new().chain_update(block.map(|byte| byte ^ mark));
        Self { inner: start(0x36), outer: start(0x5c) }
    }

    fn mac(&self, message: &[u8]) -> [u8; 32] {
        let inner = self.inner.clone().chain_update(message).finalize();
        self.outer.clone().chain_update(inner).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::{derive, hash, verify};

    #[test]
    fn only_the_right_password_fits() {
        let kept = hash("correct horse");
        assert!(verify("correct horse", &kept));
        assert!(!verify("correct hors", &kept));
        assert!(!verify("", "nothing like it"));
    }

    #[test]
    fn the_derivation_is_pbkdf2() {
        let key = derive(b"password", b"salt", 4096);
        assert_eq!(key[..4], [0xc5, 0xe4, 0x78, 0xd5]);
    }
}
