//! Pipes between processes.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What a pipe holds before its writer has to wait.
const CAPACITY: usize = 64 << 10;

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    reader_gone: bool,
    writer_gone: bool,
}

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    changed: Notify,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that is read.
#[derive(Debug)]
pub(crate) struct ReadEnd(Arc<Inner>);

/// The end that is written.
#[derive(Debug)]
pub(crate) struct WriteEnd(Arc<Inner>);

/// A new pipe.
pub(crate) fn pipe() -> (ReadEnd, WriteEnd) {
    let inner = Arc::new(Inner::default());
    (ReadEnd(Arc::clone(&inner)), WriteEnd(inner))
}

impl ReadEnd {
    /// Reads what there is; nothing at the end.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> usize {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.0.lock();
                if !state.bytes.is_empty() || state.writer_gone {
                    let length = buffer.len().min(state.bytes.len());
                    for (slot, byte) in buffer.iter_mut().zip(state.bytes.drain(..length)) {
                        *slot = byte;
                    }
                    drop(state);
                    self.0.changed.notify_waiters();
                    return length;
                }
            }
            changed.await;
        }
    }
}

impl Drop for ReadEnd {
    fn drop(&mut self) {
        self.0.lock().reader_gone = true;
        self.0.changed.notify_waiters();
    }
}

impl WriteEnd {
    /// Writes everything.
    pub(crate) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.0.lock();
                if state.reader_gone {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                let room = CAPACITY.saturating_sub(state.bytes.len()).min(bytes.len());
                if room > 0 {
                    state.bytes.extend(&bytes[..room]);
                    bytes = &bytes[room..];
                    drop(state);
                    self.0.changed.notify_waiters();
                    continue;
                }
            }
            changed.await;
        }
        Ok(())
    }
}

impl Drop for WriteEnd {
    fn drop(&mut self) {
        self.0.lock().writer_gone = true;
        self.0.changed.notify_waiters();
    }
}
