//! What ran with programs that are not on every machine.

use std::io::Write as _;

/// So much ran with this program.
pub(crate) fn ran(name: &str, times: usize) {
    say(&format!("lanes: {name} ran {times}"));
}

/// Nothing ran with this program, and why.
pub(crate) fn did_not_run(name: &str, reason: &str) {
    say(&format!("lanes: {name} did not run ({reason})"));
}

/// A line on the test's own standard output, which the test harness captures only where it is printed by a macro.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The harness may have begun a line; who reads it may be gone.
    let _ = out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush());
}
