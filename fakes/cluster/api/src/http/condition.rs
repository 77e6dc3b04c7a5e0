//! How well the API serves: it may be down, come back, hang, be slow, or forget what was.
//!
//! A server that is down is seen through a published port, which goes on accepting: connections end in the middle and new
//! ones are cut. The one that comes back knows no roles at first and no history of before.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{ApiError, Store};

/// From the start of the server's process until it accepts.
const STARTING: Duration = Duration::from_secs(2);
/// From then until roles and bindings are loaded.
const LOADING: Duration = Duration::from_millis(1200);
/// From then until everything that runs after the start has run.
const WARMING: Duration = Duration::from_secs(1);

/// Encounters beyond this many are not kept.
const KEPT: usize = 1000;

/// What trouble of the server does to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A connection ended in the middle, or was cut at once.
    Cut,
    /// A connection got no answer.
    Silence,
    /// A request was answered late.
    Delay,
    /// A watch was told that its version is too old.
    Expiry,
    /// A request was refused, since nobody allowed it.
    Refusal,
}

/// A client that met trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encounter {
    /// When.
    pub at: Timestamp,
    /// What it met.
    pub trouble: Trouble,
    /// Who it was, where that is known.
    pub user: String,
}

/// What a server that answers is able to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nobody is there behind the port.
    Cut,
    /// It knows no roles: nobody may anything.
    Loading,
    /// It answers, and is not yet ready.
    Warming,
    /// As it should be.
    Serving,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    outages: u32,
    hangs: u32,
    delay: Duration,
    started: Option<Timestamp>,
}

/// The API's condition and the way to change it; clones are the same server's.
#[derive(Clone, Debug)]
pub struct ApiControl {
    state: Arc<watch::Sender<State>>,
    encounters: Arc<Mutex<Vec<Encounter>>>,
    watchers: Arc<watch::Sender<BTreeSet<String>>>,
    store: Store,
}

impl ApiControl {
    pub(super) fn new(store: Store) -> Self {
        Self { state: Arc::default(), encounters: Arc::default(), watchers: Arc::default(), store }
    }

    /// Who met trouble so far, the first thousand times.
    pub fn encounters(&self) -> Vec<Encounter> {
        self.encounters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everybody who has ever watched anything.
    pub fn watchers(&self) -> watch::Receiver<BTreeSet<String>> {
        self.watchers.subscribe()
    }

    fn note(&self, trouble: Trouble, user: &str) {
        let mut encounters = self.encounters.lock().unwrap_or_else(PoisonError::into_inner);
        if encounters.len() < KEPT {
            encounters.push(Encounter { at: self.store.clock().now(), trouble, user: user.to_owned() });
        }
    }

    /// Forgets the history of all objects: open watches end, and those that are resumed from before get 410.
    pub fn expire(&self) {
        self.store.forget_history();
    }

    /// Somebody watches; `expired` where the answer is 410.
    pub(super) fn watched(&self, user: &str, expired: Option<&ApiError>) {
        if expired.is_some() {
            self.note(Trouble::Expiry, user);
        }
        self.watchers
            .send_if_modified(|watchers| !watchers.contains(user) && watchers.insert(user.to_owned()));
    }

    /// Somebody was refused what nobody allowed.
    pub(super) fn refused(&self, user: &str) {
        self.note(Trouble::Refusal, user);
    }

    /// Answers each request that much later, until the guard goes.
    #[must_use = "the server is slow as long as the guard is there"]
    pub fn slow(&self, delay: Duration) -> Slow {
        self.state.send_modify(|state| state.delay += delay);
        Slow { control: self.clone(), delay }
    }

    /// Lets a request of somebody wait for as long as the server is slow.
    pub(super) async fn dawdle(&self, user: &str) {
        let delay = self.state.borrow().delay;
        if !delay.is_zero() {
            self.note(Trouble::Delay, user);
            self.store.clock().sleep(delay).await;
        }
    }

    /// Takes the server down: open connections end at once, new ones are cut. When the guard goes, the server starts again:
    /// two seconds later it answers, for about a second with 403 for everybody, then as before; versions from before the
    /// start are expired for watches.
    #[must_use = "the outage lasts as long as its guard"]
    pub fn outage(&self) -> Outage {
        self.state.send_modify(|state| state.outages += 1);
        Outage { control: self.clone() }
    }

    /// Stops the server without ending it: open watches are silent and requests unanswered until the guard goes.
    #[must_use = "the hang lasts as long as its guard"]
    pub fn hang(&self) -> Hang {
        self.state.send_modify(|state| state.hangs += 1);
        Hang { control: self.clone() }
    }

    /// Whether it answers at the moment, were it with a refusal.
    pub fn answers(&self) -> bool {
        self.state.borrow().hangs == 0 && self.phase() != Phase::Cut
    }

    pub(super) fn phase(&self) -> Phase {
        let state = *self.state.borrow();
        if state.outages > 0 {
            return Phase::Cut;
        }
        let Some(started) = state.started else { return Phase::Serving };
        let now = self.store.clock().now();
        let phases = [(STARTING, Phase::Cut), (LOADING, Phase::Loading), (WARMING, Phase::Warming)];
        let mut end = started;
        for (length, phase) in phases {
            end += length;
            if now < end {
                return phase;
            }
        }
        Phase::Serving
    }

    /// Runs a connection for as long as there is a server behind it.
    pub(super) async fn attend(&self, serving: impl Future<Output = ()>, stop: CancellationToken) {
        if self.phase() == Phase::Cut {
            return self.note(Trouble::Cut, "");
        }
        let mut state = self.state.subscribe();
        let mut serving = std::pin::pin!(serving);
        let mut silent = 0;
        loop {
            let State { outages, hangs, .. } = *state.borrow_and_update();
            if outages > 0 {
                return self.note(Trouble::Cut, "");
            }
            if hangs > silent {
                self.note(Trouble::Silence, "");
            }
            silent = hangs;
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = state.changed() => if changed.is_err() { return },
                () = &mut serving, if hangs == 0 => return,
            }
        }
    }
}

/// An outage; it ends with this guard.
#[derive(Debug)]
#[must_use = "the outage lasts as long as its guard"]
pub struct Outage {
    control: ApiControl,
}

impl Drop for Outage {
    fn drop(&mut self) {
        let store = &self.control.store;
        let now = store.clock().now();
        self.control.state.send_modify(|state| {
            state.outages -= 1;
            state.started = Some(now);
        });
        store.forget_history();
    }
}

/// A hang; it ends with this guard.
#[derive(Debug)]
#[must_use = "the hang lasts as long as its guard"]
pub struct Hang {
    control: ApiControl,
}

impl Drop for Hang {
    fn drop(&mut self) {
        self.control.state.send_modify(|state| state.hangs -= 1);
    }
}

/// A slow server; it ends with this guard.
#[derive(Debug)]
#[must_use = "the server is slow as long as the guard is there"]
pub struct Slow {
    control: ApiControl,
    delay: Duration,
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.control.state.send_modify(|state| state.delay -= self.delay);
    }
}
