//! What is wanted of a machine, said by whoever wants it; nothing is checked yet.

mod boot;
mod disk;

use std::num::NonZeroU8;

use jiff::Timestamp;

pub use boot::Boot;
pub use disk::{Disk, DiskTrouble, Format, Source};

use crate::architecture::Architecture;
use crate::network::Network;
use crate::specification::{Specification, WishError};

/// Enough for a kernel and a shell.
const MEMORY: Mebibytes = Mebibytes(256);

/// So many mebibytes (1 MiB = 1,048,576 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mebibytes(pub u32);

/// What a guest's battery-backed clock says when the machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GuestTime {
    /// The host's time, in UTC, also after a snapshot was restored.
    #[default]
    Host,
    /// This moment; it goes on from there as fast as the host's.
    From(Timestamp),
}

/// What becomes of a machine whose guest restarts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reboots {
    /// It boots again.
    #[default]
    Again,
    /// It ends, as if it had been switched off: a surprise is not mistaken for the first boot.
    End,
}

/// What is wanted of a machine.
///
/// ```
/// use smoke_vm::{Boot, Disk, Mebibytes, Wish};
/// let wish = Wish::new("node", Boot::kernel("vmlinuz", "console=ttyS0").initrd("initramfs"))
///     .memory(Mebibytes(512))
///     .disk(Disk::blank("data", Mebibytes(64)));
/// let specification = wish.specify()?;
/// assert_eq!(specification.name(), "node");
/// # Ok::<(), smoke_vm::WishError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a wish becomes a machine by `specify`"]
pub struct Wish {
    pub(crate) name: String,
    pub(crate) architecture: Architecture,
    pub(crate) memory: Mebibytes,
    pub(crate) processors: NonZeroU8,
    pub(crate) boot: Boot,
    pub(crate) disks: Vec<Disk>,
    pub(crate) network: Network,
    pub(crate) time: GuestTime,
    pub(crate) reboots: Reboots,
}

impl Wish {
    /// A machine of the host's architecture with one processor, 256 MiB, and neither disks nor network.
    pub fn new(name: &str, boot: Boot) -> Self {
        Self {
            name: name.to_owned(),
            architecture: Architecture::of_the_host(),
            memory: MEMORY,
            processors: NonZeroU8::MIN,
            boot,
            disks: Vec::new(),
            network: Network::None,
            time: GuestTime::default(),
            reboots: Reboots::default(),
        }
    }

    /// The same with another architecture than the host's: only interpreted, never accelerated.
    pub fn architecture(mut self, architecture: Architecture) -> Self {
        self.architecture = architecture;
        self
    }

    /// The same with so much memory.
    pub fn memory(mut self, memory: Mebibytes) -> Self {
        self.memory = memory;
        self
    }

    /// The same with so many processors.
    pub fn processors(mut self, processors: NonZeroU8) -> Self {
        self.processors = processors;
        self
    }

    /// The same with one more disk; the guest finds them in this order, and snapshots are kept in the first that is written.
    pub fn disk(mut self, disk: Disk) -> Self {
        self.disks.push(disk);
        self
    }

    /// The same with this network.
    pub fn network(mut self, network: impl Into<Network>) -> Self {
        self.network = network.into();
        self
    }

    /// The same with another time in its battery-backed clock.
    pub fn time(mut self, time: GuestTime) -> Self {
        self.time = time;
        self
    }

    /// The same with another answer to a guest that restarts it.
    pub fn reboots(mut self, reboots: Reboots) -> Self {
        self.reboots = reboots;
        self
    }

    /// Checks the wish as a whole.
    ///
    /// # Errors
    /// It contradicts itself, or no machine could be like that.
    pub fn specify(self) -> Result<Specification, WishError> {
        Specification::of(self)
    }
}
