//! Values of releases: the appliance's, and the site's own.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::RELEASE;
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[FaultKind {
    name: "values.deleted",
    summary: "The ConfigMap with a release's values is deleted as soon as it is there.",
    params: &[RELEASE],
    healed_by: &["values.put-back", "bootstrap.retry"],
    receipt: "Flux looked for the values and did not find them",
    leads_to: LeadsTo::Blocker(&["config-missing"]),
    shows: Shows::Status,
    needs: Capability::Values,
}];

pub(super) static HEALS: &[HealKind] = &[
    HealKind {
        name: "values.restore",
        summary: "Takes away the site's own values of a release; `bootstrap.retry` applies what is left.",
        params: &[RELEASE],
        needs: Capability::Values,
    },
    HealKind {
        name: "values.put-back",
        summary: "Puts the ConfigMap with a release's values back as it was.",
        params: &[RELEASE],
        needs: Capability::Values,
    },
];
