//! The work queue every controller drains: keys once each, now or at a point in field time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cluster_api::object;
use field_clock::Clock;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

/// An object by namespace (empty when cluster-scoped) and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Namespace, or empty.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Key {
    /// A key from its parts.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The key of an object.
    pub fn of(object: &Value) -> Self {
        Self::new(object::namespace(object), object::name(object))
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Key>,
    queued: HashSet<Key>,
    due: HashMap<Key, Timestamp>,
}

struct Inner {
    clock: Clock,
    state: Mutex<State>,
    changed: Notify,
}

/// Keys that wait for their reconciliation; a key that waits already is not added twice.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

impl Queue {
    /// An empty queue.
    pub fn new(clock: Clock) -> Self {
        Self { inner: Arc::new(Inner { clock, state: Mutex::default(), changed: Notify::new() }) }
    }

    /// Adds a key to be taken as soon as possible.
    pub fn add(&self, key: Key) {
        let mut state = self.state();
        state.due.remove(&key);
        if state.queued.insert(key.clone()) {
            state.waiting.push_back(key);
            drop(state);
            self.inner.changed.notify_one();
        }
    }

    /// Adds a key for a later moment; the earlier of two moments holds.
    pub fn add_at(&self, key: Key, when: Timestamp) {
        let mut state = self.state();
        if state.queued.contains(&key) {
            return;
        }
        let due = state.due.entry(key).or_insert(when);
        *due = when.min(*due);
        drop(state);
        self.inner.changed.notify_one();
    }

    /// The next key, waited for.
    pub async fn next(&self) -> Key {
        loop {
            let changed = self.inner.changed.notified();
            let due = match self.take() {
                Ok(key) => return key,
                Err(due) => due,
            };
            match due {
                None => changed.await,
                Some(when) => {
                    tokio::select! {
                        () = changed => {}
                        () = self.inner.clock.sleep_until(when) => {}
                    }
                }
            }
        }
    }

    /// A key that may be taken now, or else the moment at which the next one may.
    fn take(&self) -> Result<Key, Option<Timestamp>> {
        let mut state = self.state();
        if !state.due.is_empty() {
            let now = self.inner.clock.now();
            let ripe: Vec<Key> =
                state.due.iter().filter(|(_, when)| **when <= now).map(|(key, _)| key.clone()).collect();
            for key in ripe {
                state.due.remove(&key);
                if state.queued.insert(key.clone()) {
                    state.waiting.push_back(key);
                }
            }
        }
        match state.waiting.pop_front() {
            Some(key) => {
                state.queued.remove(&key);
                Ok(key)
            }
            None => Err(state.due.values().min().copied()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn a_key_added_twice_is_taken_once() {
        let queue = Queue::new(Clock::wall());
        queue.add(Key::new("a", "one"));
        queue.add(Key::new("a", "one"));
        queue.add(Key::new("a", "two"));
        assert_eq!(block_on(queue.next()), Key::new("a", "one"));
        assert_eq!(block_on(queue.next()), Key::new("a", "two"));
        assert_eq!(queue.take(), Err(None));
    }

    #[test]
    fn a_later_key_waits_for_its_moment_and_the_earlier_moment_holds() {
        let clock = Clock::wall();
        let queue = Queue::new(clock.clone());
        let start = clock.now();
        queue.add_at(Key::new("", "later"), start + Duration::from_secs(600));
        queue.add_at(Key::new("", "later"), start + Duration::from_millis(30));
        assert_eq!(block_on(queue.next()), Key::new("", "later"));
        assert!(clock.now() >= start + Duration::from_millis(30));
        assert_eq!(queue.take(), Err(None));
    }
}
