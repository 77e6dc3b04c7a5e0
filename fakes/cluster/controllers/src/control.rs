//! One controller: watches that fill a queue, and a reconciler that drains it.

use std::sync::Arc;
use std::time::Duration;

use cluster_api::{Res, Store, object};
use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::queue::{Key, Queue};

/// The most that a controller takes to look at an object.
const TAKES: Duration = Duration::from_millis(4);

/// When a key is to be looked at again without any change to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    /// Not before something changes.
    Change,
    /// At this moment at the latest.
    At(Timestamp),
}

impl Next {
    /// The earlier of two.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(one), Self::At(two)) => Self::At(one.min(two)),
            (Self::Change, next) | (next, Self::Change) => next,
        }
    }
}

/// Brings one object of a kind to where it should be.
pub(crate) trait Reconcile: Send + 'static {
    /// Looks at the object of this key as it is now.
    fn reconcile(&mut self, key: &Key) -> Next;
}

/// A controller under construction.
pub(crate) struct Controller {
    store: Store,
    stop: CancellationToken,
    queue: Queue,
}

impl Controller {
    pub(crate) fn new(store: &Store, stop: &CancellationToken) -> Self {
        Self { store: store.clone(), stop: stop.clone(), queue: Queue::new(store.clock().clone()) }
    }

    /// Every change of a resource adds the keys that `keys` names for it.
    pub(crate) fn watch(self, res: &Res, keys: impl FnMut(&Value) -> Vec<Key> + Send + 'static) -> Self {
        self.watch_after(res, Duration::ZERO, keys)
    }

    /// As [`Self::watch`], with a pause before the key is taken, in which changes collect.
    pub(crate) fn watch_after(
        self,
        res: &Res,
        pause: Duration,
        mut keys: impl FnMut(&Value) -> Vec<Key> + Send + 'static,
    ) -> Self {
        let (store, queue, res) = (self.store.clone(), self.queue.clone(), res.clone());
        tokio::spawn(self.stop.clone().run_until_cancelled_owned(async move {
            // A watch ends when the API restarts; the next one begins with everything that exists.
            loop {
                let mut watch = store.watch(&res, None);
                while let Some(event) = watch.next().await {
                    for key in keys(&event.object) {
                        if pause.is_zero() {
                            queue.add(key);
                        } else {
                            queue.add_at(key, store.clock().now() + pause);
                        }
                    }
                }
            }
        }));
        self
    }

    /// Starts to drain the queue.
    pub(crate) fn run(self, mut reconciler: impl Reconcile) {
        let Self { store, stop, queue } = self;
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            loop {
                let key = queue.next().await;
                store.clock().sleep(store.chance().moment(TAKES)).await;
                if let Next::At(when) = reconciler.reconcile(&key) {
                    queue.add_at(key, when);
                }
                tokio::task::yield_now().await;
            }
        }));
    }
}

/// The object's own key.
pub(crate) fn own(object: &Value) -> Vec<Key> {
    vec![Key::of(object)]
}

/// The key of the controlling owner, where it is of this kind.
pub(crate) fn owner_of(kind: &'static str) -> impl FnMut(&Value) -> Vec<Key> + Send + 'static {
    move |dependent| match object::owner(dependent) {
        Some(owner) if owner["kind"] == kind => {
            vec![Key::new(object::namespace(dependent), owner["name"].as_str().unwrap_or_default())]
        }
        _ => Vec::new(),
    }
}

/// The objects of a resource that an owner controls.
pub(crate) fn controlled(store: &Store, res: &Res, owner: &Value) -> Vec<Arc<Value>> {
    let uid = object::uid(owner);
    let mut found = store.list(res, Some(object::namespace(owner)));
    found.retain(|dependent| object::owner(dependent).is_some_and(|owner| owner["uid"] == uid));
    found
}

/// A moment as objects carry it.
pub(crate) fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Whole seconds of a field.
pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_secs)
}

/// A number, 0 when absent.
pub(crate) fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// Writes a counter; a zero is an absent field.
pub(crate) fn put_count(status: &mut Value, field: &str, count: i64) {
    if count != 0 {
        status[field] = count.into();
    } else if let Some(map) = status.as_object_mut() {
        map.shift_remove(field);
    }
}

/// Logs what a write said when it failed; conflicts and vanished objects are looked at again by the next change.
pub(crate) fn note<T>(what: &str, outcome: Result<T, cluster_api::ApiError>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "{what}");
    }
}
