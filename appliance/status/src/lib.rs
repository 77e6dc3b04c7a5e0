//! Vocabulary and document of the appliance's status; pure.
//!
//! Start with [`StatusDocument`], the answer of `GET /api/status`. [`BlockerCode`] names every cause the
//! appliance can tell, [`Component`] the nine services with their tiers.

mod blocker;
mod component;
mod document;
mod rollup;
mod tier;

pub use blocker::{Blocker, BlockerCode, Consequence, Severity};
pub use component::{Component, ComponentTier, RELEASES, Release, WorkloadKind};
pub use document::{
    ActiveOperation, Bootstrap, BootstrapJob, BootstrapLogs, BootstrapSeed, Collector, ComponentStatus,
    Diagnostics, EventSummary, FluxCondition, FluxObject, FluxSummary, InvolvedObject, LoginProbe, Operation,
    Overview, ReadFailure, ReleaseSummary, StatusDocument, Urls,
};
pub use rollup::{Rollup, RollupState};
pub use tier::{TierHealth, TierState, Tiers};
