//! Workers: a queue of keys, so many of them worked on at once, each by one worker only.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cluster_api::object;
use field_clock::Clock;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::pace::Burden;

/// The first pause after a failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(750);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    pub(crate) fn of(object: &Value) -> Self {
        Self::new(object::namespace(object), object::name(object))
    }
}

/// What is to become of a key after it was worked on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Nothing until something changes.
    Settled,
    /// Again after a while.
    After(Duration),
    /// Again, later with each time.
    Retry,
}

/// Works on one object.
#[async_trait]
pub(crate) trait Reconciler: Send + Sync + 'static {
    async fn reconcile(&self, key: &Key) -> Verdict;
}

#[derive(Default)]
struct State {
    ready: VecDeque<Key>,
    due: HashMap<Key, Timestamp>,
    busy: HashSet<Key>,
    dirty: HashSet<Key>,
    failures: HashMap<Key, u32>,
}

struct Inner {
    clock: Clock,
    burden: Burden,
    state: Mutex<State>,
    changed: Notify,
}

/// Keys that wait for a worker.
#[derive(Clone)]
pub(crate) struct Work {
    inner: Arc<Inner>,
}

impl Work {
    pub(crate) fn new(clock: &Clock, burden: &Burden) -> Self {
        let (clock, burden) = (clock.clone(), burden.clone());
        Self { inner: Arc::new(Inner { clock, burden, state: Mutex::default(), changed: Notify::new() }) }
    }

    /// Adds a key; one that is being worked on is taken again afterwards.
    pub(crate) fn add(&self, key: Key) {
        let mut state = self.state();
        state.due.remove(&key);
        if state.busy.contains(&key) {
            state.dirty.insert(key);
        } else if !state.ready.contains(&key) {
            state.ready.push_back(key);
            drop(state);
            self.inner.changed.notify_one();
        }
    }

    /// Takes keys and works on them, `workers` at a time, until it is stopped and what was begun has ended.
    pub(crate) async fn run(self, workers: usize, reconciler: Arc<dyn Reconciler>, stop: CancellationToken) {
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                Some(done) = running.join_next(), if !running.is_empty() => match done {
                    Ok((key, verdict)) => self.finish(key, verdict),
                    Err(error) => tracing::error!(%error, "a reconciliation broke down"),
                },
                key = self.next(), if running.len() < workers => {
                    let (reconciler, inner) = (Arc::clone(&reconciler), Arc::clone(&self.inner));
                    let stop = stop.clone();
                    running.spawn(async move {
                        // Whoever is told to end does not wait until its machine has time for it.
                        let _ = stop.run_until_cancelled(inner.burden.bear(&inner.clock)).await;
                        let verdict = reconciler.reconcile(&key).await;
                        (key, verdict)
                    });
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn next(&self) -> Key {
        loop {
            let changed = self.inner.changed.notified();
            match self.take() {
                Ok(key) => return key,
                Err(None) => changed.await,
                Err(Some(when)) => {
                    tokio::select! {
                        () = changed => {}
                        () = self.inner.clock.sleep_until(when) => {}
                    }
                }
            }
        }
    }

    fn take(&self) -> Result<Key, Option<Timestamp>> {
        let mut state = self.state();
        if !state.due.is_empty() {
            let now = self.inner.clock.now();
            let mut ripe: Vec<(Timestamp, Key)> = state
                .due
                .iter()
                .filter(|(_, when)| **when <= now)
                .map(|(key, when)| (*when, key.clone()))
                .collect();
            ripe.sort_by_key(|(when, _)| *when);
            for (_, key) in ripe {
                state.due.remove(&key);
                if !state.ready.contains(&key) {
                    state.ready.push_back(key);
                }
            }
        }
        match state.ready.pop_front() {
            Some(key) => {
                state.busy.insert(key.clone());
                Ok(key)
            }
            None => Err(state.due.values().min().copied()),
        }
    }

    fn finish(&self, key: Key, verdict: Verdict) {
        let mut state = self.state();
        state.busy.remove(&key);
        let now = self.inner.clock.now();
        let when = match verdict {
            Verdict::Settled => {
                state.failures.remove(&key);
                None
            }
            Verdict::After(pause) => {
                state.failures.remove(&key);
                Some(now + pause)
            }
            Verdict::Retry => {
                let failures = state.failures.entry(key.clone()).or_insert(0);
                let pause = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(*failures)).min(LONGEST_PAUSE);
                *failures += 1;
                Some(now + pause)
            }
        };
        if state.dirty.remove(&key) {
            state.ready.push_back(key);
        } else if let Some(when) = when {
            state.due.insert(key, when);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new("a", "b")
    }

    #[test]
    fn a_key_that_changes_while_it_is_worked_on_is_taken_again_afterwards() {
        let work = Work::new(&Clock::wall(), &Burden::default());
        work.add(key());
        assert_eq!(work.take(), Ok(key()));
        work.add(key());
        assert_eq!(work.take(), Err(None));
        work.finish(key(), Verdict::Settled);
        assert_eq!(work.take(), Ok(key()));
    }

    #[test]
    fn pauses_double_until_something_succeeds() {
        let clock = Clock::wall();
        let work = Work::new(&clock, &Burden::default());
        let pause_after = |verdict| {
            work.add(key());
            work.take().unwrap();
            let start = clock.now();
            work.finish(key(), verdict);
            work.take().unwrap_err().map_or(0.0, |when| when.duration_since(start).as_secs_f64())
        };
        assert!((pause_after(Verdict::Retry) - 0.75).abs() < 0.2);
        assert!((pause_after(Verdict::Retry) - 1.5).abs() < 0.2);
        assert!((pause_after(Verdict::Retry) - 3.0).abs() < 0.2);
        assert!((pause_after(Verdict::After(Duration::from_secs(30))) - 30.0).abs() < 0.2);
        assert!((pause_after(Verdict::Retry) - 0.75).abs() < 0.2);
    }
}
