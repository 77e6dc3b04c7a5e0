//! Base 64 and base 32.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Param::Str;
use super::{Function, Outcome, text};
use crate::value::{Value, text as bytes};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("b64enc", &[Str], |values| Ok(STANDARD.encode(bytes::to_bytes(text(&values[0]))).into())),
    Function::new("b64dec", &[Str], decode_base64),
    Function::new("b32enc", &[Str], |values| Ok(encode_base32(&bytes::to_bytes(text(&values[0]))).into())),
    Function::new("b32dec", &[Str], decode_base32),
];

/// What cannot be decoded becomes the message about it.
fn decode_base64(values: &[Value]) -> Outcome {
    let input: String =
        text(&values[0]).chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
    let decoded = match STANDARD.decode(&input) {
        Ok(decoded) => bytes::from_bytes(&decoded),
        Err(_) => format!("illegal base64 data at input byte {}", base64_mistake(&input)),
    };
    Ok(decoded.into())
}

/// Where Go finds fault.
fn base64_mistake(input: &str) -> usize {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let wrong = input.bytes().position(|byte| !is_digit(&byte)).unwrap_or(input.len());
    let rest = &input[wrong..];
    let padding_fits = match wrong % 4 {
        2 => rest.starts_with("=="),
        3 => rest.starts_with('='),
        _ => false,
    };
    match (rest.is_empty(), padding_fits) {
        (true, _) => wrong - wrong % 4,
        (false, true) => wrong + 4 - wrong % 4,
        (false, false) => wrong,
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode_base32(input: &[u8]) -> String {
    let mut out = String::new();
    for chunk in input.chunks(5) {
        let mut block = [0_u8; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        let digits = (chunk.len() * 8).div_ceil(5);
        for digit in 0..8 {
            let value = (bits >> (35 - 5 * digit)) & 31;
            out.push(if digit < digits { char::from(BASE32[value as usize]) } else { '=' });
        }
    }
    out
}

fn decode_base32(values: &[Value]) -> Outcome {
    let input: Vec<u8> = text(&values[0]).bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let digits: Vec<u8> = input.iter().copied().take_while(|byte| *byte != b'=').collect();
    if !input.len().is_multiple_of(8) {
        return Ok(format!("illegal base32 data at input byte {}", input.len() - input.len() % 8).into());
    }
    let mut decoded = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for (index, digit) in digits.iter().enumerate() {
        let Some(value) = BASE32.iter().position(|known| known == digit) else {
            return Ok(format!("illegal base32 data at input byte {index}").into());
        };
        bits = (bits << 5) | value as u32;
        count += 5;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count) as u8);
        }
    }
    Ok(bytes::from_bytes(&decoded).into())
}

#[cfg(test)]
mod tests {
    use super::{base64_mistake, encode_base32};

    #[test]
    fn base32_pads_to_eight_digits() {
        assert_eq!(encode_base32(b"foob"), "MZXW6YQ=");
    }

    #[test]
    fn mistakes_are_found_where_go_finds_them() {
        assert_eq!(base64_mistake("YW*j"), 2);
        assert_eq!(base64_mistake("YWJjZ"), 4);
    }
}
