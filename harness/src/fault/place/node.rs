//! The node, as Kubernetes and as its operator see it.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::{TAINT_EFFECT, TAINT_KEY, TAINT_VALUE};
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[
    FaultKind {
        name: "node.kubelet-stopped",
        summary: "The node's kubelet ends; containers run on.",
        params: &[],
        healed_by: &["node.start-kubelet"],
        receipt: "the node's Lease stood still until the node was not Ready",
        leads_to: LeadsTo::Blocker(&["node"]),
        shows: Shows::Status,
        needs: Capability::Nodes,
    },
    FaultKind {
        name: "node.taint",
        summary: "Somebody taints the node. `PreferNoSchedule` keeps no pod away where there is one node.",
        params: &[TAINT_KEY, TAINT_VALUE, TAINT_EFFECT],
        healed_by: &["node.remove-taint"],
        receipt: "a pod was kept from the node or deleted for that taint; with `PreferNoSchedule`, one came in spite of it",
        leads_to: LeadsTo::Blocker(&["scheduling"]),
        shows: Shows::Status,
        needs: Capability::Nodes,
    },
    FaultKind {
        name: "node.cordoned",
        summary: "Somebody cordons the node and forgets it.",
        params: &[],
        healed_by: &["node.uncordon"],
        receipt: "Kubernetes marked the node as one that takes no pods",
        leads_to: LeadsTo::Blocker(&["scheduling"]),
        shows: Shows::Status,
        needs: Capability::Nodes,
    },
    FaultKind {
        name: "node.memory",
        summary: "Something outside of Kubernetes takes the node's memory: the kubelet evicts pods and lets no new ones come.",
        params: &[],
        healed_by: &["node.free-memory"],
        receipt: "the kubelet said that the node has insufficient memory",
        leads_to: LeadsTo::Blocker(&["scheduling"]),
        shows: Shows::Status,
        needs: Capability::Nodes,
    },
    FaultKind {
        name: "node.reboot",
        summary: "The machine restarts: the API is away, all containers end and come back.",
        params: &[],
        healed_by: &[],
        receipt: "the kubelet said that the node was rebooted",
        leads_to: LeadsTo::Nothing("what ran before runs again by itself"),
        shows: Shows::Status,
        needs: Capability::Nodes,
    },
];

pub(super) static HEALS: &[HealKind] = &[
    HealKind {
        name: "node.start-kubelet",
        summary: "Starts the node's kubelet.",
        params: &[],
        needs: Capability::Nodes,
    },
    HealKind {
        name: "node.remove-taint",
        summary: "Removes a taint from the node.",
        params: &[TAINT_KEY],
        needs: Capability::Nodes,
    },
    HealKind {
        name: "node.uncordon",
        summary: "Lets the node take pods again.",
        params: &[],
        needs: Capability::Nodes,
    },
    HealKind {
        name: "node.free-memory",
        summary: "Ends what took the node's memory.",
        params: &[],
        needs: Capability::Nodes,
    },
];
