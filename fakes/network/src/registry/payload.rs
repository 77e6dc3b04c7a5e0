//! The body of an answer: whole, slow, or broken off.

use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use field_clock::Clock;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

use super::receipt::{OpenReceipt, Progress};

/// How much goes to the connection at a time.
const CHUNK: usize = 64 * 1024;
/// A slow body comes in at most about so many pieces, or a big one would cost a piece of work for every second of field time.
const SLOW_PIECES: u64 = 128;

/// Breaks a connection once all that was written before has left; see [`Switch::cut`].
#[derive(Debug, Default)]
pub(crate) struct Switch {
    thrown: AtomicBool,
    flushed: Notify,
}

impl Switch {
    /// The connection is to break at the next flush.
    fn throw(&self) {
        self.thrown.store(true, Ordering::Release);
    }

    /// Says that all that was written has left.
    pub(crate) fn flushed(&self) {
        if self.thrown.load(Ordering::Acquire) {
            self.flushed.notify_one();
        }
    }

    /// Waits until the connection is to be broken.
    pub(crate) async fn cut(&self) {
        self.flushed.notified().await;
    }
}

/// The pace of a slow body.
struct Pace {
    clock: Clock,
    bytes_per_second: NonZeroU64,
    piece: usize,
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Pace {
    fn new(clock: Clock, bytes_per_second: NonZeroU64, length: usize) -> Self {
        let piece = bytes_per_second.get().max(length as u64 / SLOW_PIECES);
        let piece = usize::try_from(piece).unwrap_or(usize::MAX).clamp(1, CHUNK.max(length));
        Self { clock, bytes_per_second, piece, wait: None }
    }

    /// Waits as long as these bytes take; once for each piece.
    fn poll(&mut self, bytes: usize, context: &mut Context<'_>) -> Poll<()> {
        let wait = self.wait.get_or_insert_with(|| {
            let clock = self.clock.clone();
            let time = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second.get() as f64);
            Box::pin(async move { clock.sleep(time).await })
        });
        ready!(wait.as_mut().poll(context));
        self.wait = None;
        Poll::Ready(())
    }
}

/// A body that keeps its receipt up to date.
pub(crate) struct Payload {
    left: Bytes,
    pace: Option<Pace>,
    /// Present in a body that ends with a broken connection.
    switch: Option<Arc<Switch>>,
    /// What is still to come of the length that the headers promise.
    promised: u64,
    receipt: OpenReceipt,
}

impl Payload {
    pub(crate) fn new(bytes: Bytes, receipt: OpenReceipt) -> Self {
        let promised = bytes.len() as u64;
        Self { left: bytes, pace: None, switch: None, promised, receipt }
    }

    pub(crate) fn slowed(mut self, clock: &Clock, bytes_per_second: NonZeroU64) -> Self {
        self.pace = Some(Pace::new(clock.clone(), bytes_per_second, self.left.len()));
        self
    }

    /// The same promise, but the connection breaks after so many bytes.
    pub(crate) fn cut(mut self, after: u64, switch: Arc<Switch>) -> Self {
        self.left.truncate(usize::try_from(after).unwrap_or(usize::MAX));
        self.switch = Some(switch);
        self
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if this.left.is_empty() {
            let Some(switch) = &this.switch else { return Poll::Ready(None) };
            // The server flushes when a body makes it wait, and then the connection goes; nobody has to wake this body again.
            switch.throw();
            return Poll::Pending;
        }
        let mut size = this.left.len().min(CHUNK);
        if let Some(pace) = &mut this.pace {
            size = this.left.len().min(pace.piece);
            ready!(pace.poll(size, context));
        }
        this.receipt.sent(size as u64);
        this.promised -= size as u64;
        Poll::Ready(Some(Ok(Frame::data(this.left.split_to(size)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.switch.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        match (&self.switch, self.left.is_empty()) {
            (Some(_), true) => self.receipt.end(Progress::Cut),
            (None, true) => self.receipt.end(Progress::Complete),
            (_, false) => {}
        }
    }
}
