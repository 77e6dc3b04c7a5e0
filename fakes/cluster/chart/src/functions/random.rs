//! Random texts and numbers.

use base64::Engine as _;
use rand::RngExt as _;

use super::Param::{Int, Str};
use super::{Function, Outcome, int};
use crate::value::Value;

const DIGITS: &str = "0123456789";
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("randAlphaNum", &[Int], |values| Ok(pick(values, &format!("{LETTERS}{DIGITS}")))),
    Function::new("randAlpha", &[Int], |values| Ok(pick(values, LETTERS))),
    Function::new("randNumeric", &[Int], |values| Ok(pick(values, DIGITS))),
    Function::new("randAscii", &[Int], |values| {
        let printable: String = (' '..='~').collect();
        Ok(pick(values, &printable))
    }),
    Function::new("randInt", &[Int, Int], random_int),
    Function::new("randBytes", &[Int], |values| {
        let count = usize::try_from(int(&values[0])).unwrap_or(0);
        let bytes: Vec<u8> = (0..count).map(|_| rand::rng().random()).collect();
        Ok(base64::engine::general_purpose::STANDARD.encode(bytes).into())
    }),
    Function::new("uuidv4", &[], |_| Ok(uuid().into())),
    Function::new("hello", &[], |_| Ok("Hello!".into())),
    Function::new("regexQuoteMeta", &[Str], |values| {
        Ok(super::regexes::quote_meta(super::text(&values[0])).into())
    }),
];

/// A number below a limit.
pub(super) fn below(limit: usize) -> usize {
    rand::rng().random_range(0..limit)
}

fn pick(values: &[Value], from: &str) -> Value {
    let characters: Vec<char> = from.chars().collect();
    let count = usize::try_from(int(&values[0])).unwrap_or(0);
    (0..count).map(|_| characters[below(characters.len())]).collect::<String>().into()
}

fn random_int(values: &[Value]) -> Outcome {
    let (low, high) = (int(&values[0]), int(&values[1]));
    if high <= low {
        return Err("invalid argument to Intn".into());
    }
    Ok(Value::Int(rand::rng().random_range(low..high)))
}

fn uuid() -> String {
    let mut bytes: [u8; 16] = rand::rng().random();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
