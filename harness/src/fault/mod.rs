//! What can be broken and how it is mended: one table of faults and heal verbs.
//!
//! The table (`place/`, a file for each place) says names, parameters and meaning; a [`crate::world::World`] does the work.

mod kind;
mod params;
mod place;

pub use kind::{FaultKind, HealKind, LeadsTo, Need, Param, ParamKind, ParamValue, Params, Shows};
pub(crate) use place::{BOOTSTRAP_RETRY, TIME_PASS};
pub use place::{fault, faults, heal, heals};

use crate::scenario::Milestone;

/// A fault as a scenario uses it; parameters are complete and of the right types.
#[derive(Debug, Clone)]
pub struct FaultUse {
    /// Which.
    pub kind: &'static FaultKind,
    /// With what.
    pub params: Params,
    /// When: at this milestone, or before the install.
    pub at: Option<Milestone>,
}

impl FaultUse {
    /// Its name, `<where>.<what>`.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }
}

/// A heal verb as a scenario uses it; parameters are complete and of the right types.
#[derive(Debug, Clone)]
pub struct HealStep {
    /// Which.
    pub kind: &'static HealKind,
    /// With what.
    pub params: Params,
}

impl HealStep {
    /// Its name, `<where>.<verb>`.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }
}

/// Something that people do on the way, which is no fault: a heal verb at a milestone.
#[derive(Debug, Clone)]
pub struct Act {
    /// What they do.
    pub step: HealStep,
    /// When.
    pub at: Milestone,
}

impl std::fmt::Display for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.step, self.at)
    }
}

impl std::fmt::Display for FaultUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.kind.name, self.params)
    }
}

impl std::fmt::Display for HealStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.kind.name, self.params)
    }
}
