//! Files in volumes, and who provides them.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::KEEPER;
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[FaultKind {
    name: "volume.subpath-dangling",
    summary: "Where a component's directory should be in its volume, there is a link that leads nowhere.",
    params: &[KEEPER],
    healed_by: &["volume.repair"],
    receipt: "the link lies in the volume, and a container that mounts it was not created",
    leads_to: LeadsTo::Blocker(&["postgres-storage", "storage-init"]),
    shows: Shows::Status,
    needs: Capability::Volumes,
}];

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: "volume.repair",
    summary: "Puts a directory in the place of what is in its place in a component's volume.",
    params: &[KEEPER],
    needs: Capability::Volumes,
}];
