//! Times to diagnosis, from a timeline.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::timeline::{Timeline, What, elapsed};

/// Evidence that comes back after so short a time was there all the while: a state that alternates is one state.
const ALTERNATES: SignedDuration = SignedDuration::from_secs(30);

/// How long a blocker took from its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// Its code.
    pub code: String,
    /// What stood there.
    pub when: String,
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
    /// On the machine's clock, from the end of the grace; nothing where field time went as fast as it could.
    #[serde(skip)]
    pub since_due: Option<SignedDuration>,
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
        let held_back = !self.grace.is_zero() && self.field <= self.grace;
        let beyond = self.since_due.unwrap_or_else(|| self.took() - self.grace);
        if held_back { SignedDuration::ZERO } else { beyond.max(SignedDuration::ZERO) }
    }
}

/// Every expected blocker that was named, in the order in which they were.
pub fn diagnoses(timeline: &Timeline) -> Vec<Diagnosis> {
    let paced_always = timeline.header().is_some_and(|header| header.speed == "1");
    let mut begun: Vec<(usize, Begun)> = Vec::new();
    let mut found = Vec::new();
    let mut served: Option<Timestamp> = None;
    for event in &timeline.events {
        match &event.what {
            What::Evidence { index, when, grace_ms, object, since, machine, paced, assumed, .. } => {
                let new = Begun {
                    at: *since,
                    machine: *machine,
                    when: when.clone(),
                    grace: SignedDuration::from_millis(i64::try_from(*grace_ms).unwrap_or(i64::MAX)),
                    object: object.clone(),
                    paced: *paced,
                    assumed: *assumed,
                    over: None,
                    gone: None,
                };
                let same = |known: &Begun| known.when == *when && known.assumed == *assumed;
                match begun.iter_mut().find(|(of, known)| of == index && same(known)) {
                    Some((_, old)) => old.again(new),
                    None => begun.push((*index, new)),
                }
            }
            What::EvidenceDue { index, when, since, machine } => {
                let same = |known: &Begun| known.when == *when && known.at == *since;
                let known = begun.iter_mut().find(|(of, known)| of == index && same(known));
                known.into_iter().for_each(|(_, begun)| begun.over = Some(*machine));
            }
            // What stands when the last fault is set is noted anew; what came and went before is none of its evidence.
            What::Injected { .. } => begun.clear(),
            // Nobody can say anything before there is a page.
            What::Status { .. } => served = served.or(Some(event.at)),
            What::EvidenceGone { index, when, .. } => {
                let same = |known: &Begun| known.when == *when && !known.assumed;
                let known = begun.iter_mut().find(|(of, known)| of == index && same(known));
                known.into_iter().for_each(|(_, begun)| begun.gone = Some(event.at));
            }
            What::Named { index, code, machine } => {
                let of_it = begun.iter().filter(|(known, _)| known == index).map(|(_, begun)| begun);
                let Some(begun) =
                    of_it.min_by_key(|begun| (!begun.stands(event.at), begun.assumed, begun.due()))
                else {
                    continue;
                };
                found.push(Diagnosis {
                    code: code.clone(),
                    when: begun.when.clone(),
                    object: begun.object.clone(),
                    field: event.at.duration_since(served.map_or(begun.at, |it| it.max(begun.at))),
                    machine: machine.duration_since(begun.machine),
                    grace: begun.grace,
                    since_due: begun.over.map(|over| machine.duration_since(over)),
                    paced: (begun.paced || paced_always) && served.is_none_or(|it| it <= begun.at),
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
    when: String,
    grace: SignedDuration,
    object: String,
    paced: bool,
    assumed: bool,
    /// When its grace was over, on the machine's clock.
    over: Option<Timestamp>,
    gone: Option<Timestamp>,
}

impl Begun {
    /// When it ought to be told at the latest.
    fn due(&self) -> Timestamp {
        self.at.saturating_add(self.grace).unwrap_or(Timestamp::MAX)
    }

    /// Whether it is there at that moment, or alternates.
    fn stands(&self, now: Timestamp) -> bool {
        self.gone.is_none_or(|gone| now.duration_since(gone) <= ALTERNATES)
    }

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
                when: "a lookup failed".to_owned(),
                grace_ms: 5_000,
                object,
                since: at(millis),
                machine: at(millis / 10),
                paced: false,
                assumed: false,
            },
        }
    }

    fn gone(millis: i64) -> Event {
        Event {
            at: at(millis),
            what: What::EvidenceGone { index: 0, code: "dns".to_owned(), when: "a lookup failed".to_owned() },
        }
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
    fn of_two_signs_the_one_counts_that_ought_to_have_been_told_first() {
        let mut slow = evidence(0);
        if let What::Evidence { when, grace_ms, .. } = &mut slow.what {
            (*when, *grace_ms) = ("cluster DNS is away".to_owned(), 60_000);
        }
        let it = one(vec![slow, evidence(1_000), named(6_200)]);
        assert_eq!((it.when.as_str(), it.took().as_millis()), ("a lookup failed", 5_200));
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
