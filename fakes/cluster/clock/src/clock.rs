//! The handle that everybody holds.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::thread::Thread;
use std::time::Duration;

use futures::future::{Either, select};
use jiff::{SignedDuration, Timestamp};

use crate::processes::OwnThread;
use crate::timers::{Key, Timers};

/// Time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("time ran out")
    }
}

impl std::error::Error for Elapsed {}

/// A clock: the machine's, or the field time of one simulated world. Clones show the same time.
#[derive(Clone)]
pub struct Clock {
    field: Option<Arc<Field>>,
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.field.is_some() { "Clock(field)" } else { "Clock(machine)" })
    }
}

/// What the world's thread and the driver share.
pub(crate) struct Field {
    pub(crate) state: Mutex<State>,
    /// The world's thread is parked: it has no task to run.
    pub(crate) parked: AtomicBool,
    /// Counts parks and unparks of the world's thread.
    pub(crate) epoch: AtomicU64,
    /// What the driver sleeps for: one of [`awaited`].
    pub(crate) driver_awaits: AtomicU8,
    pub(crate) driver: Mutex<Option<Thread>>,
    /// The world's thread, once it has parked.
    pub(crate) world: OnceLock<OwnThread>,
    pub(crate) stop: AtomicBool,
}

/// What wakes the driver before its time.
pub(crate) mod awaited {
    /// Nothing: it is awake, or wants to sleep to the end.
    pub(crate) const NOTHING: u8 = 0;
    /// The end of the last hold.
    pub(crate) const RELEASE: u8 = 1;
    /// The world's thread parks; and the end of the last hold.
    pub(crate) const PARK: u8 = 2;
}

/// The part that is changed under a lock.
pub(crate) struct State {
    pub(crate) now: Timestamp,
    pub(crate) timers: Timers,
    pub(crate) holds: usize,
    pub(crate) strangers: usize,
    pub(crate) processes: BTreeSet<u32>,
    pub(crate) pace: Pace,
}

/// How fast a quiet world's time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As fast as its options permit.
    Ceiling,
    /// With the machine's time of day.
    Machine,
    /// As fast as the machine's, from where it is.
    Step,
}

impl Field {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self {
            state: Mutex::new(State {
                now: start,
                timers: Timers::default(),
                holds: 0,
                strangers: 0,
                processes: BTreeSet::new(),
                pace: Pace::Ceiling,
            }),
            parked: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
            driver_awaits: AtomicU8::new(awaited::NOTHING),
            driver: Mutex::new(None),
            world: OnceLock::new(),
            stop: AtomicBool::new(false),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the driver if it sleeps until this happens.
    pub(crate) fn nudge(&self, happened: u8) {
        let (all, none) = (Ordering::SeqCst, awaited::NOTHING);
        if self.driver_awaits.load(all) >= happened
            && self.driver_awaits.swap(none, all) != none
            && let Some(driver) = &*self.driver.lock().unwrap_or_else(PoisonError::into_inner)
        {
            driver.unpark();
        }
    }
}

impl Clock {
    /// The machine's clock.
    pub fn wall() -> Self {
        Self { field: None }
    }

    pub(crate) fn field(field: Arc<Field>) -> Self {
        Self { field: Some(field) }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.field {
            Some(field) => field.lock().now,
            None => machine_now(),
        }
    }

    /// Sleeps for this long.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(later(self.now(), duration)).await;
    }

