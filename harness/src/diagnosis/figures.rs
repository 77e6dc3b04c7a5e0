//! Times to diagnosis, from a timeline.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::signals::signal;
use crate::timeline::{Timeline, What, elapsed};

/// Evidence that comes back after so short a time was there all the while: a state that alternates is one state.
const ALTERNATES: SignedDuration = SignedDuration::from_secs(30);

/// How long a blocker took from its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// Its code.
    pub code: String,
    /// The object whose write completed the evidence.
    pub object: String,
    /// In field time.
    #[serde(serialize_with = "millis")]
    pub field: SignedDuration,
    /// On the machine's clock; what people would wait only where `paced`.
    #[serde(serialize_with = "millis")]
    pub machine: SignedDuration,
    /// How long its detector may hold it back.
    #[serde(serialize_with = "millis")]
    pub grace: SignedDuration,
    /// Whether field time went with the machine's meanwhile.
    pub paced: bool,
    /// Whether nothing in the API tells, so that the time begins with the last write of an object that it is about.
    pub assumed: bool,
}

impl Diagnosis {
    /// What the site waits: on the machine's clock where field time went with it.
    pub fn took(&self) -> SignedDuration {
        if self.paced { self.machine } else { self.field }
    }

    /// The same without the declared grace.
    pub fn beyond_grace(&self) -> SignedDuration {
        (self.took() - self.grace).max(SignedDuration::ZERO)
    }
}

/// Every expected blocker that was named, in the order in which they were.
pub fn diagnoses(timeline: &Timeline) -> Vec<Diagnosis> {
    let paced_always = timeline.header().is_some_and(|header| header.speed == "1");
    let mut begun: Vec<(usize, Begun)> = Vec::new();
    let mut found = Vec::new();
    for event in &timeline.events {
        match &event.what {
            What::Evidence { index, object, since, machine, paced, assumed, .. } => {
                let new = Begun {
                    at: *since,
                    machine: *machine,
                    object: object.clone(),
                    paced: *paced,
                    assumed: *assumed,
                    gone: None,
                };
                match begun.iter_mut().find(|(known, _)| known == index) {
                    Some((_, old)) => old.again(new),
                    None => begun.push((*index, new)),
                }
            }
            What::EvidenceGone { index, .. } => {
                let known = begun.iter_mut().find(|(known, _)| known == index);
                known.into_iter().for_each(|(_, begun)| begun.gone = Some(event.at));
            }
            What::Named { index, code, machine } => {
                let Some((_, begun)) = begun.iter().find(|(known, _)| known == index) else { continue };
                let grace = signal(code).map(|signal| signal.grace).unwrap_or_default();
                found.push(Diagnosis {
                    code: code.clone(),
                    object: begun.object.clone(),
                    field: event.at.duration_since(begun.at),
                    machine: machine.duration_since(begun.machine),
                    grace: SignedDuration::try_from(grace).unwrap_or_default(),
                    paced: begun.paced || paced_always,
                    assumed: begun.assumed,
                });
            }
            _ => {}
        }
    }
    found
}

/// Evidence that is complete.
struct Begun {
    at: Timestamp,
    machine: Timestamp,
    object: String,
    paced: bool,
    assumed: bool,
    gone: Option<Timestamp>,
}

impl Begun {
    fn again(&mut self, new: Self) {
        match self.gone.take() {
            Some(gone) if !new.assumed && new.at.duration_since(gone) <= ALTERNATES => {}
            _ => *self = new,
        }
    }
}

/// Median, ninety-ninth percentile and most of some times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// Of how many.
    pub count: usize,
    /// Half took no longer.
    #[serde(serialize_with = "millis")]
    pub median: SignedDuration,
    /// All but one of a hundred took no longer.
    #[serde(serialize_with = "millis")]
    pub p99: SignedDuration,
    /// None took longer.
    #[serde(serialize_with = "millis")]
    pub most: SignedDuration,
}

impl Spread {
    /// Of these times; nothing where there are none.
    pub fn of(times: impl IntoIterator<Item = SignedDuration>) -> Option<Self> {
        let mut times: Vec<SignedDuration> = times.into_iter().collect();
        times.sort();
        // The nearest rank: a time that was really measured.
        let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).max(1) - 1).copied();
        let (median, p99, most) = (rank(50)?, rank(99)?, times.last().copied()?);
        Some(Self { count: times.len(), median, p99, most })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, p99, most, .. } = self;
        write!(f, "median {}, p99 {}, most {}", elapsed(*median), elapsed(*p99), elapsed(*most))
    }
}

fn millis<S: serde::Serializer>(duration: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Event;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).unwrap()
    }

    fn evidence(millis: i64) -> Event {
        let (code, object) = ("dns".to_owned(), "Pod msp/db-0".to_owned());
        Event {
            at: at(millis),
            what: What::Evidence {
                index: 0,
                code,
                object,
                since: at(millis),
                machine: at(millis / 10),
                paced: false,
                assumed: false,
            },
        }
    }

    fn gone(millis: i64) -> Event {
        Event { at: at(millis), what: What::EvidenceGone { index: 0, code: "dns".to_owned() } }
    }

    fn named(millis: i64) -> Event {
        let machine = at(millis / 10);
        Event { at: at(millis), what: What::Named { index: 0, code: "dns".to_owned(), machine } }
    }

    fn one(events: Vec<Event>) -> Diagnosis {
        let found = diagnoses(&Timeline { events });
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    #[test]
    fn the_time_begins_with_the_write_and_is_shown_with_the_grace_and_without() {
        let it = one(vec![evidence(1_000), named(6_200)]);
        assert_eq!((it.took().as_millis(), it.beyond_grace().as_millis()), (5_200, 200));
        assert_eq!(it.machine.as_millis(), 520);
    }

    #[test]
    fn evidence_that_alternates_counts_from_the_first_time_and_evidence_that_was_gone_from_the_last() {
        assert_eq!(
            one(vec![evidence(0), gone(5_000), evidence(9_000), named(9_100)]).took().as_millis(),
            9_100
        );
        assert_eq!(
            one(vec![evidence(0), gone(5_000), evidence(99_000), named(99_100)]).took().as_millis(),
            100
        );
    }

    #[test]
    fn evidence_of_before_the_last_fault_counts_from_that_fault() {
        assert_eq!(one(vec![evidence(0), evidence(60_000), named(60_300)]).took().as_millis(), 300);
    }

    #[test]
    fn the_ninety_ninth_percentile_is_a_time_that_was_measured() {
        let of = |count: i64| Spread::of((1..=count).map(SignedDuration::from_millis)).unwrap();
        assert_eq!(
            (of(200).median.as_millis(), of(200).p99.as_millis(), of(200).most.as_millis()),
            (100, 198, 200)
        );
        assert_eq!(of(1).p99.as_millis(), 1);
        assert_eq!(Spread::of([]), None);
    }
}
