//! Lengths of time as people read them.

use jiff::{SignedDuration, Timestamp};

/// `850ms`, `12.3s`, `4m10s`, `1h02m`.
pub fn elapsed(duration: SignedDuration) -> String {
    let millis = duration.as_millis().max(0);
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis}ms"),
        1..=59 if millis % 1000 >= 50 && seconds < 20 => format!("{seconds}.{}s", (millis % 1000) / 100),
        1..=59 => format!("{seconds}s"),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `+4m10s`: how long after `start` that was.
pub fn offset(start: Timestamp, at: Timestamp) -> String {
    format!("+{}", elapsed(at.duration_since(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_get_coarser_as_they_grow() {
        let of = |millis| elapsed(SignedDuration::from_millis(millis));
        assert_eq!(
            [of(850), of(1_000), of(12_340), of(250_000), of(3_720_000)],
            ["850ms", "1s", "12.3s", "4m10s", "1h02m"]
        );
    }
}
