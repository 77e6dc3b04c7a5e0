//! Temporal.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[FaultKind {
    name: "temporal.no-autosetup",
    summary: "The site's values start Temporal without the step that makes its schema.",
    params: &[],
    healed_by: &["values.restore", "temporal.run-autosetup"],
    receipt: "a container of Temporal was started without `autosetup`",
    leads_to: LeadsTo::Blocker(&["temporal-schema"]),
    shows: Shows::Status,
    needs: Capability::Values,
}];

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: "temporal.run-autosetup",
    summary: "Lets Temporal's Deployment run the step that makes its schema, which restarts it.",
    params: &[],
    needs: Capability::Values,
}];
