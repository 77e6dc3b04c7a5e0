//! Time to diagnosis: from the API server's write that completes the evidence to the document that names the blocker.
//!
//! ```text
//!   signals    for each code: which write completes its evidence, and the grace that its detector may take
//!   attendant  beside the recorder: sees every write, then listens to /api/events until the blocker is named
//!   figures    from a timeline: each blocker's time, with its grace and without; median, p99, most
//! ```
//! Why it is measured like this is in `docs/decisions/0008`.

mod attendant;
mod figures;
mod objects;
mod signals;

pub use attendant::Attention;
pub(crate) use attendant::attend;
pub use figures::{Diagnosis, Spread, diagnoses};
pub use signals::{Begins, Kind, Own, SIGNALS, Signal, signals};
