//! A machine that runs.

mod life;
mod memory;
mod snapshot;
mod start;
mod start_error;
mod stop;
mod wait;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use field_clock::Clock;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use life::{Ended, Halt};
pub use memory::MemoryError;
pub use snapshot::{NoTag, SnapshotError, Tag};
pub use start_error::StartError;
pub use stop::{HowStopped, Stopped};
pub use wait::{Awaited, GaveUp, WaitError};

use crate::accelerator::Accelerator;
use crate::console::{Console, Position};
use crate::directory::MachineDirectory;
use crate::network::Wire;
use crate::process::Killer;
use crate::qmp::{Qmp, QmpError};
use crate::specification::Specification;
use life::Life;

/// Where machines run.
#[derive(Debug, Clone)]
pub struct Host {
    /// Holds a directory for each machine while it runs. Sockets lie in it, so its name must be short: less than 60 bytes or so.
    pub base: PathBuf,
    /// What makes their processors; see [`choose`](crate::choose).
    pub accelerator: Accelerator,
    /// By which everything is waited for. A real guest knows only the machine's time.
    pub clock: Clock,
}

/// Whether a guest's card has its cable in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cable {
    /// As if it had been pulled: the guest sees it, too.
    Out,
    /// In again.
    In,
}

/// A machine that runs, until it is stopped or dropped; then nothing of it is left.
#[derive(Debug)]
#[must_use = "a machine that is dropped is switched off"]
pub struct Machine {
    specification: Specification,
    clock: Clock,
    console: Console,
    qmp: Qmp,
    life: watch::Receiver<Life>,
    supervisor: JoinHandle<()>,
    killer: Killer,
    reached: BTreeMap<u16, SocketAddr>,
    pid: u32,
    _wire: Option<Wire>,
    directory: MachineDirectory,
}

impl Machine {
    /// What it was made from.
    #[must_use]
    pub fn specification(&self) -> &Specification {
        &self.specification
    }

    /// Its serial console.
    #[must_use]
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Its monitor, for whatever has no method here.
    #[must_use]
    pub fn qmp(&self) -> &Qmp {
        &self.qmp
    }

    /// Where its files are while it runs.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process id of its QEMU.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where a TCP port of the guest's is reached; nothing for one that is not forwarded. Connections to it are taken from the first
    /// moment on, long before the guest listens: they prove nothing.
    #[must_use]
    pub fn reached_at(&self, guest_port: u16) -> Option<SocketAddr> {
        self.reached.get(&guest_port).copied()
    }

    /// Pulls the cable of its card, or puts it in.
    ///
    /// # Errors
    /// It has no card, or is gone.
    pub async fn cable(&self, cable: Cable) -> Result<(), QmpError> {
        self.qmp.execute("set_link", json!({ "name": "card", "up": cable == Cable::In })).await?;
        Ok(())
    }

    /// Makes its processors stand still; the guest does not notice, and its clock neither.
    ///
    /// # Errors
    /// It is gone.
    pub async fn pause(&self) -> Result<(), QmpError> {
        self.qmp.execute("stop", json!({})).await?;
        Ok(())
    }

    /// Makes its processors go on.
    ///
    /// # Errors
    /// It is gone, or cannot go on.
    pub async fn go_on(&self) -> Result<(), QmpError> {
        self.qmp.execute("cont", json!({})).await?;
        Ok(())
    }

    /// Types a line at the console; returns the position from which an answer can be looked for.
    ///
    /// # Errors
    /// It is gone.
    pub async fn type_line(&self, line: &str) -> std::io::Result<Position> {
        let position = self.console.position();
        self.console.write(&format!("{line}\n")).await?;
        Ok(position)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.killer.kill();
        self.supervisor.abort();
    }
}

/// How long it is since `began`.
fn since(clock: &Clock, began: jiff::Timestamp) -> Duration {
    Duration::try_from(clock.now().duration_since(began)).unwrap_or_default()
}
