//! Plays scenarios in worlds, several at once, and gathers what came of them.
//!
//! ```text
//!   runner (main thread) ── dispatches jobs, judges with controls, tells the reporter
//!      └─ a thread per job: directory ─ factory.play ─┬─ play: inject, bootstrap, watch, heal, evidence, down
//!                                                     └─ recorder
//! ```

mod budgets;
mod controls;
pub mod directory;
mod evidence;
mod exit;
mod job;
mod outcome;
mod panics;
mod plan;
mod play;
mod receipts;
mod runner;
mod schedule;
mod stop;
mod taping;
mod watch;

pub use budgets::Budgets;
pub use exit::ExitStatus;
pub use outcome::{Kept, Outcome, Summary};
pub use plan::{Keep, Plan, Voice};
pub use runner::{RunError, Runner};
pub use stop::Stop;
