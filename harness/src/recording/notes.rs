//! What all who watch a cluster write into.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use field_clock::Clock;
use jiff::Timestamp;
use serde_json::Value;

use super::stream::{Line, Stream};
use super::watcher::Scope;
use crate::world::Concealed;

/// What all watches write into.
#[derive(Clone)]
pub(crate) struct Notes {
    clock: Clock,
    began: Timestamp,
    stream: Arc<Mutex<Stream>>,
    namespaces: Arc<Vec<String>>,
    /// The values of the Secrets that were seen, which nothing may hold that is kept.
    secrets: Arc<Mutex<BTreeSet<String>>>,
}

impl Notes {
    /// Notes whose seconds count from `began`.
    pub(crate) fn new(clock: Clock, began: Timestamp, namespaces: Vec<String>) -> Self {
        let (stream, secrets) = (Arc::default(), Arc::default());
        Self { clock, began, stream, namespaces: Arc::new(namespaces), secrets }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Seconds since they began.
    pub(crate) fn now(&self) -> f64 {
        self.seconds(self.clock.now())
    }

    /// How many seconds after they began that was.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of minutes")]
    pub(crate) fn seconds(&self, at: Timestamp) -> f64 {
        at.duration_since(self.began).as_millis() as f64 / 1000.0
    }

    /// Something is done to the stream.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Stream) -> T) -> T {
        change(&mut self.stream.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn line(&self, kind: &str, event: Value) {
        let at = self.now();
        if kind == "secrets" {
            self.conceal(&event["object"]);
            self.release(at, &event);
            return;
        }
        self.with(|stream| stream.lines.push(Line { at, kind: kind.to_owned(), event }));
    }

    fn conceal(&self, secret: &Value) {
        let mut known = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(Concealed::values(secret));
    }

    /// The values of every Secret that was ever seen.
    pub(super) fn secrets(&self) -> BTreeSet<String> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Of Helm's release Secrets only the names and labels are kept.
    fn release(&self, at: f64, event: &Value) {
        let metadata = &event["object"]["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        if name.starts_with("sh.helm.release") {
            let note = serde_json::json!({"t": at, "event": event["type"], "name": name,
                "namespace": metadata["namespace"], "labels": metadata["labels"]});
            self.with(|stream| stream.releases.push(note));
        }
    }

    /// A line of a controller's log, when it names a namespace of the case.
    pub(crate) fn controller(&self, controller: &str, line: &[u8]) {
        let Ok(line) = serde_json::from_slice::<Value>(line) else { return };
        let text = line.to_string();
        let mine =
            |name: &String| text.contains(&format!("\"{name}\"")) || text.contains(&format!("{name}/"));
        if self.namespaces.iter().any(mine) {
            let at = self.now();
            self.with(|stream| stream.controllers.push((controller.to_owned(), at, line)));
        }
    }

    pub(crate) fn refused(&self, words: String) {
        let at = self.now();
        if words.contains("Error from server") {
            self.with(|stream| stream.refusals.push((at, words)));
        }
    }

    /// Whether an object belongs to the case; those of the whole cluster do.
    pub(super) fn mine(&self, object: &Value, everywhere: Scope) -> bool {
        let namespace = object["metadata"]["namespace"].as_str();
        everywhere == Scope::Path
            || namespace.is_some_and(|namespace| self.namespaces.iter().any(|mine| mine == namespace))
    }
}
