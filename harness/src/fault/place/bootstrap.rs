//! The bootstrap job, and the operator who runs the command again.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::{DNS_SERVERS, MODE};
use crate::world::Capability;

/// Runs the operator's command again; the play does this one, since it hears the command.
pub(crate) const BOOTSTRAP_RETRY: &str = "bootstrap.retry";

pub(super) static FAULTS: &[FaultKind] = &[FaultKind {
    name: "bootstrap.seed-missing",
    summary: "The site's values name a seed directory that the application's image does not have.",
    params: &[],
    healed_by: &["values.restore"],
    receipt: "the bootstrap job was started with that directory",
    leads_to: LeadsTo::Blocker(&["bootstrap-failed"]),
    shows: Shows::Status,
    needs: Capability::Values,
}];

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: BOOTSTRAP_RETRY,
    summary: "Runs the operator's command again, to its end.",
    params: &[MODE, DNS_SERVERS],
    needs: Capability::Values,
}];
