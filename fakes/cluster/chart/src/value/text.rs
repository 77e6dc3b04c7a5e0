//! Go strings hold any bytes, Rust's only UTF-8: bytes that are not UTF-8 travel as private code points.

use std::borrow::Cow;

/// Byte `b` travels as this plus `b`: the top of the last private plane, which no chart uses.
const BASE: u32 = 0x0010_FE00;

/// The text of bytes; what is not UTF-8 in them stays recoverable.
pub(crate) fn from_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(
            chunk.invalid().iter().map(|byte| char::from_u32(BASE + u32::from(*byte)).unwrap_or('\u{fffd}')),
        );
    }
    text
}

/// The byte that a character stands for, if it stands for one that is not UTF-8.
pub(crate) fn stray_byte(character: char) -> Option<u8> {
    u8::try_from(u32::from(character).checked_sub(BASE)?).ok()
}

/// Whether all of it is UTF-8 in Go's eyes too.
pub(crate) fn is_utf8(text: &str) -> bool {
    !text.chars().any(|character| stray_byte(character).is_some())
}

/// The bytes of a text.
pub(crate) fn to_bytes(text: &str) -> Cow<'_, [u8]> {
    if is_utf8(text) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for character in text.chars() {
        match stray_byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// Bytes `start..end` of a text, which may cut characters in half.
pub(crate) fn cut(text: &str, start: usize, end: usize) -> String {
    from_bytes(&to_bytes(text)[start..end])
}

/// How many bytes Go counts.
pub(crate) fn len(text: &str) -> usize {
    to_bytes(text).len()
}

#[cfg(test)]
mod tests {
    use super::{cut, from_bytes, len, to_bytes};

    #[test]
    fn bytes_that_are_not_utf8_come_back_as_they_were() {
        let bytes = [b'a', 0xff, 0xc3, 0xa9, 0x80, b'z'];
        let text = from_bytes(&bytes);
        assert_eq!(to_bytes(&text).as_ref(), bytes);
        assert_eq!(len(&text), 6);
    }

    #[test]
    fn halves_of_a_character_make_it_whole_again() {
        let halves = format!("{}{}", cut("é", 0, 1), cut("é", 1, 2));
        assert_eq!(to_bytes(&halves).as_ref(), "é".as_bytes());
    }
}
