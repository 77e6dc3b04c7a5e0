//! What becomes of a machine while it runs, and after.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use field_clock::Clock;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use crate::console::Console;
use crate::process::{End, Guarded, last_words};
use crate::qmp::Event;

/// What a console still has to say when its machine has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Life {
    /// Nothing is wrong with it as far as QEMU knows.
    Running,
    /// QEMU made it stand still.
    Halted(Halt),
    /// It is no more.
    Ended(Ended),
}

/// Why QEMU made a machine stand still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The host has no room for what the guest writes to this disk.
    NoRoom {
        /// Which.
        disk: String,
    },
    /// The host cannot write what the guest writes to this disk, or read it.
    DiskFailed {
        /// Which.
        disk: String,
        /// Why not.
        reason: String,
    },
    /// The guest's kernel told its machine that it gave up.
    Panicked,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom { disk } => {
                write!(f, "the host has no room left for disk `{disk}`, so the machine stands still")
            }
            Self::DiskFailed { disk, reason } => {
                write!(f, "disk `{disk}` failed on the host ({reason}), so the machine stands still")
            }
            Self::Panicked => f.write_str("the guest's kernel told its machine that it gave up"),
        }
    }
}

/// How a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How its QEMU did.
    pub process: End,
    /// Why, as QEMU tells it: `guest-shutdown`, `guest-reset`, `host-qmp-quit`; nothing where it could not tell.
    pub reason: Option<String>,
    /// The last words of its QEMU.
    pub said: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "the machine ended ({reason})"),
            None => write!(f, "its QEMU {}: {}", self.process, self.said),
        }
    }
}

/// Follows a machine to its end.
pub(super) struct Supervisor {
    pub(super) process: Guarded,
    pub(super) events: Receiver<Event>,
    pub(super) console: Console,
    pub(super) words: PathBuf,
    pub(super) clock: Clock,
    pub(super) life: watch::Sender<Life>,
}

impl Supervisor {
    pub(super) async fn follow(mut self) {
        let mut reason = None;
        let mut silent = false;
        let process = loop {
            tokio::select! {
                end = self.process.wait() => break end.unwrap_or(End::Code(-1)),
                event = self.events.recv(), if !silent => match event {
                    Ok(event) => self.take(&event, &mut reason),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => silent = true,
                },
            }
        };
        // What was said before the end is read after it.
        while let Ok(event) = self.events.try_recv() {
            self.take(&event, &mut reason);
        }
        // A console that somebody else still holds open has said all the same what it had to say.
        let _ = self.clock.timeout(LAST_WORDS, self.console.end()).await;
        let ended = Ended { process, reason, said: last_words(&self.words) };
        self.life.send_replace(Life::Ended(ended));
    }

    fn take(&self, event: &Event, reason: &mut Option<String>) {
        let life = match event.name.as_str() {
            "BLOCK_IO_ERROR" if event.text("action") == Some("stop") => Life::Halted(disk_failure(event)),
            "GUEST_PANICKED" => Life::Halted(Halt::Panicked),
            "RESUME" => Life::Running,
            "SHUTDOWN" => {
                *reason = event.text("reason").map(str::to_owned);
                return;
            }
            _ => return,
        };
        self.life.send_if_modified(|now| std::mem::replace(now, life.clone()) != life);
    }
}

fn disk_failure(event: &Event) -> Halt {
    let named = |key| event.text(key).filter(|name| !name.is_empty());
    let disk = named("node-name").or_else(|| named("device")).unwrap_or("?").to_owned();
    if event.data.get("nospace").and_then(serde_json::Value::as_bool) == Some(true) {
        return Halt::NoRoom { disk };
    }
    Halt::DiskFailed { disk, reason: named("reason").unwrap_or("no reason told").to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_room_is_told_from_a_disk_that_failed() {
        let event = |nospace: bool| Event {
            name: "BLOCK_IO_ERROR".into(),
            data: serde_json::json!({ "node-name": "root", "nospace": nospace, "reason": "Input/output error" }),
        };
        assert_eq!(disk_failure(&event(true)), Halt::NoRoom { disk: "root".into() });
        let failed = disk_failure(&event(false)).to_string();
        assert_eq!(
            failed,
            "disk `root` failed on the host (Input/output error), so the machine stands still"
        );
    }

    #[test]
    fn an_end_is_told_by_its_reason_or_else_by_the_process() {
        let killed = Ended { process: End::Signal(9), reason: None, said: "it said nothing".into() };
        assert_eq!(killed.to_string(), "its QEMU was ended by SIGKILL: it said nothing");
        let off = Ended { process: End::Code(0), reason: Some("guest-shutdown".into()), said: String::new() };
        assert_eq!(off.to_string(), "the machine ended (guest-shutdown)");
    }
}
