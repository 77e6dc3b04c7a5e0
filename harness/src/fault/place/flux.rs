//! Flux.

use super::super::kind::HealKind;
use super::super::params::RELEASE;
use crate::world::Capability;

pub(super) static HEALS: &[HealKind] = &[
    HealKind {
        name: "flux.reconcile",
        summary: "Asks Flux to reconcile a release now, even where it has stalled.",
        params: &[RELEASE],
        needs: Capability::Flux,
    },
    HealKind {
        name: "flux.repair",
        summary: "Repairs a release: asks Flux to apply it again although nothing of it changed.",
        params: &[RELEASE],
        needs: Capability::Flux,
    },
];
