//! Watches over HTTP.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::answer::{self, Answer};
use super::call::Call;
use super::read::Filter;
use super::view::Lens;
use crate::store::{Change, From, Stored, Verb};
use crate::{ApiError, Store};

/// How far a client may fall behind before its watch ends.
const BEHIND: usize = 8192;
/// How often a bookmark says where the world is.
const BOOKMARK: Duration = Duration::from_secs(60);
/// How long a watch lives when its client does not say.
const LIFE: u64 = 2700;

/// A watch under way.
struct Watching {
    store: Store,
    lens: Lens,
    filter: Filter,
    ready: VecDeque<Bytes>,
    changes: UnboundedReceiver<Arc<Change>>,
    version: u64,
    bookmark: Option<Timestamp>,
    end: Timestamp,
    stop: CancellationToken,
}

/// GET of a collection with `watch`.
pub(super) fn watch(shared: &Shared, call: &Call, user: &str) -> Answer {
    let (store, stop) = (&shared.store, shared.stop.clone());
    let filter = Filter::parse(call)?;
    let lens = call.lens(store);
    let namespace = Some(call.address.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let initial = call.query.get("sendInitialEvents") == Some("true");
    if initial && call.query.get("resourceVersionMatch") != Some("NotOlderThan") {
        return Err(ApiError::new(
            422,
            "Invalid",
            "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting \
             resourceVersionMatch to NotOlderThan",
        ));
    }
    if call.query.get("sendInitialEvents").is_none() && call.query.get("resourceVersionMatch").is_some() {
        return Err(ApiError::new(
            422,
            "Invalid",
            "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for \
             watch unless sendInitialEvents is provided",
        ));
    }
    let from = match call.query.get("resourceVersion") {
        None | Some("0") => From::Existing,
        Some(_) if initial => From::Existing,
        Some(text) => From::Version(
            text.parse().map_err(|_| ApiError::bad_request(format!("invalid resource version: {text}")))?,
        ),
    };
    let raw = store.watch_from(&call.address.res, namespace, from);
    shared.control.watched(user, raw.as_ref().err());
    let raw = match raw {
        Ok(raw) => raw,
        Err(expired) => return Ok(answer::stream(answer::JSON, stream::iter([error_line(&expired)]))),
    };
    let now = store.clock().now();
    let bookmarks = call.query.says("allowWatchBookmarks");
    let life = call.query.number("timeoutSeconds").filter(|seconds| *seconds > 0).unwrap_or(LIFE);
    let mut watching = Watching {
        store: store.clone(),
        lens,
        filter,
        ready: VecDeque::new(),
        changes: raw.changes,
        version: raw.version,
        bookmark: bookmarks.then(|| now + BOOKMARK),
        end: now + Duration::from_secs(life),
        stop,
    };
    for stored in &raw.existing {
        if watching.filter.matches(&stored.value) {
            let line = watching.line("ADDED", stored);
            watching.ready.push_back(line);
        }
    }
    if initial {
        watching.ready.push_back(bookmark_line(&watching.lens.bookmark(raw.version, true)));
    }
    for change in &raw.backlog {
        watching.take(change);
    }
    let lines = stream::unfold(watching, |mut watching| async move {
        let line = watching.next().await?;
        Some((line, watching))
    });
    Ok(answer::stream(answer::JSON, lines))
}

impl Watching {
    /// The next piece of the body: every line that is ready.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            while let Ok(change) = self.changes.try_recv() {
                self.take(&change);
                if self.ready.len() > BEHIND {
                    return None;
                }
            }
            if let Some(first) = self.ready.pop_front() {
                return Some(self.gather(first));
            }
            let wake = self.bookmark.map_or(self.end, |bookmark| bookmark.min(self.end));
            let clock = self.store.clock().clone();
            tokio::select! {
                biased;
                change = self.changes.recv() => {
                    let change = change?;
                    self.take(&change);
                }
                () = self.stop.cancelled() => return None,
                () = clock.sleep_until(wake) => {
                    if wake >= self.end {
                        return None;
                    }
                    self.bookmark = Some(clock.now() + BOOKMARK);
                    self.ready.push_back(bookmark_line(&self.lens.bookmark(self.version, false)));
                }
            }
        }
    }

    fn gather(&mut self, first: Bytes) -> Bytes {
        if self.ready.is_empty() {
            return first;
        }
        let mut all = Vec::from(first);
        for line in self.ready.drain(..) {
            all.extend_from_slice(&line);
        }
        Bytes::from(all)
    }

    /// What a change means to somebody who sees only what the filter selects.
    fn take(&mut self, change: &Change) {
        self.version = change.version;
        let now = change.verb != Verb::Deleted && self.filter.matches(&change.stored.value);
        let before = change.previous.as_ref().is_some_and(|old| self.filter.matches(&old.value));
        let line = match (before, now) {
            (false, false) => return,
            (false, true) => self.line("ADDED", &change.stored),
            (true, true) => self.line("MODIFIED", &change.stored),
            (true, false) => self.line("DELETED", &change.stored),
        };
        self.ready.push_back(line);
    }

    fn line(&mut self, verb: &str, stored: &Stored) -> Bytes {
        self.lens.now = self.store.clock().now();
        let object = self.lens.one(stored);
        let mut line = Vec::with_capacity(object.len() + 40);
        line.extend_from_slice(format!("{{\"type\":\"{verb}\",\"object\":").as_bytes());
        line.extend_from_slice(&object);
        line.extend_from_slice(b"}\n");
        Bytes::from(line)
    }
}

fn bookmark_line(object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({"type": "BOOKMARK", "object": object})))
}

fn error_line(error: &ApiError) -> Bytes {
    Bytes::from(format!("{}\n", json!({"type": "ERROR", "object": error.status()})))
}
