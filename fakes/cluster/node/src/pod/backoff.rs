//! How long the kubelet waits before it tries again.

use std::time::Duration;

use jiff::Timestamp;

const FIRST: Duration = Duration::from_secs(10);
const MOST: Duration = Duration::from_secs(300);

/// A wait that doubles: 10, 20, 40 … 300 s.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    entry: Option<(Duration, Timestamp)>,
}

impl Backoff {
    /// The wait that is still running, counted from when the thing failed.
    pub(super) fn running_since(&self, failed: Timestamp, now: Timestamp) -> Option<Duration> {
        let (wait, updated) = self.entry?;
        (!expired(failed, updated) && elapsed(failed, now) < wait).then_some(wait)
    }

    /// The wait that is still running, counted from the last failure that was noted.
    pub(super) fn running(&self, now: Timestamp) -> Option<Duration> {
        let (wait, updated) = self.entry?;
        (!expired(now, updated) && elapsed(updated, now) < wait).then_some(wait)
    }

    /// Notes a failure: the next wait is twice as long.
    pub(super) fn next(&mut self, failed: Timestamp, now: Timestamp) {
        let wait = match self.entry {
            Some((wait, updated)) if !expired(failed, updated) => (wait * 2).min(MOST),
            _ => FIRST,
        };
        self.entry = Some((wait, now));
    }
}

/// After twice the longest wait without failure all is forgotten.
fn expired(failed: Timestamp, updated: Timestamp) -> bool {
    elapsed(updated, failed) > MOST * 2
}

fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use jiff::Timestamp;
    use std::time::Duration;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let mut backoff = Backoff::default();
        let mut waits = Vec::new();
        for round in 0..7 {
            backoff.next(at(round), at(round));
            waits.push(backoff.running(at(round)).unwrap().as_secs());
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn the_first_restart_is_at_once_and_the_second_waits() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.running_since(at(5), at(5)), None);
        backoff.next(at(5), at(5));
        assert_eq!(backoff.running_since(at(7), at(8)), Some(Duration::from_secs(10)));
        assert_eq!(backoff.running_since(at(7), at(17)), None);
    }

    #[test]
    fn ten_good_minutes_forget_everything() {
        let mut backoff = Backoff::default();
        backoff.next(at(0), at(0));
        backoff.next(at(1), at(1));
        backoff.next(at(700), at(700));
        assert_eq!(backoff.running(at(700)), Some(Duration::from_secs(10)));
    }
}
