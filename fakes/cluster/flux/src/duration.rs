//! Durations as Go reads and writes them.

use std::time::Duration;

/// Reads `1h30m`, `45s`, `1.5s`, `300ms`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match &rest[..unit_end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then(|| Duration::from_secs_f64(total))
}

/// A duration of a field.
pub(crate) fn field(value: &serde_json::Value) -> Option<Duration> {
    parse(value.as_str()?)
}

/// Writes `1h0m0s`, `5.157355893s`, `31.644584ms`.
pub(crate) fn text(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", fraction(nanos, 1_000_000)),
        _ => {
            let seconds = nanos / 1_000_000_000;
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let rest = fraction(nanos % 60_000_000_000, 1_000_000_000);
            match (hours, minutes) {
                (0, 0) => format!("{rest}s"),
                (0, _) => format!("{minutes}m{rest}s"),
                _ => format!("{hours}h{minutes}m{rest}s"),
            }
        }
    }
}

fn fraction(nanos: u128, unit: u128) -> String {
    let (whole, rest) = (nanos / unit, nanos % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = unit.ilog10() as usize;
    format!("{whole}.{rest:0digits$}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_does() {
        assert_eq!(text(Duration::from_secs(3600)), "1h0m0s");
        assert_eq!(text(Duration::from_secs(60)), "1m0s");
        assert_eq!(text(Duration::from_nanos(5_157_355_893)), "5.157355893s");
        assert_eq!(text(Duration::from_nanos(31_644_584)), "31.644584ms");
        assert_eq!(text(Duration::from_millis(20_030)), "20.03s");
    }

    #[test]
    fn what_is_written_is_read() {
        for written in ["1h0m0s", "20s", "1m30s", "300ms"] {
            assert_eq!(parse(written).map(text).as_deref(), Some(written));
        }
        assert_eq!(parse("soon"), None);
        assert_eq!(parse(""), None);
    }
}
