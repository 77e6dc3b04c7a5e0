//! Service links.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::{LINKED_COMPONENT, SERVICE};
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[FaultKind {
    name: "service-links.enabled",
    summary: "The site's values switch service links on for a program that reads a variable of the same name as one of them.",
    params: &[LINKED_COMPONENT, SERVICE],
    healed_by: &["values.restore", "service-links.disable"],
    receipt: "a container of the component was started with `…_PORT=tcp://…` for that Service",
    leads_to: LeadsTo::Blocker(&["service-link"]),
    shows: Shows::Status,
    needs: Capability::Values,
}];

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: "service-links.disable",
    summary: "Disables service links in a component's Deployment, which restarts it.",
    params: &[LINKED_COMPONENT],
    needs: Capability::Values,
}];
