//! The application's Secrets.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::{SECRET, SECRET_KEY, USER};
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[
    FaultKind {
        name: "secret.missing",
        summary: "A Secret of the application, or a key in it, is deleted as soon as it is there; where only a container can \
            tell, those who read it start anew. Of `db-credentials` before an install: the volume of an earlier one is there, and \
            its Secret is not.",
        params: &[SECRET, SECRET_KEY],
        healed_by: &["secret.restore"],
        receipt: "the Secret was there and is gone; of a key, or of the application's own Secret: a container was not created for want of it",
        leads_to: LeadsTo::Blocker(&["credentials", "config-missing"]),
        shows: Shows::Status,
        needs: Capability::Objects,
    },
    FaultKind {
        name: "secret.wrong-password",
        summary: "`db-credentials` holds passwords of another install than the volume's, and who uses them starts anew; \
            before an install, the volume and the Secret of two earlier ones are there.",
        params: &[USER],
        healed_by: &["secret.restore"],
        receipt: "a container was started with such a password",
        leads_to: LeadsTo::Blocker(&["credentials"]),
        shows: Shows::Status,
        needs: Capability::Objects,
    },
];

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: "secret.restore",
    summary: "Puts a Secret back as it belongs to the volume, from the site's backup.",
    params: &[SECRET],
    needs: Capability::Objects,
}];
