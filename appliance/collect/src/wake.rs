//! When the same facts come to mean something else: a grace ends although nothing happens.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::FutureExt;
use futures::future::select_all;
use jiff::Timestamp;

use crate::clock::{Alarm, Clock};

/// Alarms for moments in the API's time, which are never behind what the API has told.
///
/// Each moment has an alarm of its own, set when it is first waited for: what the API told last may be a second old, and a
/// later setting would make another second of it.
#[derive(Debug)]
pub(crate) struct Wake {
    clock: Clock,
    alarms: Vec<Set>,
    waited_for: BTreeSet<Timestamp>,
}

/// An alarm and what it is set for.
#[derive(Debug)]
struct Set {
    alarm: Alarm,
    moment: Option<Timestamp>,
}

/// So many moments are waited for at once, the nearest ones: further ones come up when these are over.
const MOST: usize = 8;

impl Wake {
    pub(crate) fn of(clock: Clock) -> Self {
        Self { clock, alarms: Vec::new(), waited_for: BTreeSet::new() }
    }

    /// Comes at those moments, and at no others that were waited for before.
    pub(crate) async fn expect(&mut self, moments: BTreeSet<Timestamp>, now: Timestamp) {
        let nearest: BTreeSet<Timestamp> = moments.into_iter().take(MOST).collect();
        for moment in nearest.difference(&self.waited_for) {
            let idle = |it: &Set| it.moment.is_none_or(|moment| !nearest.contains(&moment));
            let at = self.alarms.iter().position(idle).unwrap_or_else(|| {
                self.alarms.push(Set { alarm: Alarm::of(self.clock), moment: None });
                self.alarms.len() - 1
            });
            let set = &mut self.alarms[at];
            set.moment = Some(*moment);
            set.alarm.set(Duration::try_from(moment.duration_since(now)).unwrap_or_default()).await;
        }
        self.waited_for = nearest;
    }

    /// A moment that was waited for, when it has come.
    ///
    /// # Cancel safety
    /// Nothing is lost: whoever asks again is told the same.
    pub(crate) async fn comes(&mut self) -> Timestamp {
        loop {
            let rings = self.alarms.iter_mut().map(|set| {
                let Set { alarm, moment } = set;
                async move {
                    alarm.rings().await;
                    moment.take()
                }
                .boxed()
            });
            let rings: Vec<_> = rings.collect();
            if rings.is_empty() {
                return std::future::pending().await;
            }
            let (moment, ..) = select_all(rings).await;
            if let Some(moment) = moment.filter(|it| self.waited_for.remove(it)) {
                return moment;
            }
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
    async fn it_comes_at_every_moment_and_at_none_that_is_not_waited_for_any_more() {
        let mut wake = Wake::of(Clock::Machine);
        wake.expect([at(20), at(60)].into(), at(0)).await;
        assert_eq!(wake.comes().await, at(20));
        wake.expect([at(60), at(3_600_000)].into(), at(20)).await;
        assert_eq!(wake.comes().await, at(60));
        wake.expect([at(90), at(100)].into(), at(60)).await;
        wake.expect([at(100)].into(), at(70)).await;
        assert_eq!(wake.comes().await, at(100));
    }

    #[expect(clippy::disallowed_methods, reason = "bounds what must not happen")]
    #[tokio::test]
    async fn it_does_not_come_where_nothing_is_waited_for() {
        let mut wake = Wake::of(Clock::Machine);
        wake.expect([at(10)].into(), at(0)).await;
        wake.expect([].into(), at(5)).await;
        let come = tokio::time::timeout(std::time::Duration::from_millis(60), wake.comes()).await;
        assert!(come.is_err());
    }
}
