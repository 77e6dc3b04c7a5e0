//! One kind: listed once, then watched, resumed where it stopped, listed anew when that is too long ago.

use std::time::Duration;

use appliance_assess::{Knowledge, ObjectKey, ReadState};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Resource, ResourceExt};
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;

/// Something that happened, to be put into the knowledge.
pub(crate) struct Change {
    /// Which read it comes from.
    pub(crate) read: &'static str,
    /// What it does.
    pub(crate) apply: Box<dyn FnOnce(&mut Knowledge) + Send>,
    /// Newest time that the API told with it.
    pub(crate) newest: Option<Timestamp>,
    /// The API could be spoken to.
    pub(crate) contact: Contact,
}

/// What a change says about the API itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Contact {
    /// It answered.
    Answered,
    /// It did not.
    Silent {
        /// How.
        error: String,
        /// For how long it has not.
        seconds: u64,
    },
    /// Nothing was asked.
    NotAsked,
}

/// Where the objects of a kind go.
pub(crate) trait Sink: Copy + Send + Sync + 'static {
    /// The kind.
    type Object: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static;
    /// What one object says.
    type Fact: Send + 'static;

    /// Name of the read.
    fn read(self) -> &'static str;
    /// What an object says, and the newest time in it.
    fn fact(self, object: Self::Object) -> (Self::Fact, Option<Timestamp>);
    /// Forgets all objects of the kind.
    fn clear(self, known: &mut Knowledge);
    /// Learns an object.
    fn put(self, known: &mut Knowledge, key: ObjectKey, fact: Self::Fact);
    /// Forgets an object.
    fn remove(self, known: &mut Knowledge, key: &ObjectKey);
}

/// Follows one kind until the receiver is gone.
pub(crate) async fn follow<S: Sink>(
    sink: S,
    api: Api<S::Object>,
    changes: mpsc::UnboundedSender<Change>,
    mut pulse: watch::Receiver<u64>,
    clock: Clock,
) {
    let mut patience = Patience::new(clock);
    while !changes.is_closed() {
        let version = match list(sink, &api).await {
            Ok(listed) => {
                patience = Patience::new(clock);
                replace(sink, listed, &changes)
            }
            Err(error) => {
                // A list that took too long begins anew; that is no answer that says anything.
                if !is_expired(&error) {
                    report(sink, &error, &changes);
                }
                patience.wait(&mut pulse).await;
                continue;
            }
        };
        resume(sink, &api, version, &changes, &mut pulse, clock).await;
    }
}

/// All objects of a kind, as facts.
struct Listed<F> {
    version: String,
    facts: Vec<(ObjectKey, F)>,
    newest: Option<Timestamp>,
}

/// Objects in one answer: a whole collection takes ten times the room of its facts.
const PAGE: u32 = 1000;

async fn list<S: Sink>(sink: S, api: &Api<S::Object>) -> kube::Result<Listed<S::Fact>> {
    let mut listed = Listed { version: String::new(), facts: Vec::new(), newest: None };
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&params).await?;
        listed.version = page.metadata.resource_version.unwrap_or_default();
        for object in page.items {
            let key = key_of(&object);
            let (fact, time) = sink.fact(object);
            listed.newest = listed.newest.max(time);
            listed.facts.push((key, fact));
        }
        let Some(next) = page.metadata.continue_.filter(|it| !it.is_empty()) else { return Ok(listed) };
        params = params.continue_token(&next);
    }
}

fn replace<S: Sink>(sink: S, listed: Listed<S::Fact>, changes: &mpsc::UnboundedSender<Change>) -> String {
    let Listed { version, facts, newest } = listed;
    let apply = Box::new(move |known: &mut Knowledge| {
        sink.clear(known);
        for (key, fact) in facts {
            sink.put(known, key, fact);
        }
        known.reads.insert(sink.read().into(), ReadState::Current);
    });
    let _ = changes.send(Change { read: sink.read(), apply, newest, contact: Contact::Answered });
    version
}

