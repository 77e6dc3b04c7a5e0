//! Beside the recorder: notes when the evidence of an expected blocker is complete, and when the blocker is named.

use std::collections::BTreeSet;
use std::sync::Arc;

use field_clock::Clock;
use futures::StreamExt;
use futures::future::OptionFuture;
use futures::stream::LocalBoxStream;
use jiff::Timestamp;
use serde_json::Value;

use super::objects::belongs;
use super::signals::{Begins, Kind, Own, Signal, signals};
use crate::judge::View;
use crate::recorder::Listener;
use crate::scenario::{Blocker, Scenario};
use crate::timeline::{Journal, What};
use crate::world::{ObjectWrite, World};

/// How field time goes while evidence waits for its blocker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attention {
    /// As it goes otherwise.
    #[default]
    Casual,
    /// With the machine's: what is measured then is what people would wait.
    Close,
}

/// A blocker that is expected.
struct Wanted<'s> {
    index: usize,
    blocker: &'s Blocker,
    signs: Vec<Sign>,
    /// The last write of an object that it is about, whatever that shows.
    latest: Option<Written>,
    named: bool,
}

/// One of the ways in which the API tells it.
struct Sign {
    signal: &'static Signal,
    /// Objects that show it.
    standing: BTreeSet<String>,
}

/// Attends to a scenario's blockers; never returns.
pub(crate) async fn attend(world: &dyn World, journal: &Journal, scenario: &Scenario, attention: Attention) {
    let wanted: Vec<Wanted<'_>> =
        scenario.expect.blockers.iter().enumerate().filter_map(Wanted::of).collect();
    let kinds: BTreeSet<Kind> = wanted.iter().flat_map(Wanted::kinds).collect();
    let kinds: Vec<Kind> = kinds.into_iter().collect();
    if !wanted.is_empty()
        && let Some(mut writes) = world.writes(&kinds)
    {
        let mut attendant = Attendant {
            world,
            journal,
            wanted,
            attention,
            faults: scenario.faults.len(),
            set: 0,
            next: 0,
            dues: Vec::new(),
        };
        // Nobody listens while nothing is waited for; who listens hears the newest document at once.
        let mut documents: Option<LocalBoxStream<'_, Value>> = None;
        let mut looks = journal.looks();
        while attendant.wanted.iter().any(|it| !it.named) {
            documents = match documents {
                _ if !attendant.evidence_waits() => None,
                None => Some(Listener::new(world).documents().boxed_local()),
                some => some,
            };
            let clock = world.clock();
            let due = attendant.dues.iter().map(|(end, _)| *end).min();
            let due = OptionFuture::from(due.map(|end| clock.sleep_until(end)));
            let heard = OptionFuture::from(documents.as_mut().map(StreamExt::next));
            tokio::select! {
                Some(write) = writes.next() => attendant.take(&write),
                Some(Some(document)) = heard => attendant.hear(&document, Clock::wall().now()),
                Some(()) = due => attendant.note_dues(),
                // The journal lives as long as this play.
                _ = looks.changed() => attendant.look(),
            }
        }
    }
    std::future::pending().await
}

/// What a time begins with.
#[derive(PartialEq, Eq)]
enum Rests {
    /// A write that shows the code's signal.
    OnSignal,
    /// The last write of an object that the blocker is about, where nothing shows it.
    OnLastWrite,
}

/// A write.
#[derive(Clone)]
struct Written {
    object: String,
    since: Timestamp,
    machine: Timestamp,
}

struct Attendant<'a> {
    world: &'a dyn World,
    journal: &'a Journal,
    wanted: Vec<Wanted<'a>>,
    attention: Attention,
    faults: usize,
    /// Faults that are set.
    set: usize,
    /// The next event to look at.
    next: usize,
    /// Graces that are not over, each with its end.
    dues: Vec<(Timestamp, Due)>,
}

/// Whose grace it is.
struct Due {
    index: usize,
    when: &'static str,
    since: Timestamp,
}

impl<'s> Wanted<'s> {
    fn of((index, blocker): (usize, &'s Blocker)) -> Option<Self> {
        let signs: Vec<Sign> =
            signals(blocker.code).map(|signal| Sign { signal, standing: BTreeSet::new() }).collect();
        (!signs.is_empty()).then_some(Self { index, blocker, signs, latest: None, named: false })
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.signs.iter().flat_map(|it| it.signal.begins.kinds()).copied()
    }

    fn stands(&self) -> bool {
        self.signs.iter().any(|it| !it.standing.is_empty())
    }

    fn is_named(&self, document: &Value) -> bool {
        let of = |component: &str| self.blocker.component.as_ref().is_none_or(|wanted| wanted == component);
        View(document).blockers().iter().any(|seen| seen.is(self.blocker.code) && of(seen.component))
    }
}

impl Sign {
    /// Whether this write shows it; nothing where it is not about it.
    fn shows(&self, write: &ObjectWrite, component: Option<&str>) -> Option<bool> {
        let is_of = |own: Own| own == Own::Anybody || component.is_none_or(|it| belongs(&write.object, it));
        match self.signal.begins {
            Begins::Write { kinds, shows, own } => {
                (kinds.contains(&write.kind) && is_of(own)).then(|| !write.deleted && shows(&write.object))
            }
            Begins::Gone { kinds } => {
                (kinds.contains(&write.kind) && is_of(Own::Component)).then_some(write.deleted)
            }
            Begins::Fault => None,
        }
    }
}

impl Attendant<'_> {
    /// Whether somebody ought to be named by now.
    fn evidence_waits(&self) -> bool {
        self.set >= self.faults && self.wanted.iter().any(|it| !it.named && it.stands())
    }

