//! The thread that moves field time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::backlog::Backlog;
use crate::clock::{Field, Pace, awaited, machine_now};
use crate::processes::{self, Activity, OwnThread, Processes};

/// A world that is busy for longer than this, without one pause, is charged the machine's time.
pub const BUSY_GRACE: Duration = Duration::from_millis(250);
/// One look at the world is never charged more than this, however late the host let it happen.
const LARGEST_STEP: Duration = Duration::from_millis(2);
/// One look at processes that slept since the look before is never charged more than this: a host may stop as a whole.
const LONGEST_SLEEP: Duration = Duration::from_millis(100);
/// The most seconds of field time in a second of the machine's while somebody talks to a program that lives by the machine's
/// time: it sleeps between two packets and before it asks again, and that looks like nothing to do.
pub const AMONG_STRANGERS: f64 = 30.0;
/// The shortest sleep of the driver.
const SHORTEST: Duration = Duration::from_micros(25);
/// How long the driver sleeps while the world is busy (its parking wakes the driver).
const BUSY_TICK: Duration = Duration::from_millis(5);
/// How long the driver sleeps while the world is held.
const HELD_TICK: Duration = Duration::from_micros(500);
/// How long the driver leaves a process alone that computes, at first; twice as long each time, up to the other.
const COMPUTING_TICK: Duration = Duration::from_micros(20);
const LONGEST_COMPUTING_TICK: Duration = Duration::from_micros(160);
/// How long a world without any deadline is left alone before the driver looks again.
const IDLE: Duration = Duration::from_millis(50);

pub(crate) struct Driver {
    field: Arc<Field>,
    speed: f64,
    /// When the field clock was last in step with the machine's.
    last: Instant,
    busy_since: Option<Instant>,
    activity: Activity,
    processes: Processes,
    backlog: Backlog,
    computing_tick: Duration,
}

impl Driver {
    pub(crate) fn new(field: Arc<Field>, speed: f64) -> Self {
        Self {
            field,
            speed,
            last: monotonic(),
            busy_since: None,
            activity: Activity::default(),
            processes: Processes::default(),
            backlog: Backlog::open(),
            computing_tick: COMPUTING_TICK,
        }
    }

    pub(crate) fn run(mut self) {
        while !self.field.stop.load(Ordering::Acquire) {
            self.step();
        }
    }

    fn step(&mut self) {
        if !self.field.parked.load(Ordering::Acquire) {
            self.charge_busy();
            return self.wait(BUSY_TICK, is_parked);
        }
        self.busy_since = None;
        let epoch = self.field.epoch.load(Ordering::Acquire);
        let (holds, tracked) = {
            let state = self.field.lock();
            (state.holds, state.processes.clone())
        };
        if holds > 0 {
            let seen = self.processes.look(&tracked);
            self.charge_held(seen);
            return self.wait_for(awaited::RELEASE, HELD_TICK, |field| field.lock().holds == 0);
        }
        // Before the looks that tell quiet from a moment's pause, whoever waits for a processor may have this one.
        std::thread::yield_now();
        // A packet that was handed over before a look has woken its reader by then.
        if !self.still_parked(epoch) || !self.backlog.is_empty() {
            self.last = monotonic();
            return;
        }
        let seen = self.processes.look(&tracked);
        // Who sleeps now and has not had a turn since the last look, whenever that was, has slept between the two.
        let quiet = seen.asleep() && seen == self.activity;
        let computes = !seen.asleep();
        self.activity = seen;
        if quiet && self.still_parked(epoch) {
            self.computing_tick = COMPUTING_TICK;
            return self.jump(epoch);
        }
        self.last = monotonic();
        if computes {
            std::thread::park_timeout(self.computing_tick);
            self.computing_tick = (self.computing_tick * 2).min(LONGEST_COMPUTING_TICK);
        }
    }

    fn still_parked(&self, epoch: u64) -> bool {
        let field = &self.field;
        is_parked(field)
            && field.epoch.load(Ordering::SeqCst) == epoch
            && field.world.get().is_none_or(OwnThread::asleep)
    }

