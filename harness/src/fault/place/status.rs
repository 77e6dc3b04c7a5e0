//! The status service.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::TIMES;
use crate::world::Capability;

const DISTURBED: LeadsTo = LeadsTo::Nothing("a page that was gone for a moment comes back and says the same");

pub(super) static FAULTS: &[FaultKind] = &[
    FaultKind {
        name: "status.killed",
        summary: "The status service's process is killed (SIGKILL).",
        params: &[TIMES],
        healed_by: &[],
        receipt: "the process was killed, and the kubelet started another",
        leads_to: DISTURBED,
        shows: Shows::Status,
        needs: Capability::Nodes,
    },
    FaultKind {
        name: "status.restarted",
        summary: "The status service's pod is deleted; its Deployment makes another.",
        params: &[],
        healed_by: &[],
        receipt: "another pod of the status service was started",
        leads_to: DISTURBED,
        shows: Shows::Status,
        needs: Capability::Objects,
    },
];

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: "status.restart",
    summary: "Deletes the status service's pod; its Deployment makes another.",
    params: &[],
    needs: Capability::Objects,
}];
