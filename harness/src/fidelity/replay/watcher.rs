//! Watches a cluster as the recorder of the recordings does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use field_clock::Clock;
use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::Value;

use super::super::stream::{Line, Stream};
use super::api::Api;

/// How long the recorder waits before it opens a watch again.
const AGAIN: Duration = Duration::from_millis(300);

/// What all watches write into.
#[derive(Clone)]
pub(super) struct Notes {
    clock: Clock,
    began: Timestamp,
    stream: Arc<Mutex<Stream>>,
    namespaces: Arc<Vec<String>>,
}

impl Notes {
    /// Notes whose seconds count from `began`.
    pub(super) fn new(clock: Clock, began: Timestamp, namespaces: Vec<String>) -> Self {
        Self { clock, began, stream: Arc::default(), namespaces: Arc::new(namespaces) }
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of minutes")]
    fn now(&self) -> f64 {
        self.clock.now().duration_since(self.began).as_millis() as f64 / 1000.0
    }

    /// Something is done to the stream.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut Stream) -> T) -> T {
        change(&mut self.stream.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn line(&self, kind: &str, event: Value) {
        let at = self.now();
        if kind == "secrets" {
            self.release(at, &event);
            return;
        }
        self.with(|stream| stream.lines.push(Line { at, kind: kind.to_owned(), event }));
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
    pub(super) fn controller(&self, controller: &str, line: &[u8]) {
        let Ok(line) = serde_json::from_slice::<Value>(line) else { return };
        let text = line.to_string();
        let mine =
            |name: &String| text.contains(&format!("\"{name}\"")) || text.contains(&format!("{name}/"));
        if self.namespaces.iter().any(mine) {
            let at = self.now();
            self.with(|stream| stream.controllers.push((controller.to_owned(), at, line)));
        }
    }

    pub(super) fn refused(&self, words: String) {
        let at = self.now();
        if words.contains("Error from server") {
            self.with(|stream| stream.refusals.push((at, words)));
        }
    }

    /// Whether an object belongs to the case; those of the whole cluster do.
    fn mine(&self, object: &Value, everywhere: Scope) -> bool {
        let namespace = object["metadata"]["namespace"].as_str();
        everywhere == Scope::Path
            || namespace.is_some_and(|namespace| self.namespaces.iter().any(|mine| mine == namespace))
    }
}

/// What limits a watch to the objects of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Its path.
    Path,
    /// The case's namespaces.
    Namespaces,
}

/// Watches a collection until it is dropped.
pub(super) async fn watch(api: Api, notes: Notes, kind: String, path: String, scope: Scope) {
    let mut version: Option<String> = None;
    loop {
        if version.is_none() {
            match api.get(&path).await {
                Ok(list) => version = list["metadata"]["resourceVersion"].as_str().map(str::to_owned),
                Err(words) => {
                    notes.refused(format!("list {kind}: {words}"));
                    notes.clock.sleep(AGAIN).await;
                    continue;
                }
            }
        }
        let from = version.clone().unwrap_or_default();
        let url = format!("{path}?watch=1&allowWatchBookmarks=true&resourceVersion={from}");
        match api.watch(&url).await {
            Ok(response) => {
                let mut rest = Vec::new();
                let mut parts = response.bytes_stream();
                while let Some(Ok(part)) = parts.next().await {
                    rest.extend_from_slice(&part);
                    version = lines(&mut rest, &notes, &kind, scope, version);
                    if version.is_none() {
                        break;
                    }
                }
            }
            Err(words) => notes.refused(format!("watch {kind} ended (rc 1) {words}")),
        }
        notes.clock.sleep(AGAIN).await;
    }
}

/// Takes the whole lines; the version to go on from, or nothing when it has expired.
fn lines(
    rest: &mut Vec<u8>,
    notes: &Notes,
    kind: &str,
    scope: Scope,
    mut version: Option<String>,
) -> Option<String> {
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = rest.drain(..=end).collect();
        let Ok(event) = serde_json::from_slice::<Value>(&line) else { continue };
        let expired = event["type"] == "ERROR";
        let seen = event["object"]["metadata"]["resourceVersion"].as_str();
        version = if expired { None } else { seen.map(str::to_owned).or(version) };
        if expired || event["type"] == "BOOKMARK" || notes.mine(&event["object"], scope) {
            notes.line(kind, event);
        }
        if expired {
            return None;
        }
    }
    version
}
