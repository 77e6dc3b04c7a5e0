//! What happened, in order: append-only, in field time, a JSON line per event.
//!
//! The recorder and the runner write it through a [`Journal`]; the judge, reports and people read it.

mod claims;
mod digest;
mod event;
mod install;
mod journal;
mod span;

pub use claims::{ClaimedBlocker, ClaimedFault, ClaimedTransient, Claims};
pub use digest::{Digests, digests};
pub use event::{Answer, Event, Header, Phase, ReceiptNote, Target, VERSION, What};
pub use install::is_healthy;
pub use journal::{Journal, Timeline, TimelineError};
pub use span::{elapsed, offset};
