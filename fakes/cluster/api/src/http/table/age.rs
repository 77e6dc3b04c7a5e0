//! Durations as kubectl prints them.

use jiff::Timestamp;
use serde_json::Value;

/// How long ago a time is; `<unknown>` when there is none.
pub(in crate::http) fn since(time: &Value, now: Timestamp) -> String {
    let Some(time) = time.as_str().and_then(|text| text.parse::<Timestamp>().ok()) else {
        return "<unknown>".to_owned();
    };
    human(now.duration_since(time).as_secs())
}

/// How long something took.
pub(super) fn between(from: &Value, to: Option<&Value>, now: Timestamp) -> String {
    let parse = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let Some(from) = parse(from) else { return String::new() };
    let to = to.and_then(parse).unwrap_or(now);
    human(to.duration_since(from).as_secs())
}

/// Two units at most: `45s`, `3m12s`, `5h`, `2d3h`.
fn human(seconds: i64) -> String {
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let seconds = seconds.max(0);
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let with = |big: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{small_unit}") }
    };
    match (seconds, minutes, hours) {
        (s, ..) if s < 120 => format!("{s}s"),
        (s, m, _) if m < 10 => with(m, "m", s % 60, "s"),
        (_, m, _) if m < 180 => format!("{m}m"),
        (_, m, h) if h < 8 => with(h, "h", m % 60, "m"),
        (.., h) if h < 48 => format!("{h}h"),
        (.., h) if h < 192 => with(h / 24, "d", h % 24, "h"),
        (.., h) if h < 24 * 365 * 2 => format!("{}d", h / 24),
        (.., h) if h < 24 * 365 * 8 => with(h / 24 / 365, "y", h / 24 % 365, "d"),
        (.., h) => format!("{}y", h / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_at_most_two_units() {
        for (seconds, expected) in [
            (-5, "<invalid>"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (312, "5m12s"),
            (3600, "60m"),
            (3 * 3600 + 60, "3h1m"),
            (30 * 3600, "30h"),
            (50 * 3600, "2d2h"),
            (30 * 86400, "30d"),
        ] {
            assert_eq!(human(seconds), expected);
        }
    }
}
