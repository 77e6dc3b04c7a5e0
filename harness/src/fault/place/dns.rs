//! The site's resolver, and the cluster's own.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Param, Shows};
use super::super::params::{ADDRESS, HOST, LASTS};
use crate::world::Capability;

const DNS: LeadsTo = LeadsTo::Blocker(&["dns"]);
const RESTORE: &[&str] = &["dns.restore"];

/// Something that the site's resolver says or does not say.
const fn resolver(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    receipt: &'static str,
) -> FaultKind {
    FaultKind {
        name,
        summary,
        params,
        healed_by: RESTORE,
        receipt,
        leads_to: DNS,
        shows: Shows::Status,
        needs: Capability::Dns,
    }
}

pub(super) static FAULTS: &[FaultKind] = &[
    resolver(
        "dns.refused",
        "The site's resolver refuses the connection: nothing listens on its port.",
        &[HOST, LASTS],
        "a query came to the resolver and was refused",
    ),
    resolver(
        "dns.servfail",
        "The site's resolver answers that it failed (SERVFAIL).",
        &[HOST, LASTS],
        "the resolver answered a query with SERVFAIL",
    ),
    resolver(
        "dns.nxdomain",
        "The site's resolver answers that the name does not exist (NXDOMAIN).",
        &[HOST, LASTS],
        "the resolver answered a query with NXDOMAIN",
    ),
    resolver(
        "dns.timeout",
        "The site's resolver takes questions and says nothing.",
        &[HOST, LASTS],
        "a query came to the resolver and was not answered",
    ),
    resolver(
        "dns.upstream-dead",
        "The site's resolver answers for the site's own names; the servers that it passes other questions on to are gone.",
        &[LASTS],
        "the resolver answered a query for a name outside of the site with SERVFAIL",
    ),
    FaultKind {
        name: "dns.wrong-answer",
        summary: "The site's resolver names another machine: a captive portal, an old entry of somebody's.",
        params: &[HOST, ADDRESS, LASTS],
        healed_by: RESTORE,
        receipt: "the resolver answered a query with that address",
        leads_to: LeadsTo::Blocker(&["image-registry"]),
        shows: Shows::Status,
        needs: Capability::Dns,
    },
    FaultKind {
        name: "dns.cluster-gone",
        summary: "The cluster's own resolver is scaled to nothing: names fail in pods, and the node resolves.",
        params: &[],
        healed_by: &["dns.restore-cluster"],
        receipt: "no pod of the cluster's resolver is left",
        leads_to: DNS,
        shows: Shows::Status,
        needs: Capability::Nodes,
    },
];

pub(super) static HEALS: &[HealKind] = &[
    HealKind {
        name: "dns.restore",
        summary: "Lets the site's resolver answer again.",
        params: &[],
        needs: Capability::Dns,
    },
    HealKind {
        name: "dns.restore-cluster",
        summary: "Brings the cluster's own resolver back to one replica.",
        params: &[],
        needs: Capability::Nodes,
    },
];
