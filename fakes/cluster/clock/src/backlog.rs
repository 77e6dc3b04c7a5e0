//! Packets under way between two sockets of this machine.
//!
//! A packet to a loopback address is handed over before `send` returns, unless the system is short of processors: then it
//! waits in a backlog, and the thread that it is for looks asleep. The table of sockets would tell as well, but reading
//! it takes milliseconds on a machine with much memory.

use crate::table::TableFile;

/// The column that holds the length of a processor's backlog (Linux 5.10 and later).
const BACKLOG: usize = 11;

/// The system's word on them.
#[derive(Debug)]
pub(crate) struct Backlog(Option<TableFile>);

impl Backlog {
    pub(crate) fn open() -> Self {
        Self(TableFile::open("/proc/net/softnet_stat"))
    }

    /// No packet waits to be handed over; true where the system does not say.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().and_then(|table| table.with(none_waiting)).unwrap_or(true)
    }
}

fn none_waiting(table: &str) -> bool {
    table.lines().all(|line| {
        line.split_ascii_whitespace()
            .nth(BACKLOG)
            .is_none_or(|length| u32::from_str_radix(length, 16) == Ok(0))
    })
}

#[cfg(test)]
mod tests {
    use super::none_waiting;

    #[test]
    fn a_backlog_on_any_processor_counts() {
        let idle = "00000010 0 0 0 0 0 0 0 0 0 0 00000000 00000000 00000000 00000000\n";
        assert!(none_waiting(idle));
        let busy = "00000010 0 0 0 0 0 0 0 0 0 0 00000002 00000001 00000002 00000000\n";
        assert!(!none_waiting(&format!("{idle}{busy}")));
    }
}
