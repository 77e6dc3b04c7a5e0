//! Numbers as verbs print them.

use super::{Spec, bad_verb, pad};
use crate::value::{Value, display, number};

pub(super) fn integer(spec: &Spec, verb: char, number: i128, value: &Value) -> String {
    let size = number.unsigned_abs();
    let digits = match verb {
        'v' | 'd' => size.to_string(),
        'b' => format!("{}{size:b}", if spec.sharp { "0b" } else { "" }),
        'o' => format!("{}{size:o}", if spec.sharp { "0" } else { "" }),
        'O' => format!("0o{size:o}"),
        'x' => format!("{}{size:x}", if spec.sharp { "0x" } else { "" }),
        'X' => format!("{}{size:X}", if spec.sharp { "0X" } else { "" }),
        'c' => return pad(spec, &rune(number).to_string()),
        'q' => return pad(spec, &display::quote_rune(rune(number))),
        'U' => return pad(spec, &format!("U+{size:04X}")),
        _ => return bad_verb(verb, value),
    };
    let digits = match spec.precision {
        Some(0) if number == 0 => String::new(),
        Some(precision) => format!("{}{digits}", "0".repeat(precision.saturating_sub(digits.len()))),
        None => digits,
    };
    let sign = sign(spec, number < 0);
    signed(spec, sign, &digits, spec.zero && spec.precision.is_none())
}

fn rune(number: i128) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
}

fn sign(spec: &Spec, negative: bool) -> &'static str {
    if negative {
        "-"
    } else if spec.plus {
        "+"
    } else if spec.space {
        " "
    } else {
        ""
    }
}

fn signed(spec: &Spec, sign: &str, digits: &str, zeros: bool) -> String {
    if zeros && !spec.minus {
        let missing = spec.width.unwrap_or(0).saturating_sub(digits.chars().count() + sign.len());
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    pad(spec, &format!("{sign}{digits}"))
}

pub(super) fn float(spec: &Spec, verb: char, value: f64) -> Option<String> {
    let size = value.abs();
    let digits = match verb {
        'v' | 'g' => float_g(size, spec.precision),
        'G' => float_g(size, spec.precision).to_uppercase(),
        'f' | 'F' => format!("{size:.*}", spec.precision.unwrap_or(6)),
        'e' => float_e(size, spec.precision.unwrap_or(6)),
        'E' => float_e(size, spec.precision.unwrap_or(6)).to_uppercase(),
        _ => return None,
    };
    if !value.is_finite() {
        let name = number::format_g(value);
        let name = if spec.plus || value < 0.0 { name } else { name.trim_start_matches('+').into() };
        return Some(pad(spec, &name));
    }
    let sign = sign(spec, value.is_sign_negative());
    Some(signed(spec, sign, &digits, spec.zero))
}

fn float_e(size: f64, precision: usize) -> String {
    let text = format!("{size:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn float_g(size: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else {
        return number::format_g(size);
    };
    let precision = precision.max(1);
    let rounded = format!("{size:.*e}", precision - 1);
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed =
        if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let digits = trimmed.chars().filter(char::is_ascii_digit).count();
    let whole = i32::try_from(precision).unwrap_or(i32::MAX);
    let limit = if precision > digits && digits as i32 > exponent { digits as i32 } else { whole };
    if exponent < -4 || exponent >= limit {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{trimmed}e{sign}{:02}", exponent.abs());
    }
    let decimals = usize::try_from(whole - 1 - exponent).unwrap_or(0);
    let fixed = format!("{size:.decimals$}");
    if fixed.contains('.') { fixed.trim_end_matches('0').trim_end_matches('.').into() } else { fixed }
}
