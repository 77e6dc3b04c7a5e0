//! Watches of the store.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::table::{Change, Stored};

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is new, or was there when the watch began.
    Added,
    /// It changed.
    Modified,
    /// It is gone; the object is its last face.
    Deleted,
}

/// One event of a watch.
#[derive(Clone, Debug)]
pub struct WatchEvent {
    /// What happened.
    pub verb: Verb,
    /// The object afterwards.
    pub object: Arc<Value>,
    /// When it was written, on the machine's clock; not known of what was there before.
    pub written: Option<Timestamp>,
}

/// All objects of a resource as `Added`, then every change, each exactly once.
#[derive(Debug)]
pub struct Watch {
    pub(super) initial: VecDeque<Arc<Stored>>,
    pub(super) changes: UnboundedReceiver<Arc<Change>>,
}

impl Watch {
    /// The next event; `None` when the store is gone.
    pub async fn next(&mut self) -> Option<WatchEvent> {
        match self.initial.pop_front() {
            Some(stored) => Some(added(&stored)),
            None => self.changes.recv().await.map(|change| event(&change)),
        }
    }

    /// The next event, if it is there already.
    pub fn try_next(&mut self) -> Option<WatchEvent> {
        match self.initial.pop_front() {
            Some(stored) => Some(added(&stored)),
            None => self.changes.try_recv().ok().map(|change| event(&change)),
        }
    }
}

fn added(stored: &Stored) -> WatchEvent {
    WatchEvent { verb: Verb::Added, object: stored.value.clone(), written: None }
}

fn event(change: &Change) -> WatchEvent {
    WatchEvent { verb: change.verb, object: change.stored.value.clone(), written: Some(change.written) }
}

/// Where a watch of the API begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// With all objects that exist.
    Existing,
    /// After a version.
    Version(u64),
}

/// A watch that shows versions and previous faces, for the API.
#[derive(Debug)]
pub(crate) struct RawWatch {
    /// What existed, when the watch begins with it.
    pub(crate) existing: Vec<Arc<Stored>>,
    /// Changes that happened before the watch began.
    pub(crate) backlog: Vec<Arc<Change>>,
    /// The store's version when the watch began.
    pub(crate) version: u64,
    /// Changes from now on.
    pub(crate) changes: UnboundedReceiver<Arc<Change>>,
}