    /// Moves to the next deadline, or as far as the speed permits by now.
    fn jump(&mut self, epoch: u64) {
        let elapsed = self.take_elapsed();
        let mut state = self.field.lock();
        let Some(deadline) = state.timers.next() else {
            state.now = after(state.now, elapsed.min(LARGEST_STEP.max(IDLE)));
            drop(state);
            return self.wait(IDLE, |field| !is_parked(field));
        };
        let ceiling = if state.strangers > 0 { self.speed.min(AMONG_STRANGERS) } else { self.speed };
        let (reach, speed) = match state.pace {
            Pace::Ceiling if ceiling.is_infinite() => (deadline, 1.0),
            Pace::Ceiling => (after(state.now, elapsed.mul_f64(ceiling)), ceiling),
            // Behind the machine it catches up; ahead of it, it goes on from where it is.
            Pace::Machine => (machine_now().max(after(state.now, elapsed)), 1.0),
            Pace::Step => (after(state.now, elapsed), 1.0),
        };
        if reach < deadline {
            state.now = state.now.max(reach);
            let left = Duration::try_from(deadline.duration_since(state.now)).unwrap_or_default();
            drop(state);
            return self.wait(left.div_f64(speed).min(IDLE).max(SHORTEST), |field| !is_parked(field));
        }
        state.now = state.now.max(deadline);
        let now = state.now;
        let due = state.timers.due(now);
        drop(state);
        for waker in due {
            waker.wake();
        }
        self.await_reaction(epoch);
    }

    /// Waits until the world's thread has noticed that somebody was woken, and is done with it.
    fn await_reaction(&self, epoch: u64) {
        self.wait(BUSY_TICK, |field| field.epoch.load(Ordering::Acquire) != epoch && is_parked(field));
    }

    fn charge_busy(&mut self) {
        let now = monotonic();
        let since = *self.busy_since.get_or_insert(now);
        let elapsed = self.take_elapsed();
        if now.duration_since(since) > BUSY_GRACE {
            self.advance(elapsed.min(LARGEST_STEP));
        }
    }

    /// Held: the machine's time counts, but not the time for which the host kept a runnable process waiting.
    fn charge_held(&mut self, seen: Activity) {
        // Nobody outside had a turn since the last look, and nobody wants one: they slept all the while.
        let slept =
            seen.asleep() && seen == self.activity && self.field.world.get().is_none_or(OwnThread::asleep);
        let most = if slept { LONGEST_SLEEP } else { LARGEST_STEP };
        let elapsed = self.take_elapsed().min(most);
        let charged = if seen.asleep() { elapsed } else { elapsed.min(seen.computed_since(&self.activity)) };
        self.activity = seen;
        self.advance(charged);
    }

    fn advance(&self, by: Duration) {
        let mut state = self.field.lock();
        state.now = after(state.now, by);
        let now = state.now;
        let due = state.timers.due(now);
        drop(state);
        for waker in due {
            waker.wake();
        }
    }

    fn take_elapsed(&mut self) -> Duration {
        let now = monotonic();
        let elapsed = now.duration_since(self.last);
        self.last = now;
        elapsed
    }

    /// Sleeps until the world's thread parks, or for this long; not at all where `over` holds already.
    fn wait(&self, most: Duration, over: impl Fn(&Field) -> bool) {
        self.wait_for(awaited::PARK, most, over);
    }

    fn wait_for(&self, what: u8, most: Duration, over: impl Fn(&Field) -> bool) {
        let awaits = &self.field.driver_awaits;
        awaits.store(what, Ordering::SeqCst);
        if !over(&self.field) && !self.field.stop.load(Ordering::Acquire) {
            std::thread::park_timeout(most);
        }
        awaits.store(awaited::NOTHING, Ordering::SeqCst);
    }
}

fn after(moment: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|d| moment.checked_add(d).ok()).unwrap_or(Timestamp::MAX)
}

fn is_parked(field: &Field) -> bool {
    field.parked.load(Ordering::SeqCst)
}

#[expect(clippy::disallowed_methods, reason = "the driver relates field time to the machine's")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// Whether this system shows what processes and sockets do; elsewhere the two looks at the world's own thread decide alone.
pub fn sees_processes() -> bool {
    processes::visible()
}
