//! What a release installs.

use super::super::kind::{FaultKind, LeadsTo, Shows};
use super::super::params::{OWN_SERVICE, VALUES_IMAGE};
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[
    FaultKind {
        name: "release.image-drift",
        summary: "Somebody publishes another build of an image and sets it on its workload by hand, past the release's values.",
        params: &[VALUES_IMAGE],
        healed_by: &["flux.repair"],
        receipt: "the registry told the node which manifest that build's tag means",
        leads_to: LeadsTo::Blocker(&["release-drift"]),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "release.selector-drift",
        summary: "Somebody points a Service by hand at pods that do not exist; connections that stand go on, and no new one comes about.",
        params: &[OWN_SERVICE],
        healed_by: &["flux.repair"],
        receipt: "no endpoint stands behind the Service any more",
        leads_to: LeadsTo::Blocker(&["workload", "background-workload"]),
        shows: Shows::Status,
        needs: Capability::Objects,
    },
];
