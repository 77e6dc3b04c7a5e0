//! One clock for a simulated world.
//!
//! # The contract
//!
//! *Field time* is the only time that a simulated world knows: objects, events, logs, evidence and budgets carry it.
//! A world runs on one thread ([`FieldRuntime`]); a second thread, the driver, moves its clock by three rules.
//!
//! 1. **Under way: never faster than the machine.** While the world's thread has a task to run, field time stands still
//!    (a world that is busy without a pause for [`driver::BUSY_GRACE`] is charged the machine's time, in capped steps,
//!    so that a livelock shows). While somebody holds the clock ([`Clock::hold`]: a request to a process outside, a process
//!    that does not listen yet) field time runs with the machine's, less what the host withheld: a tracked process
//!    that waits for a processor is not charged, one that sleeps or computes is.
//! 2. **Quiet: jump.** All is quiet when the world's thread is parked, no hold exists, every tracked process and its
//!    children have slept between two looks at them, and no packet is under way between two sockets. Then field time becomes the
//!    next deadline, as fast as [`Options::speed`] permits; and no faster than [`driver::AMONG_STRANGERS`] times the machine's time
//!    while somebody says that a program which lives by that has a part in it ([`Clock::among_strangers`]).
//! 3. **Order is by deadline.** Sleepers with the same deadline wake in the order in which they went to sleep.
//!
//! The clock sees threads, processes and sockets; it never reads a document that the world serves.
//!
//! ```
//! use std::time::Duration;
//! let world = field_clock::FieldRuntime::start(field_clock::Options::default())?;
//! let clock = world.clock().clone();
//! let before = clock.now();
//! world.block_on(async { clock.sleep(Duration::from_secs(960)).await });
//! assert!(clock.now().duration_since(before) >= jiff::SignedDuration::from_secs(960));
//! # Ok::<(), std::io::Error>(())
//! ```

mod backlog;
mod clock;
pub mod driver;
mod lull;
mod processes;
mod runtime;
mod table;
mod timers;

pub use clock::{Clock, Elapsed, Hold, Strangers, Tracked};
pub use runtime::{FieldRuntime, HEAD_START, Options};
