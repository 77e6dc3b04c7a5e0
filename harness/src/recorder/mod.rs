//! Looks at the appliance as its users do, from before the install to the end.
//!
//! It looks 250 ms of field time after the cluster changed, and every 5 s in any case. A look is up to four requests, each
//! of which holds the clock; what it finds is noted when it is different from the last look.

mod http;
mod listener;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::timeline::{Answer, Journal, Target, What, digests};
use crate::world::{Concealed, World};
use http::{Fetch, Visitor};
pub(crate) use listener::Listener;

/// Changes that come closer together than this are seen together.
const DEBOUNCE: Duration = Duration::from_millis(250);
/// Looks are never further apart than this.
const INTERVAL: Duration = Duration::from_secs(5);
/// Whether the door is shut is tried so often.
const DOOR_INTERVAL: Duration = Duration::from_secs(60);

/// The one recorder of a run.
pub struct Recorder<'w> {
    world: &'w dyn World,
    journal: Journal,
    visitor: Visitor,
    token: Option<String>,
    status: Remembered<StatusSeen>,
    status_strikes: u32,
    probes: [Probe; 4],
}

#[derive(PartialEq, Eq)]
enum StatusSeen {
    Document(String),
    Silent(String),
}

struct Remembered<T> {
    value: Option<T>,
    last_look: Option<Timestamp>,
}

impl<T: PartialEq> Remembered<T> {
    const NOTHING: Self = Self { value: None, last_look: None };

    /// Whether it is news; and until when the news before were seen.
    fn learn(&mut self, value: T, asked: Timestamp) -> Option<Option<Timestamp>> {
        let until = self.last_look.replace(asked);
        if self.value.as_ref() == Some(&value) {
            return None;
        }
        self.value = Some(value);
        Some(until)
    }
}

struct Probe {
    target: Target,
    url: String,
    seen: Remembered<Answer>,
    strikes: u32,
    /// How long it is left alone after an answer.
    interval: Duration,
    next: Option<Timestamp>,
}

impl<'w> Recorder<'w> {
    /// A recorder that has not looked yet.
    pub fn new(world: &'w dyn World, journal: Journal) -> Self {
        let access = world.access();
        let probe = |target, url| {
            let interval = if target == Target::Unsigned { DOOR_INTERVAL } else { INTERVAL };
            Probe { target, url, seen: Remembered::NOTHING, strikes: 0, interval, next: None }
        };
        let probes = [
            probe(Target::Page, format!("{}/", access.status_url)),
            probe(Target::Healthz, format!("{}/healthz", access.status_url)),
            probe(Target::App, format!("{}/", access.app_url)),
            probe(Target::Unsigned, format!("{}/api/status", access.status_url)),
        ];
        let visitor = Visitor::new(world.clock());
        Self { world, journal, visitor, token: None, status: Remembered::NOTHING, status_strikes: 0, probes }
    }

    /// Looks again and again; never returns.
    pub async fn run(mut self) {
        let clock = self.world.clock();
        let mut changes = self.world.changes();
        loop {
            changes.borrow_and_update();
            self.look().await;
            self.journal.looked();
            match clock.timeout(INTERVAL, changes.changed()).await {
                Ok(Ok(())) => clock.sleep(DEBOUNCE).await,
                // A world that tells no more changes is looked at by the clock alone.
                Ok(Err(_)) => clock.sleep(INTERVAL).await,
                Err(field_clock::Elapsed) => {}
            }
        }
    }

    async fn look(&mut self) {
        if self.token.is_none() {
            self.token = self.world.status_token().await;
        }
        let now = self.world.clock().now();
        let token = self.token.as_deref();
        let url = format!("{}/api/status", self.world.access().status_url);
        let status = self.visitor.get(&url, token, self.status_strikes);
        let visitor = &self.visitor;
        let [page, healthz, app, door] = &self.probes;
        let visit = async |probe: &Probe, token: Option<&str>| match probe.next {
            Some(next) if next > now => None,
            _ => Some(visitor.get(&probe.url, token, probe.strikes).await),
        };
        let (status, page, healthz, app, door) = futures::join!(
            status,
            visit(page, token),
            visit(healthz, None),
            visit(app, None),
            visit(door, None)
        );
        for (probe, fetch) in self.probes.iter_mut().zip([page, healthz, app, door]) {
            if let Some(fetch) = fetch {
                probe.learn(fetch, now, &self.journal);
            }
        }
        let secrets = self.world.secrets().await;
        self.learn_status(&status, &secrets, now);
    }

    fn learn_status(&mut self, fetch: &Fetch, secrets: &Concealed, asked: Timestamp) {
        self.status_strikes = fetch.strikes(self.status_strikes);
        if matches!(fetch.answer, Answer::Status { code: 401, .. }) {
            // The token may have been replaced.
            self.token = None;
        }
        match document(fetch, secrets) {
            Ok(document) => {
                let digests = digests(&document);
                if let Some(until) = self.status.learn(StatusSeen::Document(digests.content.clone()), asked) {
                    let document = Arc::new(document);
                    let (hash, substance) = (digests.content, digests.substance);
                    self.journal.note(What::Status { hash, substance, document, until });
                }
            }
            Err(problem) => {
                if let Some(until) = self.status.learn(StatusSeen::Silent(problem.clone()), asked) {
                    self.journal.note(What::Silent { problem, until });
                }
            }
        }
    }
}

impl Probe {
    fn learn(&mut self, fetch: Fetch, asked: Timestamp, journal: &Journal) {
        self.strikes = fetch.strikes(self.strikes);
        // What answers is not asked more often than it must be.
        let answered = fetch.answer.useful()
            || matches!(fetch.answer, Answer::Status { .. }) && self.target == Target::Unsigned;
        self.next = answered.then(|| asked.checked_add(self.interval).unwrap_or(asked));
        if let Some(until) = self.seen.learn(fetch.answer.clone(), asked) {
            journal.note(What::Probe { target: self.target, answer: fetch.answer, until });
        }
    }
}

/// The status document, or why there is none.
fn document(fetch: &Fetch, secrets: &Concealed) -> Result<Value, String> {
    let body = || secrets.mask(&String::from_utf8_lossy(&fetch.body));
    match &fetch.answer {
        Answer::Status { code: 200, .. } => match serde_json::from_str::<Value>(&body()) {
            Ok(document) if document.is_object() => Ok(document),
            Ok(_) => Err("answered 200 with JSON that is no object".to_owned()),
            Err(error) => Err(format!("answered 200 with what is no JSON: {error}")),
        },
        Answer::Status { code, .. } => Err(format!("answered {code}")),
        Answer::Nothing { problem } => Err(problem.clone()),
    }
}

/// Where a run's timeline lies in its report directory.
pub fn timeline_path(directory: &std::path::Path) -> PathBuf {
    directory.join("timeline.jsonl")
}
