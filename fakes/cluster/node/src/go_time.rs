//! Durations and moments in Go's words.

use std::time::Duration;

use field_clock::Clock;
use jiff::{SignedDuration, Timestamp};

/// `1m28.454s`, `315ms`, `10s`: Go's text for a duration, cut to milliseconds.
pub(crate) fn duration_text(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let seconds = seconds_text(millis % 60_000);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

fn seconds_text(millis: u128) -> String {
    let (whole, rest) = (millis / 1000, millis % 1000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:03}").trim_end_matches('0').to_owned()
}

/// How long it is since a moment.
pub(crate) fn since(clock: &Clock, moment: Timestamp) -> Duration {
    Duration::try_from(clock.now().duration_since(moment)).unwrap_or_default()
}

/// A moment some time later.
pub(crate) fn after(moment: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration).ok().and_then(|d| moment.checked_add(d).ok()).unwrap_or(Timestamp::MAX)
}

/// The first whole second at or after a moment: what happens there wakes everybody at once.
pub(crate) fn whole_second(moment: Timestamp) -> Timestamp {
    let seconds = if moment.subsec_nanosecond() > 0 { moment.as_second() + 1 } else { moment.as_second() };
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::{duration_text, whole_second};
    use std::time::Duration;

    #[test]
    fn durations_read_as_go_prints_them() {
        let texts = [
            (0, "0s"),
            (99, "99ms"),
            (1200, "1.2s"),
            (10_000, "10s"),
            (80_000, "1m20s"),
            (88_454, "1m28.454s"),
            (3_660_000, "1h1m0s"),
        ];
        for (millis, text) in texts {
            assert_eq!(duration_text(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_whole_second_is_never_earlier() {
        assert_eq!(
            whole_second("2026-01-01T00:00:00.5Z".parse().unwrap()).to_string(),
            "2026-01-01T00:00:01Z"
        );
        assert_eq!(whole_second("2026-01-01T00:00:01Z".parse().unwrap()).to_string(), "2026-01-01T00:00:01Z");
    }
}
