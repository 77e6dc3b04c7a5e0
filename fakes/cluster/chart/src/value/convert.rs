//! Conversions as templates' number functions make them (`spf13/cast`): what cannot be converted is 0.

use super::{Value, display, number, text};

/// `cast.ToInt64`, and `ToInt` on this machine.
pub(crate) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Uint8(number) => i64::from(*number),
        Value::Float(number) => float_to_int(*number),
        Value::Str(text) => number::parse_int(trim_zero_decimal(text), 0).unwrap_or(0),
        Value::Bool(flag) => i64::from(*flag),
        _ => 0,
    }
}

/// Go's conversion on amd64: what does not fit becomes the smallest number.
fn float_to_int(number: f64) -> i64 {
    if number.is_nan() || !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) {
        i64::MIN
    } else {
        number as i64
    }
}

fn trim_zero_decimal(text: &str) -> &str {
    match text.rfind('.') {
        Some(point) if text[point + 1..].bytes().all(|digit| digit == b'0') && point + 1 < text.len() => {
            &text[..point]
        }
        _ => text,
    }
}

/// `cast.ToFloat64`
pub(crate) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number as f64,
        Value::Uint8(number) => f64::from(*number),
        Value::Float(number) => *number,
        Value::Str(text) => number::parse_float(text).unwrap_or(0.0),
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        _ => 0.0,
    }
}

/// `strval` of Sprig.
pub(crate) fn to_text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.as_ref().into(),
        Value::Bytes(bytes) => text::from_bytes(bytes),
        Value::Invalid => "<nil>".into(),
        other => display::plain(other),
    }
}

/// `strslice` of Sprig: nil elements are left out.
pub(crate) fn to_texts(value: &Value) -> Vec<String> {
    match value.elements() {
        Some(items) => items.iter().filter(|item| !item.is_nil()).map(to_text).collect(),
        None if value.is_nil() => Vec::new(),
        None => vec![to_text(value)],
    }
}

#[cfg(test)]
mod tests {
    use super::to_int;
    use crate::value::Value;

    #[test]
    fn texts_are_numbers_if_go_thinks_so() {
        assert_eq!(to_int(&Value::from("8080")), 8080);
        assert_eq!(to_int(&Value::from("8080.00")), 8080);
        assert_eq!(to_int(&Value::from("8080.5")), 0);
        assert_eq!(to_int(&Value::from("0x10")), 16);
        assert_eq!(to_int(&Value::from("many")), 0);
        assert_eq!(to_int(&Value::Float(2.9)), 2);
    }
}
