//! Quantities of resources.

/// A quantity in thousandths: `500m` is 500, `2` is 2000, `1Ki` is 1024000. What cannot be read is nothing.
pub(crate) fn parse(text: &str) -> u128 {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor: u128 = match suffix {
        "m" => 1,
        "" => 1000,
        "k" => 1000 * 1000,
        "M" => 1000 * 1000_u128.pow(2),
        "G" => 1000 * 1000_u128.pow(3),
        "T" => 1000 * 1000_u128.pow(4),
        "Ki" => 1000 * 1024,
        "Mi" => 1000 * 1024_u128.pow(2),
        "Gi" => 1000 * 1024_u128.pow(3),
        "Ti" => 1000 * 1024_u128.pow(4),
        _ => return 0,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u128>().unwrap_or(0) * factor;
    let scale = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0).min(18));
    whole + fraction.parse::<u128>().unwrap_or(0) * factor / scale
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn quantities_are_read_with_their_suffixes() {
        for (text, value) in [
            ("500m", 500),
            ("2", 2000),
            ("0.5", 500),
            ("1Ki", 1_024_000),
            ("1.5Gi", 1_610_612_736_000),
            ("x", 0),
        ] {
            assert_eq!(parse(text), value, "{text}");
        }
    }
}
