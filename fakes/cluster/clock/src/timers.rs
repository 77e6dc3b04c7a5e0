//! Who sleeps until when.

use std::collections::BTreeMap;
use std::task::Waker;

use jiff::Timestamp;

/// A sleeper's place in the queue: its deadline, then the order of arrival.
pub(crate) type Key = (Timestamp, u64);

/// All sleepers of one clock.
#[derive(Default)]
pub(crate) struct Timers {
    sleepers: BTreeMap<Key, Waker>,
    arrivals: u64,
}

impl Timers {
    /// A new place for a sleeper with this deadline.
    pub(crate) fn place(&mut self, deadline: Timestamp) -> Key {
        self.arrivals += 1;
        (deadline, self.arrivals)
    }

    /// Puts a sleeper to bed, or changes who is to be woken.
    pub(crate) fn set(&mut self, key: Key, waker: &Waker) {
        match self.sleepers.get_mut(&key) {
            Some(old) => old.clone_from(waker),
            None => {
                self.sleepers.insert(key, waker.clone());
            }
        }
    }

    /// Forgets a sleeper.
    pub(crate) fn remove(&mut self, key: &Key) {
        self.sleepers.remove(key);
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.sleepers.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Takes out everybody whose deadline is not after `now`, in order.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(entry) = self.sleepers.first_entry() {
            if entry.key().0 > now {
                break;
            }
            due.push(entry.remove());
        }
        due
    }
}
