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

/// A turn around the tasks that took longer than this was about more than itself. What is wrong about it costs time, and
/// nothing else: the world parks earlier or later.
const EMPTY_TURN: Duration = Duration::from_micros(4);

/// The thread's last moment of doubt before it parks.
#[derive(Debug, Default)]
pub(crate) struct Lull {
    waker: Mutex<Option<Waker>>,
    since: Mutex<Option<Instant>>,
}

impl Lull {
    /// Whether the thread goes around once more instead of parking: always after a turn in which something was done.
    pub(crate) fn looks_again(&self) -> bool {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let now = monotonic();
        if since.take().is_some_and(|since| now.duration_since(since) < EMPTY_TURN) {
            return false;
        }
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = &*waker {
            *since = Some(now);
            waker.wake_by_ref();
        }
        waker.is_some()
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
