//! Numbers as Go's `strconv` writes and reads them.

/// The shortest decimal digits of a finite number, and the place of the decimal point (`0.digits × 10^point`).
fn shortest_digits(number: f64) -> (String, i32) {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    (digits, exponent + 1)
}

fn special(number: f64) -> Option<&'static str> {
    if number.is_nan() {
        Some("NaN")
    } else if number.is_infinite() {
        Some(if number > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

/// `%g` with the shortest digits, which is also what `%v` prints.
pub(crate) fn format_g(number: f64) -> String {
    if let Some(name) = special(number) {
        return name.into();
    }
    let (_, point) = shortest_digits(number.abs());
    let exponent = if number == 0.0 { 0 } else { point - 1 };
    if (-4..G_LIMIT).contains(&exponent) { format_f(number) } else { format_e(number) }
}

/// From this exponent on `%g` without a precision writes exponents.
const G_LIMIT: i32 = 6;

/// `%e` with the shortest digits.
pub(crate) fn format_e(number: f64) -> String {
    if let Some(name) = special(number) {
        return name.into();
    }
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// `%f` with as many digits as needed.
pub(crate) fn format_f(number: f64) -> String {
    special(number).map_or_else(|| format!("{number}"), Into::into)
}

/// As `encoding/json` writes it.
pub(crate) fn format_json(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format_e(number);
        // e-09 becomes e-9
        return match text.split_once("e-0") {
            Some((mantissa, digit)) => format!("{mantissa}e-{digit}"),
            None => text,
        };
    }
    format_f(number)
}

/// `strconv.ParseInt(text, base, 64)`; base 0 looks at the prefix.
pub(crate) fn parse_int(text: &str, base: u32) -> Result<i64, ParseFailure> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let size = parse_uint(digits, base)?;
    let limit = i64::MAX as u64 + u64::from(negative);
    if size > limit {
        return Err(ParseFailure::Range);
    }
    Ok(if negative { (size as i64).wrapping_neg() } else { size as i64 })
}

/// `strconv.ParseUint(text, base, 64)`.
pub(crate) fn parse_uint(text: &str, base: u32) -> Result<u64, ParseFailure> {
    let (digits, radix) = if base == 0 { split_prefix(text)? } else { (text.to_owned(), base) };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(ParseFailure::Syntax);
    }
    u64::from_str_radix(&digits, radix).map_err(|_| ParseFailure::Range)
}

fn split_prefix(text: &str) -> Result<(String, u32), ParseFailure> {
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = if let Some(rest) = lower.strip_prefix("0x") {
        (rest, 16)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (rest, 2)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (rest, 8)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (&lower[1..], 8)
    } else {
        (lower.as_str(), 10)
    };
    if !underscores_ok(&lower) {
        return Err(ParseFailure::Syntax);
    }
    Ok((digits.replace('_', ""), radix))
}

/// Underscores may only stand between digits, or after a prefix.
fn underscores_ok(text: &str) -> bool {
    if !text.contains('_') {
        return true;
    }
    let prefixed = text.len() > 1 && text.starts_with('0');
    let body = if text.starts_with("0x") || text.starts_with("0b") || text.starts_with("0o") {
        &text[2..]
    } else {
        text
    };
    !body.ends_with('_') && !body.contains("__") && (prefixed || !body.starts_with('_'))
}

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParseFailure {
    /// It is none at all.
    Syntax,
    /// It is too large.
    Range,
}

/// `strconv.ParseFloat(text, 64)`, without hexadecimal.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = body.to_ascii_lowercase();
    let number = if matches!(lower.as_str(), "inf" | "infinity") {
        f64::INFINITY
    } else if lower == "nan" {
        return Some(f64::NAN);
    } else {
        let first = lower.chars().next()?;
        if !(first.is_ascii_digit() || first == '.') || lower.contains(['i', 'n', '_']) {
            return None;
        }
        let number: f64 = lower.parse().ok()?;
        if number.is_infinite() {
            return None;
        }
        number
    };
    Some(if text.starts_with('-') { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::{ParseFailure, format_g, format_json, parse_int};

    #[test]
    fn large_floats_print_with_an_exponent_where_go_prints_one() {
        assert_eq!(format_g(1e6), "1e+06");
        assert_eq!(format_g(123_456_789.0), "1.23456789e+08");
        assert_eq!(format_g(100_000.0), "100000");
        assert_eq!(format_g(0.0001), "0.0001");
        assert_eq!(format_g(0.00001), "1e-05");
        assert_eq!(format_json(1e21), "1e+21");
        assert_eq!(format_json(1e-7), "1e-7");
    }

    #[test]
    fn prefixes_decide_the_base() {
        assert_eq!(parse_int("0x1F", 0), Ok(31));
        assert_eq!(parse_int("-0755", 0), Ok(-493));
        assert_eq!(parse_int("089", 0), Err(ParseFailure::Syntax));
        assert_eq!(parse_int("9223372036854775808", 0), Err(ParseFailure::Range));
    }
}
