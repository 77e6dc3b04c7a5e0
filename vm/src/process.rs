//! QEMU as a process that does not outlive us, whatever becomes of us.
//!
//! ```text
//!   we ──pipe──▶ guard (a shell, leader of a group of its own)
//!                  ├── QEMU
//!                  └── watcher: reads the pipe; at its end we are gone, so it kills QEMU and removes the directory
//! ```
//! The kernel closes the pipe when we end, also by SIGKILL; no signal of a terminal reaches the group. A guard that is killed
//! with us takes nothing along: what it leaves the next sweep of the directory finds.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdin, Command};

use crate::directory::record_process;

/// With what a shell ends when there is no such program.
pub(crate) const NOT_FOUND: End = End::Code(127);
/// How many lines of QEMU's own are told.
const WORDS: usize = 4;
/// What QEMU says on every good day.
const IDLE_TALK: [&str; 3] = ["hub 0 with no nics", "hub port", "module ui-ui-"];

/// `$1` is the directory, the rest the program; what a shell itself has to say of its children nobody needs. A watcher that has begun to clear up is not ended by the guard.
const GUARD: &str = r#"
directory=$1
shift
exec 3<&0
"$@" </dev/null 3<&- &
machine=$!
exec >/dev/null 2>&1
echo "$machine" >"$directory/pid"
{
    read -r _ <&3
    trap '' TERM
    kill -KILL "$machine"
    rm -rf "$directory"
} &
watcher=$!
exec 3<&-
wait "$machine"
code=$?
kill "$watcher"
wait "$watcher"
exit "$code"
"#;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl End {
    /// Of a shell's, whose codes above 128 are the signals of what it ran.
    fn of(status: ExitStatus) -> Self {
        match (status.signal(), status.code()) {
            (Some(signal), _) => Self::Signal(signal),
            (None, Some(code)) if code > 128 => Self::Signal(code - 128),
            (None, code) => Self::Code(code.unwrap_or_default()),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "ended with code {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "was ended by {signal}"),
                Err(_) => write!(f, "was ended by signal {number}"),
            },
        }
    }
}

/// Ends a guarded program, as long as it is ours to end. Clones end the same.
#[derive(Debug, Clone)]
pub(crate) struct Killer(Arc<Mutex<Option<Target>>>);

#[derive(Debug, Clone, Copy)]
struct Target {
    /// The guard, which leads the group.
    leader: Pid,
    /// The program, once it is known.
    program: Option<Pid>,
}

impl Killer {
    /// Now it is known whom the guard guards.
    pub(crate) fn aim(&self, program: Pid) {
        if let Some(target) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            target.program = Some(program);
        }
    }

    /// Ends the program; its guard then takes it off the system's list, and ends too.
    pub(crate) fn kill(&self) {
        match self.target() {
            Some(Target { program: Some(program), .. }) => {
                // What has just ended needs no signal.
                let _ = kill(program, Signal::SIGKILL);
            }
            Some(Target { program: None, .. }) => self.kill_all(),
            None => {}
        }
    }

    /// Ends the program and its guard.
    fn kill_all(&self) {
        if let Some(target) = self.target() {
            let _ = killpg(target.leader, Signal::SIGKILL);
        }
    }

    fn target(&self) -> Option<Target> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A program that ends with us; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Guarded {
    child: Child,
    killer: Killer,
    _lifeline: Option<ChildStdin>,
}

impl Guarded {
    /// Starts a program that lives in `directory` and says what it has to say into `words`.
    pub(crate) fn start(
        program: &str,
        arguments: &[String],
        directory: &Path,
        words: &Path,
    ) -> io::Result<Self> {
        let words = File::create(words)?;
        let mut child = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard"])
            .arg(directory)
            .arg(program)
            .args(arguments)
            // By this a sweep finds even what was not recorded yet.
            .env("HOME", directory)
            .stdin(Stdio::piped())
            .stdout(words.try_clone()?)
            .stderr(words)
            .process_group(0)
            .spawn()?;
        let leader = child.id();
        if let Some(leader) = leader {
            record_process(directory, leader)?;
        }
        let leader = leader.and_then(|leader| i32::try_from(leader).ok()).map(Pid::from_raw);
        let target = leader.map(|leader| Target { leader, program: None });
        let lifeline = child.stdin.take();
        Ok(Self { child, killer: Killer(Arc::new(Mutex::new(target))), _lifeline: lifeline })
    }

    /// Waits for its end.
    ///
    /// # Cancel safety
    /// It can be waited for again.
    pub(crate) async fn wait(&mut self) -> io::Result<End> {
        let status = self.child.wait().await?;
        self.killer.forget();
        Ok(End::of(status))
    }

    pub(crate) fn killer(&self) -> Killer {
        self.killer.clone()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The pipe goes with us, too: a guard that still lives clears up behind its program.
        self.killer.kill();
    }
}

/// The end of what QEMU said of itself, in one line.
pub(crate) fn last_words(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let telling = |line: &&str| !line.trim().is_empty() && !IDLE_TALK.iter().any(|idle| line.contains(idle));
    let lines: Vec<&str> = text.lines().filter(telling).collect();
    match &lines[lines.len().saturating_sub(WORDS)..] {
        [] => "it said nothing".to_owned(),
        last => last.join(" | "),
    }
}

#[cfg(test)]
mod tests;
