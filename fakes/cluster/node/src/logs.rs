//! What containers write, kept in memory within bounds.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use field_clock::Clock;
use jiff::Timestamp;
use tokio::sync::watch;

/// What is kept of one container; a node rotates logs at 10 MiB.
const KEPT_BYTES: usize = 2 << 20;

#[derive(Debug, Default)]
struct Lines {
    /// Number of the first kept line.
    first: u64,
    kept: VecDeque<(Timestamp, String)>,
    bytes: usize,
    /// Bytes of a line that has no end yet.
    rest: Vec<u8>,
}

#[derive(Debug)]
struct Inner {
    clock: Clock,
    lines: Mutex<Lines>,
    written: watch::Sender<u64>,
}

/// Where a container's output goes: whole lines, each with its moment. Clones write to the same log.
#[derive(Clone)]
pub struct LogSink {
    inner: Arc<Inner>,
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSink")
    }
}

impl LogSink {
    /// An empty log.
    pub fn new(clock: Clock) -> Self {
        let inner = Inner { clock, lines: Mutex::default(), written: watch::Sender::new(0) };
        Self { inner: Arc::new(inner) }
    }

    /// Writes one line; a text with line ends is several.
    pub fn line(&self, text: &str) {
        let now = self.inner.clock.now();
        let mut lines = self.lock();
        for line in text.split('\n') {
            push(&mut lines, now, line.to_owned());
        }
        drop(lines);
        self.inner.written.send_modify(|count| *count += 1);
    }

    /// Writes bytes as a process does; lines end at `\n`.
    pub fn write(&self, bytes: &[u8]) {
        let now = self.inner.clock.now();
        let mut lines = self.lock();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            lines.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let mut whole = std::mem::take(&mut lines.rest);
                whole.pop();
                push(&mut lines, now, String::from_utf8_lossy(&whole).into_owned());
            }
        }
        drop(lines);
        self.inner.written.send_modify(|count| *count += 1);
    }

    /// The whole lines that are kept.
    pub fn lines(&self) -> Vec<String> {
        self.lock().kept.iter().map(|(_, line)| line.clone()).collect()
    }

    /// The lines from number `from` on, and the number after the last.
    pub(crate) fn read_from(&self, from: u64) -> (Vec<(Timestamp, String)>, u64) {
        let lines = self.lock();
        let skip = usize::try_from(from.saturating_sub(lines.first)).unwrap_or(usize::MAX);
        let end = lines.first + lines.kept.len() as u64;
        (lines.kept.iter().skip(skip).cloned().collect(), end)
    }

    /// Wakes whenever something was written.
    pub(crate) fn written(&self) -> watch::Receiver<u64> {
        self.inner.written.subscribe()
    }

    /// The end of the log, as `FallbackToLogsOnError` takes it.
    pub(crate) fn tail(&self, most_lines: usize, most_bytes: usize) -> String {
        let lines = self.lock();
        let skip = lines.kept.len().saturating_sub(most_lines);
        let mut text: String =
            lines.kept.iter().skip(skip).flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
        while text.len() > most_bytes {
            let cut = text.find('\n').map_or(text.len(), |at| at + 1);
            text.drain(..cut);
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.inner.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push(lines: &mut Lines, now: Timestamp, line: String) {
    lines.bytes += line.len() + 1;
    lines.kept.push_back((now, line));
    while lines.bytes > KEPT_BYTES {
        let Some((_, gone)) = lines.kept.pop_front() else { break };
        lines.bytes -= gone.len() + 1;
        lines.first += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::LogSink;
    use field_clock::Clock;

    #[test]
    fn bytes_become_lines_at_their_ends() {
        let log = LogSink::new(Clock::wall());
        log.write(b"one\ntw");
        log.write(b"o\nrest");
        let (lines, next) = log.read_from(0);
        assert_eq!(lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(next, 2);
        assert_eq!(log.tail(1, 100), "two\n");
    }

    #[test]
    fn a_log_forgets_its_beginning_when_it_is_long() {
        let log = LogSink::new(Clock::wall());
        for _ in 0..100 {
            log.line(&"x".repeat(100_000));
        }
        let (lines, next) = log.read_from(0);
        assert_eq!(next, 100);
        assert!(lines.len() < 25);
    }
}