/// Watches from a version on; returns when the list must be read anew.
async fn resume<S: Sink>(
    sink: S,
    api: &Api<S::Object>,
    mut version: String,
    changes: &mpsc::UnboundedSender<Change>,
    pulse: &mut watch::Receiver<u64>,
    clock: Clock,
) {
    let mut patience = Patience::new(clock);
    let mut idle_ends = 0;
    while !changes.is_closed() {
        let stream = match api.watch(&WatchParams::default(), &version).await {
            Ok(stream) => stream,
            Err(error) if is_expired(&error) => return,
            Err(error) => {
                report(sink, &error, changes);
                patience.wait(pulse).await;
                continue;
            }
        };
        let mut stream = stream.boxed();
        let mut heard = false;
        loop {
            match stream.try_next().await {
                Ok(Some(WatchEvent::Error(_))) => return,
                Ok(Some(event)) => {
                    heard = true;
                    patience = Patience::new(clock);
                    learn(sink, event, &mut version, changes);
                }
                Ok(None) => break,
                Err(error) => {
                    report(sink, &error, changes);
                    patience.wait(pulse).await;
                    heard = true;
                    break;
                }
            }
        }
        idle_ends = if heard { 0 } else { idle_ends + 1 };
        if idle_ends > 3 {
            patience.wait(pulse).await;
        }
    }
}

fn learn<S: Sink>(
    sink: S,
    event: WatchEvent<S::Object>,
    version: &mut String,
    changes: &mpsc::UnboundedSender<Change>,
) {
    let read = sink.read();
    let mut newest = None;
    let apply: Box<dyn FnOnce(&mut Knowledge) + Send> = match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => {
            *version = object.resource_version().unwrap_or_default();
            let key = key_of(&object);
            let (fact, time) = sink.fact(object);
            newest = time;
            Box::new(move |known| {
                sink.put(known, key, fact);
                known.reads.insert(read.into(), ReadState::Current);
            })
        }
        WatchEvent::Deleted(object) => {
            *version = object.resource_version().unwrap_or_default();
            let key = key_of(&object);
            Box::new(move |known| sink.remove(known, &key))
        }
        WatchEvent::Bookmark(bookmark) => {
            *version = bookmark.metadata.resource_version;
            return;
        }
        WatchEvent::Error(_) => return,
    };
    let _ = changes.send(Change { read, apply, newest, contact: Contact::Answered });
}

fn key_of<K: Resource>(object: &K) -> ObjectKey {
    let meta = object.meta();
    ObjectKey::new(meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
}

/// A read that failed is a fact as well.
fn report<S: Sink>(sink: S, error: &kube::Error, changes: &mpsc::UnboundedSender<Change>) {
    let read = sink.read();
    let text = words(error);
    let contact = match error {
        kube::Error::Api(_) => Contact::Answered,
        _ => Contact::Silent { error: text.clone(), seconds: 0 },
    };
    let missing = matches!(error, kube::Error::Api(status) if status.code == 404);
    let apply = Box::new(move |known: &mut Knowledge| {
        // A kind that is not there yet has no objects, which is an answer.
        let state = if missing { ReadState::Current } else { ReadState::Failed(text) };
        if missing {
            sink.clear(known);
        }
        known.reads.insert(read.into(), state);
    });
    let _ = changes.send(Change { read, apply, newest: None, contact });
}

/// An error with its sources, each told once.
pub(crate) fn words(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return format!("{} {}: {}", status.code, status.reason, status.message);
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let told = cause.to_string();
        if !text.contains(&told) {
            text = format!("{text}: {told}");
        }
        source = cause.source();
    }
    text
}

fn is_expired(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 410)
}

/// How long to wait before the next try: until the pulse, or a little longer each time.
struct Patience {
    clock: Clock,
    next: Duration,
}

impl Patience {
    const LONGEST: Duration = Duration::from_secs(5);

    fn new(clock: Clock) -> Self {
        Self { clock, next: Duration::from_millis(50) }
    }

    async fn wait(&mut self, pulse: &mut watch::Receiver<u64>) {
        let pause = self.clock.sleep(self.next);
        self.next = (self.next * 2).min(Self::LONGEST);
        tokio::select! {
            () = pause => {}
            changed = pulse.changed() => if changed.is_err() { std::future::pending().await },
        }
    }
}