    fn take(&mut self, write: &ObjectWrite) {
        let object = object_name(write.kind, &write.object);
        let written = Written { object, since: self.world.clock().now(), machine: write.written };
        let mut changed = Vec::new();
        for wanted in self.wanted.iter_mut().filter(|it| !it.named) {
            let component = wanted.blocker.component.as_deref();
            for sign in &mut wanted.signs {
                let before = sign.standing.is_empty();
                match sign.shows(write, component) {
                    Some(true) => drop(sign.standing.insert(written.object.clone())),
                    Some(false) => drop(sign.standing.remove(&written.object)),
                    None => continue,
                }
                wanted.latest = Some(written.clone());
                if before != sign.standing.is_empty() {
                    changed.push((wanted.index, sign.signal, before));
                }
            }
        }
        for (index, signal, complete) in changed {
            if complete {
                self.complete(index, signal, written.clone(), Rests::OnSignal);
            } else {
                let (code, when) = (signal.code.to_owned(), signal.when.to_owned());
                self.journal.note(What::EvidenceGone { index, code, when });
            }
        }
        self.pace();
    }

    /// Takes in faults that were set, and documents that the recorder saw: those name what nothing in the API tells.
    fn look(&mut self) {
        let (mut set, mut next, mut newest) = (self.set, self.next, None);
        self.journal.since(&mut next, |event| match &event.what {
            What::Injected { .. } => set += 1,
            What::Status { document, .. } => newest = Some(Arc::clone(document)),
            _ => {}
        });
        let all = set >= self.faults && self.set < self.faults;
        (self.next, self.set) = (next, set);
        if all {
            self.all_set();
        }
        if let Some(document) = newest.filter(|_| self.set >= self.faults) {
            self.hear(&document, Clock::wall().now());
        }
    }

    /// Evidence that is the fault itself begins when the last one is set; other evidence does not begin before.
    fn all_set(&mut self) {
        let (since, machine) = (self.world.clock().now(), Clock::wall().now());
        let mut begun = Vec::new();
        for wanted in &mut self.wanted {
            let fault = Written { object: "the fault".to_owned(), since, machine };
            for sign in &mut wanted.signs {
                if matches!(sign.signal.begins, Begins::Fault) {
                    sign.standing.insert(fault.object.clone());
                }
                if let Some(object) = sign.standing.first() {
                    let written = Written { object: object.clone(), ..fault.clone() };
                    begun.push((wanted.index, sign.signal, written));
                }
            }
            wanted.latest = Some(fault);
        }
        for (index, signal, written) in begun {
            self.complete(index, signal, written, Rests::OnSignal);
        }
        self.pace();
    }

    /// Tells the machine's time at which graces are over: field time is the slower while a world computes.
    fn note_dues(&mut self) {
        let (now, machine) = (self.world.clock().now(), Clock::wall().now());
        for (_, due) in self.dues.extract_if(.., |(end, _)| *end <= now) {
            let Due { index, when, since } = due;
            self.journal.note(What::EvidenceDue { index, when: when.to_owned(), since, machine });
        }
    }

    fn complete(&mut self, index: usize, signal: &'static Signal, written: Written, rests: Rests) {
        let Written { object, since, machine } = written;
        let (paced, assumed) = (self.attention == Attention::Close, rests == Rests::OnLastWrite);
        if paced && !assumed && !signal.grace.is_zero() {
            let due = Due { index, when: signal.when, since };
            self.dues.push((since.saturating_add(signal.grace).unwrap_or(Timestamp::MAX), due));
        }
        let (code, when) = (signal.code.to_owned(), signal.when.to_owned());
        let grace_ms = u64::try_from(signal.grace.as_millis()).unwrap_or(u64::MAX);
        self.journal.note(What::Evidence {
            index,
            code,
            when,
            grace_ms,
            object,
            since,
            machine,
            paced,
            assumed,
        });
    }

    fn hear(&mut self, document: &Value, machine: Timestamp) {
        let mut named = Vec::new();
        for wanted in self.wanted.iter_mut().filter(|it| !it.named) {
            wanted.named = wanted.is_named(document);
            if let Some(sign) = wanted.signs.first().filter(|_| wanted.named) {
                let assumed = wanted.latest.clone().filter(|_| !wanted.stands());
                named.push((wanted.index, sign.signal, assumed));
            }
        }
        for (index, signal, assumed) in named {
            if let Some(written) = assumed {
                self.complete(index, signal, written, Rests::OnLastWrite);
            }
            self.journal.note(What::Named { index, code: signal.code.to_owned(), machine });
        }
        self.pace();
    }

    fn pace(&self) {
        if self.attention == Attention::Casual {
            return;
        }
        let clock = self.world.clock();
        if self.evidence_waits() { clock.keep_step() } else { clock.follow_options() }
    }
}

fn object_name(kind: Kind, object: &Value) -> String {
    let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    let namespace = part("namespace");
    let slash = if namespace.is_empty() { "" } else { "/" };
    format!("{kind:?} {namespace}{slash}{}", part("name"))
}