    /// Sleeps until this moment.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        match &self.field {
            Some(field) => Sleep { field: Arc::clone(field), deadline, key: None }.await,
            None => machine_sleep(deadline.duration_since(machine_now())).await,
        }
    }

    /// Waits for `future`, for this long at most.
    ///
    /// # Errors
    /// [`Elapsed`] when time ran out first; the future is dropped then.
    pub async fn timeout<F: Future>(&self, duration: Duration, future: F) -> Result<F::Output, Elapsed> {
        match select(pin!(future), pin!(self.sleep(duration))).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(Elapsed),
        }
    }

    /// Keeps field time from jumping while the guard lives. `what` says for whom; it is only for people who read the code.
    #[must_use = "the clock is held while the guard lives"]
    pub fn hold(&self, what: &'static str) -> Hold {
        let _ = what;
        if let Some(field) = &self.field {
            // The driver need not know before the world's thread parks.
            field.lock().holds += 1;
        }
        Hold { field: self.field.clone() }
    }

    /// Holds the clock while `future` runs, but for no longer than `most` of field time; then it goes on without.
    pub async fn hold_during<F: Future>(&self, what: &'static str, most: Duration, future: F) -> F::Output {
        let hold = self.hold(what);
        match select(pin!(future), pin!(self.sleep(most))).await {
            Either::Left((output, _)) => output,
            Either::Right(((), future)) => {
                drop(hold);
                future.await
            }
        }
    }

    /// From now on field time goes with the machine's time of day: it catches up as fast as its options permit where it is
    /// behind, and never jumps ahead. For a world that people look around in.
    pub fn follow_machine(&self) {
        if let Some(field) = &self.field {
            field.lock().pace = Pace::Machine;
            field.nudge(awaited::RELEASE);
        }
    }

    /// From now on field time goes as fast as the machine's, from where it is: what takes a second there takes one here. For
    /// whoever measures how long people would wait.
    pub fn keep_step(&self) {
        if let Some(field) = &self.field {
            field.lock().pace = Pace::Step;
            field.nudge(awaited::RELEASE);
        }
    }

    /// From now on field time goes as fast as its options permit again; see [`Clock::follow_machine`] and [`Clock::keep_step`].
    pub fn follow_options(&self) {
        if let Some(field) = &self.field {
            field.lock().pace = Pace::Ceiling;
            field.nudge(awaited::RELEASE);
        }
    }

    /// Programs that live by the machine's time have a part in this world while the guard lives: field time goes at most
    /// [`AMONG_STRANGERS`](crate::driver::AMONG_STRANGERS) times as fast as theirs.
    #[must_use = "time is slow while the guard lives"]
    pub fn among_strangers(&self) -> Strangers {
        if let Some(field) = &self.field {
            field.lock().strangers += 1;
        }
        Strangers { field: self.field.clone() }
    }

    /// Field time does not jump while this process, or one that it started, does something.
    #[must_use = "the process is tracked while the guard lives"]
    pub fn track_process(&self, pid: u32) -> Tracked {
        if let Some(field) = &self.field {
            field.lock().processes.insert(pid);
        }
        Tracked { field: self.field.clone(), pid }
    }
}

/// Keeps field time from jumping; see [`Clock::hold`].
#[derive(Debug)]
pub struct Hold {
    field: Option<Arc<Field>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(field) = &self.field {
            let mut state = field.lock();
            state.holds -= 1;
            let over = state.holds == 0;
            drop(state);
            if over {
                field.nudge(awaited::RELEASE);
            }
        }
    }
}

/// Keeps field time slow; see [`Clock::among_strangers`].
#[derive(Debug)]
pub struct Strangers {
    field: Option<Arc<Field>>,
}

impl Drop for Strangers {
    fn drop(&mut self) {
        if let Some(field) = &self.field {
            field.lock().strangers -= 1;
            field.nudge(awaited::RELEASE);
        }
    }
}

/// A tracked process; see [`Clock::track_process`].
#[derive(Debug)]
pub struct Tracked {
    field: Option<Arc<Field>>,
    pid: u32,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if let Some(field) = &self.field {
            field.lock().processes.remove(&self.pid);
        }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Field")
    }
}

struct Sleep {
    field: Arc<Field>,
    deadline: Timestamp,
    key: Option<Key>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let field = Arc::clone(&self.field);
        let mut state = field.lock();
        if state.now >= self.deadline {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| state.timers.place(self.deadline));
        self.key = Some(key);
        state.timers.set(key, context.waker());
        drop(state);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.field.lock().timers.remove(key);
        }
    }
}

/// `duration` after `moment`, or the end of time.
fn later(moment: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration).ok().and_then(|d| moment.checked_add(d).ok()).unwrap_or(Timestamp::MAX)
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's time of day")]
pub(crate) fn machine_now() -> Timestamp {
    Timestamp::now()
}

#[expect(clippy::disallowed_methods, reason = "the machine's clock sleeps on the machine's timers")]
async fn machine_sleep(duration: SignedDuration) {
    tokio::time::sleep(Duration::try_from(duration).unwrap_or_default()).await;
}
