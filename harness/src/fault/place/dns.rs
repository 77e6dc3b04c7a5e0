//! The site's resolver.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::HOST;
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[
    FaultKind {
        name: "dns.refused",
        summary: "The site's resolver refuses the connection: nothing listens on its port.",
        params: &[HOST],
        healed_by: &["dns.restore"],
        receipt: "a query came to the resolver and was refused",
        leads_to: LeadsTo::Blocker(&["dns"]),
        shows: Shows::Status,
        needs: Capability::Dns,
    },
    FaultKind {
        name: "dns.servfail",
        summary: "The site's resolver answers that it failed (SERVFAIL).",
        params: &[HOST],
        healed_by: &["dns.restore"],
        receipt: "the resolver answered a query with SERVFAIL",
        leads_to: LeadsTo::Blocker(&["dns"]),
        shows: Shows::Status,
        needs: Capability::Dns,
    },
    FaultKind {
        name: "dns.nxdomain",
        summary: "The site's resolver answers that the name does not exist (NXDOMAIN).",
        params: &[HOST],
        healed_by: &["dns.restore"],
        receipt: "the resolver answered a query with NXDOMAIN",
        leads_to: LeadsTo::Blocker(&["dns"]),
        shows: Shows::Status,
        needs: Capability::Dns,
    },
];

pub(super) static HEALS: &[HealKind] = &[HealKind {
    name: "dns.restore",
    summary: "Lets the site's resolver answer again.",
    params: &[],
    needs: Capability::Dns,
}];
