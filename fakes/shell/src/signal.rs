//! Signals, and what a process does about them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

/// A signal by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Signal(pub(crate) i32);

const NAMES: [(&str, i32); 17] = [
    ("EXIT", 0),
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("CHLD", 17),
    ("CONT", 18),
];

impl Signal {
    pub(crate) const EXIT: Self = Self(0);
    pub(crate) const INT: Self = Self(2);
    pub(crate) const KILL: Self = Self(9);
    pub(crate) const PIPE: Self = Self(13);
    pub(crate) const TERM: Self = Self(15);

    /// By number or name, with `SIG` or without.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse::<i32>() {
            return (0..=64).contains(&number).then_some(Self(number));
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| Self(*number))
    }

    pub(crate) fn name(self) -> String {
        NAMES
            .iter()
            .find(|(_, number)| *number == self.0)
            .map_or(self.0.to_string(), |(name, _)| (*name).into())
    }

    /// The exit status of a process that it put an end to.
    pub(crate) fn status(self) -> i32 {
        128 + self.0
    }

    /// What a shell says of a child that it put an end to.
    pub(crate) fn epitaph(self) -> Option<&'static str> {
        match self.0 {
            1 => Some("Hangup"),
            3 => Some("Quit"),
            6 => Some("Aborted"),
            9 => Some("Killed"),
            10 => Some("User defined signal 1"),
            11 => Some("Segmentation fault"),
            12 => Some("User defined signal 2"),
            14 => Some("Alarm clock"),
            15 => Some("Terminated"),
            _ => None,
        }
    }

    fn ends_by_default(self) -> bool {
        !matches!(self.0, 0 | 17 | 18 | 23 | 28)
    }
}

/// What a process does about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Ignore,
    /// It has a handler, and looks for it.
    Catch,
}

/// Whence a signal comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A process of the container.
    Inside,
    /// The node.
    Outside,
}

/// The signals of one process.
#[derive(Debug)]
pub(crate) struct Signals {
    /// The first process of a container: nothing happens to it by default.
    is_first: bool,
    dispositions: Mutex<BTreeMap<Signal, Disposition>>,
    pending: Mutex<VecDeque<Signal>>,
    arrived: Notify,
    killed: watch::Sender<Option<Signal>>,
}

impl Signals {
    pub(crate) fn new(pid: u32) -> Self {
        Self {
            is_first: pid == 1,
            dispositions: Mutex::default(),
            pending: Mutex::default(),
            arrived: Notify::new(),
            killed: watch::Sender::new(None),
        }
    }

    /// Those of a child: what is ignored stays ignored, handlers are gone.
    pub(crate) fn of_child(&self, pid: u32) -> Self {
        let child = Self::new(pid);
        let mut inherited = lock(&self.dispositions).clone();
        inherited.retain(|_, disposition| *disposition == Disposition::Ignore);
        *lock(&child.dispositions) = inherited;
        child
    }

    /// Handlers go, as at `exec`.
    pub(crate) fn forget_handlers(&self) {
        lock(&self.dispositions).retain(|_, disposition| *disposition == Disposition::Ignore);
    }

    pub(crate) fn set(&self, signal: Signal, disposition: Option<Disposition>) {
        let mut all = lock(&self.dispositions);
        match disposition {
            Some(disposition) => all.insert(signal, disposition),
            None => all.remove(&signal),
        };
    }

    /// Sends a signal.
    pub(crate) fn send(&self, signal: Signal, sender: Sender) {
        if signal == Signal::KILL {
            if !self.is_first || sender == Sender::Outside {
                self.killed.send_replace(Some(signal));
            }
            return;
        }
        let disposition = lock(&self.dispositions).get(&signal).copied();
        match disposition {
            Some(Disposition::Ignore) => {}
            Some(Disposition::Catch) => {
                lock(&self.pending).push_back(signal);
                self.arrived.notify_waiters();
            }
            None if self.is_first || !signal.ends_by_default() => {}
            None => {
                self.killed.send_replace(Some(signal));
            }
        }
    }

    /// The next signal that waits for its handler.
    pub(crate) fn take(&self) -> Option<Signal> {
        lock(&self.pending).pop_front()
    }

    /// That signal, left where it is.
    pub(crate) fn peek(&self) -> Option<Signal> {
        lock(&self.pending).front().copied()
    }

    /// Waits until a handler has something to do.
    pub(crate) async fn caught(&self) {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            if !lock(&self.pending).is_empty() {
                return;
            }
            arrived.await;
        }
    }

    /// The signal that ends the process, when there is one.
    pub(crate) fn killed_by(&self) -> Option<Signal> {
        *self.killed.borrow()
    }

    /// Waits for the signal that ends the process.
    pub(crate) async fn killed(&self) -> Signal {
        let mut killed = self.killed.subscribe();
        match killed.wait_for(Option::is_some).await.map(|signal| *signal) {
            Ok(Some(signal)) => signal,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
