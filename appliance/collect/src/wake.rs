//! When the same facts come to mean something else: a grace ends although nothing happens.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Alarm, Clock};

/// An alarm for a moment in the API's time, which is never behind what the API has told.
#[derive(Debug)]
pub(crate) struct Wake {
    alarm: Alarm,
    /// What it is set for.
    set: Option<Timestamp>,
    /// What somebody waits for: never before what it is set for.
    due: Option<Timestamp>,
}

impl Wake {
    pub(crate) fn of(clock: Clock) -> Self {
        Self { alarm: Alarm::of(clock), set: None, due: None }
    }

    /// Comes at that moment, where it is at least `now`. One that is set for something earlier stays: most of what is waited for
    /// passes by itself, and setting costs more than a look at the watch.
    pub(crate) async fn expect(&mut self, due: Option<Timestamp>, now: Timestamp) {
        self.due = due;
        self.arm(now).await;
    }

    async fn arm(&mut self, now: Timestamp) {
        let Some(due) = self.due.filter(|due| self.set.is_none_or(|set| *due < set)) else { return };
        self.set = Some(due);
        self.alarm.set(Duration::try_from(due.duration_since(now)).unwrap_or_default()).await;
    }

    /// The moment that was waited for, when it has come.
    ///
    /// # Cancel safety
    /// Nothing is lost: whoever asks again is told the same.
    pub(crate) async fn comes(&mut self) -> Timestamp {
        loop {
            self.alarm.rings().await;
            let Some(at) = self.set.take() else { continue };
            match self.due.take() {
                Some(due) if due <= at => return due,
                later => self.due = later,
            }
            self.arm(at).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wake;
    use crate::clock::Clock;
    use jiff::{SignedDuration, Timestamp};

    fn at(millis: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis)
    }

    #[tokio::test]
    async fn it_comes_when_the_moment_does_also_where_an_earlier_one_was_waited_for_in_vain() {
        let mut wake = Wake::of(Clock::Machine);
        wake.expect(Some(at(20)), at(0)).await;
        wake.expect(Some(at(60)), at(10)).await;
        assert_eq!(wake.comes().await, at(60));
        wake.expect(Some(at(3_600_000)), at(60)).await;
        wake.expect(Some(at(80)), at(70)).await;
        assert_eq!(wake.comes().await, at(80));
    }

    #[tokio::test]
    async fn it_does_not_come_where_nothing_is_waited_for_any_more() {
        let mut wake = Wake::of(Clock::Machine);
        wake.expect(Some(at(10)), at(0)).await;
        wake.expect(None, at(5)).await;
        let come = tokio::time::timeout(std::time::Duration::from_millis(60), wake.comes()).await;
        assert!(come.is_err());
    }
}
