//! Pods: builds that do not do, and what they are configured with.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Param, Shows};
use super::super::params::{COMPONENT, EXIT_CODE, WORKER};
use crate::world::Capability;

const WORKLOAD: LeadsTo = LeadsTo::Blocker(&["workload", "background-workload"]);

/// A build of a component's image that does not do.
const fn build(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    leads_to: LeadsTo,
) -> FaultKind {
    FaultKind {
        name,
        summary,
        params,
        healed_by: &["registry.publish-tag", "pod.pull-again"],
        receipt: "a container of the component was started from that build",
        leads_to,
        shows: Shows::Status,
        needs: Capability::Registry,
    }
}

pub(super) static FAULTS: &[FaultKind] = &[
    build(
        "pod.crash-loop",
        "A component's image is published with a program that ends as soon as it starts.",
        &[COMPONENT, EXIT_CODE],
        WORKLOAD,
    ),
    build(
        "pod.oom",
        "A component's image is published with a program that takes more memory than its limit.",
        &[COMPONENT],
        WORKLOAD,
    ),
    build(
        "pod.not-ready",
        "A component's image is published with a program that runs and never gets ready.",
        &[COMPONENT],
        WORKLOAD,
    ),
    build(
        "pod.sleeping-worker",
        "A worker's image is published with a program that fails and sleeps; its pod stays ready.",
        &[WORKER],
        LeadsTo::Blocker(&["background-workload"]),
    ),
    FaultKind {
        name: "pod.bad-config",
        summary: "The site's values give a component a variable from a ConfigMap that nobody has made.",
        params: &[COMPONENT],
        healed_by: &["pod.provide-config", "values.restore"],
        receipt: "a container of the component was not created for want of it",
        leads_to: LeadsTo::Blocker(&["config-missing"]),
        shows: Shows::Status,
        needs: Capability::Values,
    },
    FaultKind {
        name: "pod.deleted",
        summary: "Somebody deletes a component's pods; their controller makes new ones.",
        params: &[COMPONENT],
        healed_by: &[],
        receipt: "the pods that were there are gone",
        leads_to: LeadsTo::Nothing("the next pods do what these did"),
        shows: Shows::Status,
        needs: Capability::Nodes,
    },
];

pub(super) static HEALS: &[HealKind] = &[
    HealKind {
        name: "pod.restart",
        summary: "Deletes the pods of a component; their controller makes new ones.",
        params: &[COMPONENT],
        needs: Capability::Objects,
    },
    HealKind {
        name: "pod.pull-again",
        summary: "Takes the node's copy of a component's image away and deletes its pods: the next ones pull what is published now.",
        params: &[COMPONENT],
        needs: Capability::Registry,
    },
    HealKind {
        name: "pod.provide-config",
        summary: "Makes the ConfigMap that a component wants.",
        params: &[COMPONENT],
        needs: Capability::Values,
    },
];
