//! What a release installs.

use super::super::kind::{FaultKind, LeadsTo, Shows};
use super::super::params::VALUES_IMAGE;
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[FaultKind {
    name: "release.image-drift",
    summary: "Somebody publishes another build of an image and sets it on its workload by hand, past the release's values.",
    params: &[VALUES_IMAGE],
    healed_by: &["flux.repair"],
    receipt: "the registry told the node which manifest that build's tag means",
    leads_to: LeadsTo::Blocker(&["release-drift"]),
    shows: Shows::Status,
    needs: Capability::Registry,
}];
