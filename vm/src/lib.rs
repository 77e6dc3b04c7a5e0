//! QEMU machines: what is wanted, what is specified, what runs.
//!
//! ```text
//!   Wish ──specify──▶ Specification ──start──▶ Machine ── console    lines: recorded, searched, waited for
//!    what is wanted    checked; becomes         │         ── qmp       commands, jobs, events
//!                      QEMU's arguments         │         ── wire      every frame between the guest and its services
//!                                               └ save, restore · cable · pause · stop, kill
//! ```
//! Start with [`choose`] (which accelerator really works here), [`Wish`] and [`Machine::start`]; then wait with
//! [`Machine::wait_for`], the only wait there is: it gives up early and tells the console's last lines.
//!
//! A machine ends with its handle, with its process (also one that is killed), or with the next [`sweep`]; its directory and every
//! process of it go with it. It knows the machine's time only: the [`Clock`](field_clock::Clock) of a [`Host`] is that of the wall.
//! docs/vm.md has sizes, times, and how to add a fault.

mod accelerator;
mod architecture;
mod console;
mod directory;
mod images;
mod machine;
mod network;
mod process;
mod qmp;
mod specification;
mod wish;

pub use accelerator::{Accelerator, Chosen, PROBE_LIMIT, ProbeError, choose, probe};
pub use architecture::Architecture;
pub use console::{Console, Position};
pub use directory::{DirectoryError, Swept, sweep};
pub use images::{ImageError, make_blank, make_overlay};
pub use machine::{
    Awaited, Cable, Ended, GaveUp, Halt, Host, HowStopped, Machine, MemoryError, NoTag, SnapshotError,
    StartError, Stopped, Tag, WaitError,
};
pub use network::{GATEWAY, GUEST, Network, RESOLVER, Service, UserNetwork};
pub use process::End;
pub use qmp::{Event, Qmp, QmpError};
pub use specification::{Specification, WishError};
pub use wish::{Boot, Disk, DiskTrouble, Format, GuestTime, Mebibytes, Reboots, Source, Wish};
