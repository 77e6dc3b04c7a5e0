//! One resource's objects, its recent history and who watches it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use field_clock::Clock;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::watch::Verb;

/// How many changes a resource remembers for watches that resume.
const HISTORY: usize = 1024;

/// An object of one version and, once somebody asked, its JSON.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) value: Arc<Value>,
    pub(crate) version: u64,
    json: OnceLock<Bytes>,
}

impl Stored {
    pub(crate) fn new(value: Value, version: u64) -> Self {
        Self { value: Arc::new(value), version, json: OnceLock::new() }
    }

    /// The object's JSON, made once.
    pub(crate) fn json(&self) -> &Bytes {
        self.json.get_or_init(|| Bytes::from(self.value.to_string()))
    }
}

/// One change of one object.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) verb: Verb,
    pub(crate) stored: Arc<Stored>,
    pub(crate) previous: Option<Arc<Stored>>,
    /// On the machine's clock, for whoever measures how long somebody takes to notice.
    pub(crate) written: Timestamp,
}

/// Who watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A component that holds the store itself.
    Inside,
    /// A client of the API.
    Served,
}

#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) origin: Origin,
    pub(super) namespace: Option<String>,
    pub(super) sender: UnboundedSender<Arc<Change>>,
}

type Objects = BTreeMap<String, BTreeMap<String, Arc<Stored>>>;

fn now() -> Timestamp {
    Clock::wall().now()
}

#[derive(Debug, Default)]
pub(super) struct Table {
    objects: Objects,
    history: VecDeque<Arc<Change>>,
    /// The version of the newest change that was forgotten.
    floor: u64,
    watchers: Vec<Watcher>,
}

impl Table {
    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<&Arc<Stored>> {
        self.objects.get(namespace)?.get(name)
    }

    pub(super) fn list(&self, namespace: Option<&str>) -> Vec<Arc<Stored>> {
        match namespace {
            Some(namespace) => {
                self.objects.get(namespace).into_iter().flat_map(BTreeMap::values).cloned().collect()
            }
            None => self.objects.values().flat_map(BTreeMap::values).cloned().collect(),
        }
    }

    /// Stores an object and tells its watchers.
    pub(super) fn put(&mut self, namespace: &str, name: &str, stored: Arc<Stored>) {
        let previous = match self.objects.get_mut(namespace) {
            Some(names) => names.insert(name.to_owned(), stored.clone()),
            None => {
                self.objects
                    .insert(namespace.to_owned(), BTreeMap::from([(name.to_owned(), stored.clone())]));
                None
            }
        };
        let verb = if previous.is_some() { Verb::Modified } else { Verb::Added };
        self.tell(namespace, Change { version: stored.version, verb, stored, previous, written: now() });
    }

    /// Drops an object; `last` is its last face, with the version of the deletion.
    pub(super) fn drop_object(&mut self, namespace: &str, name: &str, last: Arc<Stored>) {
        let Some(names) = self.objects.get_mut(namespace) else { return };
        let previous = names.remove(name);
        if names.is_empty() {
            self.objects.remove(namespace);
        }
        let (version, verb) = (last.version, Verb::Deleted);
        self.tell(namespace, Change { version, verb, stored: last, previous, written: now() });
    }

    fn tell(&mut self, namespace: &str, change: Change) {
        let change = Arc::new(change);
        if self.history.len() == HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.floor = oldest.version;
        }
        self.history.push_back(change.clone());
        self.watchers.retain(|watcher| {
            if watcher.namespace.as_deref().is_some_and(|wanted| wanted != namespace) {
                return !watcher.sender.is_closed();
            }
            watcher.sender.send(change.clone()).is_ok()
        });
    }

    pub(super) fn add_watcher(&mut self, watcher: Watcher) {
        self.watchers.push(watcher);
    }

    /// The changes after a version, or the oldest version that can be asked for.
    pub(super) fn since(&self, version: u64) -> Result<Vec<Arc<Change>>, u64> {
        if version < self.floor {
            return Err(self.floor);
        }
        let from = self.history.partition_point(|change| change.version <= version);
        Ok(self.history.range(from..).cloned().collect())
    }

    /// The objects as they were at a version, or the oldest version that can be asked for.
    pub(super) fn at(&self, version: u64, namespace: Option<&str>) -> Result<Vec<Arc<Stored>>, u64> {
        if version < self.floor {
            return Err(self.floor);
        }
        if self.history.back().is_none_or(|change| change.version <= version) {
            return Ok(self.list(namespace));
        }
        let key = |stored: &Arc<Stored>| {
            (
                crate::object::namespace(&stored.value).to_owned(),
                crate::object::name(&stored.value).to_owned(),
            )
        };
        let mut then: BTreeMap<_, _> =
            self.list(namespace).into_iter().map(|stored| (key(&stored), stored)).collect();
        let later = self.history.iter().rev().take_while(|change| change.version > version);
        for change in later {
            let place = key(&change.stored);
            if namespace.is_some_and(|wanted| wanted != place.0) {
                continue;
            }
            match &change.previous {
                Some(previous) => then.insert(place, previous.clone()),
                None => then.remove(&place),
            };
        }
        Ok(then.into_values().collect())
    }

    /// Forgets the history up to a version.
    pub(super) fn forget(&mut self, version: u64) {
        self.history.clear();
        self.floor = version;
    }

    /// Ends the watches of clients.
    pub(super) fn close_served(&mut self) {
        self.watchers.retain(|watcher| watcher.origin == Origin::Inside);
    }
}
