//! Facts to status document: detectors, causal order, tiers, rollup; pure.
//!
//! ```text
//! Knowledge ──► View ──► detectors ──► Findings ──► roots and consequences ──┐
//!    facts      owners    one table     graces        causal order           ├─► StatusDocument
//!                 └──────────────────► tiers, components, operations ────────┘
//! ```
//! Start at [`assess`]. Time is what the caller says it is; what has to be remembered between two looks
//! (since when something is wrong, that login was ready once) lives in [`Memory`].

mod bootstrap;
mod causes;
mod detect;
mod document;
mod facts;
mod finding;
mod flux;
mod held;
mod memory;
mod operations;
mod probe;
mod tiers;
mod values;
mod view;

pub use detect::{CEILING, DETECTORS, Detector, Grace, PullCause, explain_pull, is_shared};
pub use document::{assess, flux_summary, says_the_same, unknown};
pub use facts::{
    APPLICATION, BootstrapResult, ClaimFact, Condition, ContainerFact, ContainerState, EventFact, Facts,
    FluxFact, JobFact, Knowledge, LogExcerpt, NodeFact, ObjectKey, Outage, Owner, PLATFORM, PodFact,
    Presence, ProbeFact, ReadState, ServiceFact, Site, StorageClassFact, Termination, Truth, WorkloadFact,
    component_of, condition,
};
pub use finding::{Extent, Finding, Harm, Subject};
pub use memory::Memory;
pub use values::{Chosen, ReleaseValues};
pub use view::View;

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod verdicts;
