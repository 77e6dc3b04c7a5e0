//! Bytes under way on the world's loopback addresses.

use std::fs;
use std::time::{Duration, Instant};

/// Bytes that nobody has fetched for this long are left on purpose.
const LEFT_ON_PURPOSE: Duration = Duration::from_millis(3);

/// The world's part of 127.0.0.0/8.
pub(crate) struct Loopback {
    /// The first three bytes as the system's socket table prints them.
    suffix: String,
    waiting: Vec<String>,
    since: Instant,
}

impl Loopback {
    pub(crate) fn new(prefix: [u8; 3]) -> Self {
        let [a, b, c] = prefix;
        Self { suffix: format!("{c:02X}{b:02X}{a:02X}:"), waiting: Vec::new(), since: monotonic() }
    }

    /// No socket of this world has unread bytes, or only such as have been left for a while.
    pub(crate) fn drained(&mut self) -> bool {
        let Ok(table) = fs::read_to_string("/proc/net/tcp") else { return true };
        let waiting: Vec<String> = table.lines().filter_map(|line| self.unread(line)).collect();
        if waiting.is_empty() {
            self.waiting.clear();
            return true;
        }
        if waiting != self.waiting {
            self.waiting = waiting;
            self.since = monotonic();
            return false;
        }
        monotonic().duration_since(self.since) > LEFT_ON_PURPOSE
    }

    /// A line of the table, if it is a connection of this world with unread bytes: its ends and how many.
    fn unread(&self, line: &str) -> Option<String> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
        let queues = fields.next()?;
        let ours = |address: &str| address.get(2..9).is_some_and(|rest| rest == self.suffix);
        let (_, received) = queues.split_once(':')?;
        let established = state == "01";
        (established && received != "00000000" && (ours(local) || ours(remote)))
            .then(|| format!("{local} {remote} {received}"))
    }
}

#[expect(clippy::disallowed_methods, reason = "how long bytes have been left is a question to the machine")]
fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::Loopback;

    #[test]
    fn only_unread_bytes_of_this_world_count() {
        let world = Loopback::new([127, 83, 12]);
        let line = "  1: 010C537F:1F90 020C537F:A000 01 00000000:00000010 00:00000000 00000000 0 0 1";
        assert!(world.unread(line).is_some());
        assert!(world.unread(&line.replace("00000010", "00000000")).is_none());
        assert!(Loopback::new([127, 83, 13]).unread(line).is_none());
    }
}
