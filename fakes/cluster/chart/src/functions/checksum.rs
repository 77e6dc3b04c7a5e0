//! Checksums.

use sha2::{Digest as _, Sha256, Sha512};

use super::Param::Str;
use super::{Function, text};
use crate::value::{Value, text as bytes};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("sha1sum", &[Str], |values| Ok(hex(&sha1(&input(values))))),
    Function::new("sha256sum", &[Str], |values| Ok(hex(&Sha256::digest(input(values))))),
    Function::new("sha512sum", &[Str], |values| Ok(hex(&Sha512::digest(input(values))))),
    Function::new("adler32sum", &[Str], |values| Ok(adler32(&input(values)).to_string().into())),
];

fn input(values: &[Value]) -> Vec<u8> {
    bytes::to_bytes(text(&values[0])).into_owned()
}

fn hex(bytes: &[u8]) -> Value {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn adler32(input: &[u8]) -> u32 {
    let (low, high) = input.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    (high << 16) | low
}

fn sha1(input: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut message = input.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend_from_slice(&(input.len() as u64 * 8).to_be_bytes());
    for block in message.chunks_exact(64) {
        sha1_block(&mut state, block);
    }
    let mut sum = [0; 20];
    for (place, word) in sum.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    sum
}

fn sha1_block(state: &mut [u32; 5], block: &[u8]) {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte));
    }
    for index in 16..80 {
        let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16];
        words[index] = mixed.rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (round, word) in words.iter().enumerate() {
        let (mix, constant) = match round / 20 {
            0 => ((b & c) | (!b & d), 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next =
            a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(constant).wrapping_add(*word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    for (total, word) in state.iter_mut().zip([a, b, c, d, e]) {
        *total = total.wrapping_add(word);
    }
}

#[cfg(test)]
mod tests {
    use super::{adler32, hex, sha1};
    use crate::value::display;

    #[test]
    fn checksums_are_those_that_everyone_knows() {
        assert_eq!(display::plain(&hex(&sha1(b"abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}
