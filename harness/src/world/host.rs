//! The machine below a world's Kubernetes, from its power button on, as far as a cause can be set in it.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::machine::Done;

/// A moment on a machine's way at which something can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Stage {
    /// It has a configuration and writes itself to its disk.
    Installing,
    /// Its services start, and it knows those who call it.
    Booting,
    /// It was told to make its cluster.
    Bootstrapped,
}

/// What became of somebody who came to a machine's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Became {
    /// The connection was taken, and nothing was said.
    Unanswered,
    /// One of the two did not trust the other.
    Distrusted,
    /// The two have talked.
    Heard,
}

/// Somebody who came to a machine's API.
#[derive(Debug, Clone)]
pub(in crate::world) struct Visit {
    pub(in crate::world) at: Timestamp,
    pub(in crate::world) became: Became,
    /// In words.
    pub(in crate::world) what: String,
}

/// A line of a machine's console.
#[derive(Debug, Clone)]
pub(in crate::world) struct Told {
    pub(in crate::world) at: Timestamp,
    pub(in crate::world) what: String,
}

/// In a world's identity: the calls that its machine has answered, separated by blanks.
pub(crate) const METHODS: &str = "machineMethods";
/// In a world's identity: what its machine's console said, as a sum.
pub(crate) const CONSOLE: &str = "sha256 console";

/// What a machine's console says first.
const BEGINS: &str = "booting Talos";

/// The starts that followed when somebody pressed the reset button, as the console tells them.
pub(in crate::world) fn started_again(pressed: &[Timestamp], console: &[Told]) -> Vec<Told> {
    let first = |at: &Timestamp| console.iter().find(|it| it.at >= *at && it.what.contains(BEGINS));
    pressed.iter().filter_map(first).cloned().collect()
}

/// A machine with an installer; what it is asked for is done when it answers.
#[async_trait(?Send)]
pub(in crate::world) trait Host {
    /// Its disk has Talos on it already, written there from a disk image; it waits for its configuration.
    async fn write_image(&self) -> Done;

    /// Its API takes connections and answers nobody.
    async fn fall_silent(&self) -> Done;

    /// The cable of its card is pulled.
    async fn unplug(&self) -> Done;

    /// The cable is in again.
    async fn plug_in(&self) -> Done;

    /// The medium that it was started from stays in it, and is what it starts from.
    async fn leave_medium_in(&self) -> Done;

    /// The medium is taken out, and it is started again.
    async fn take_medium_out(&self) -> Done;

    /// It is started again, by its reset button; its API answers then.
    async fn restart(&self) -> Done;

    /// It is started again as soon as it has come that far.
    async fn restart_at(&self, stage: Stage) -> Done;

    /// Somebody else configured it before, with secrets of their own.
    async fn configure_as_another(&self) -> Done;

    /// Its disk is wiped, and it is started again: it waits for a configuration.
    async fn wipe(&self) -> Done;

    /// Its disk takes nothing more.
    async fn fill_disk(&self) -> Done;

    /// Its disk takes everything again.
    async fn free_disk(&self) -> Done;

    /// It has only so much memory, in MiB; whatever the machine started since was started with that.
    async fn leave_memory(&self, mebibytes: u64) -> Done;

    /// It has all of its memory again, and is started again.
    async fn add_memory(&self) -> Done;

    /// Its clock is ahead of everybody's by that, from when it starts next.
    async fn set_clock_ahead(&self, by: Duration) -> Done;

    /// Credentials of another machine, as a file.
    async fn write_credentials_of_another(&self, to: &Path) -> Done;

    /// The registry that its installer comes from.
    fn installer_host(&self) -> &str;

    /// Who came to its API so far, and what became of them.
    async fn visits(&self) -> Done<Vec<Visit>>;

    /// Whether it has taken a configuration from anybody since it was put into its site.
    async fn is_configured(&self) -> Done<bool>;

    /// When it began anew because its reset button was pressed at a stage, as its console tells it.
    async fn restarts(&self) -> Done<Vec<Told>>;

    /// What its console said since it was started.
    async fn console(&self) -> Done<Vec<Told>>;
}
