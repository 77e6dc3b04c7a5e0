//! What the world's thread does before it parks: it asks once more whether a socket is ready.
//!
//! Most pauses of a world are those of a conversation with itself: one task has written, and the task that reads is ready before
//! anybody could look. To park there costs a wait in the kernel and wakes the driver for nothing. A runtime whose hook before
//! parking wakes a task does not park: it asks its sockets without waiting, and goes on.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::driver::monotonic;

/// A turn around the tasks that took longer than this was about more than itself. Where that is wrong the world parks a
/// moment earlier or later.
const EMPTY_TURN: Duration = Duration::from_micros(4);
/// It parks after so many turns in any case: on a slow machine every turn takes long.
const MOST_TURNS: u32 = 8;

/// The thread's last moments of doubt before it parks.
#[derive(Debug, Default)]
pub(crate) struct Lull {
    waker: Mutex<Option<Waker>>,
    doubt: Mutex<Option<Doubt>>,
}

#[derive(Debug)]
struct Doubt {
    turns: u32,
    since: Instant,
}

impl Lull {
    /// Whether the thread goes around once more instead of parking: a few times, while there was something to do.
    pub(crate) fn looks_again(&self) -> bool {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(waker) = &*waker else {
            return false;
        };
        let mut doubt = self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        let now = monotonic();
        let turns = match doubt.take() {
            Some(Doubt { since, .. }) if now.duration_since(since) < EMPTY_TURN => return false,
            Some(Doubt { turns, .. }) if turns >= MOST_TURNS => return false,
            Some(Doubt { turns, .. }) => turns + 1,
            None => 1,
        };
        *doubt = Some(Doubt { turns, since: now });
        waker.wake_by_ref();
        true
    }

    /// The task whose being awake keeps the thread from parking; it does nothing, for ever.
    pub(crate) fn turn(self: &Arc<Self>) -> Turn {
        Turn(Arc::clone(self))
    }
}

pub(crate) struct Turn(Arc<Lull>);

impl Future for Turn {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut waker = self.0.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *waker {
            Some(known) => known.clone_from(context.waker()),
            None => *waker = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::{Lull, MOST_TURNS};
    use std::task::Waker;

    #[test]
    fn a_thread_parks_however_long_a_turn_takes() {
        let lull = Lull::default();
        *lull.waker.lock().unwrap() = Some(Waker::noop().clone());
        let turns = (0..1000).take_while(|_| {
            std::thread::yield_now();
            (0..100_000).for_each(|number| {
                std::hint::black_box(number);
            });
            lull.looks_again()
        });
        assert_eq!(turns.count(), MOST_TURNS as usize);
    }

    #[test]
    fn a_thread_parks_at_once_before_there_is_anybody_to_wake() {
        assert!(!Lull::default().looks_again());
    }
}
