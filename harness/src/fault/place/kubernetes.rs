//! The Kubernetes API.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Param, Shows};
use super::super::params::{DELAY, LASTS, RESOURCE, VERB};
use crate::world::Capability;

/// Something that the API does to everybody.
const fn api(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    receipt: &'static str,
    leads_to: LeadsTo,
) -> FaultKind {
    FaultKind {
        name,
        summary,
        params,
        healed_by: &["kubernetes.restore"],
        receipt,
        leads_to,
        shows: Shows::Status,
        needs: Capability::Api,
    }
}

pub(super) static FAULTS: &[FaultKind] = &[
    api(
        "kubernetes.api-outage",
        "The API server is down: connections end in the middle, and new ones are cut.",
        &[LASTS],
        "the port of the API cut a connection",
        LeadsTo::Blocker(&["kubernetes"]),
    ),
    api(
        "kubernetes.api-hang",
        "The API server takes connections and says nothing, neither to requests nor to watches.",
        &[LASTS],
        "somebody had a connection to the API that said nothing",
        LeadsTo::Blocker(&["kubernetes"]),
    ),
    api(
        "kubernetes.slow",
        "Each request to the API is answered so much later.",
        &[DELAY, LASTS],
        "a request of the status service was answered late",
        LeadsTo::Nothing("who is slow is there"),
    ),
    FaultKind {
        name: "kubernetes.forbidden",
        summary: "The configuration that a release ships gives the status service a role that lacks something.",
        params: &[RESOURCE, VERB],
        healed_by: &["kubernetes.restore-role"],
        receipt: "the status service's role lacks it, and what it may not read it cannot be told",
        leads_to: LeadsTo::Nothing("what cannot be read is unknown; the document names the reads that fail"),
        shows: Shows::Status,
        needs: Capability::Api,
    },
    FaultKind {
        name: "kubernetes.watch-expired",
        summary: "The API forgets what was: open watches end, and those that are resumed get 410.",
        params: &[],
        healed_by: &[],
        receipt: "a watch of the status service got 410",
        leads_to: LeadsTo::Nothing("whoever watches lists anew"),
        shows: Shows::Status,
        needs: Capability::Api,
    },
];

pub(super) static HEALS: &[HealKind] = &[
    HealKind {
        name: "kubernetes.restore",
        summary: "Lets the API server answer again, and in time.",
        params: &[],
        needs: Capability::Api,
    },
    HealKind {
        name: "kubernetes.restore-role",
        summary: "Publishes the configuration with the whole role of the status service, and gives it that role.",
        params: &[],
        needs: Capability::Api,
    },
];
