//! The table itself.

use super::kind::{FaultKind, HealKind, LeadsTo, Need, Param, ParamKind, Shows};
use crate::world::Capability;

const IMAGE: Param = Param {
    name: "image",
    kind: ParamKind::Image,
    needed: Need::Required,
    doc: "the component whose image it is, or the last part of the image's repository",
};
const ANY_IMAGE: Param = Param {
    name: "image",
    kind: ParamKind::Image,
    needed: Need::Optional,
    doc: "only for this image; all of them where it is left out",
};
const STATUS: Param = Param {
    name: "status",
    kind: ParamKind::HttpStatus,
    needed: Need::Required,
    doc: "the HTTP status, 400 to 599",
};
const HOST: Param = Param {
    name: "host",
    kind: ParamKind::Host,
    needed: Need::Optional,
    doc: "only for this name; all names where it is left out",
};
const RELEASE: Param = Param {
    name: "release",
    kind: ParamKind::Release,
    needed: Need::Required,
    doc: "the HelmRelease's name",
};

/// Every fault.
pub static FAULTS: &[FaultKind] = &[
    FaultKind {
        name: "registry.missing-tag",
        summary: "The registry does not have the tag that the release names for an image: nobody has published it.",
        params: &[IMAGE],
        healed_by: &["registry.publish-tag"],
        receipt: "the registry answered a request for that tag with 404",
        leads_to: LeadsTo::Blocker("image-not-found"),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "registry.unreachable",
        summary: "The registry's address refuses connections.",
        params: &[],
        healed_by: &["registry.restore"],
        receipt: "a connection to the registry was refused",
        leads_to: LeadsTo::Blocker("image-registry"),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "registry.error",
        summary: "The registry answers requests with an HTTP error.",
        params: &[STATUS, ANY_IMAGE],
        healed_by: &["registry.restore"],
        receipt: "the registry answered a request with that status",
        leads_to: LeadsTo::Blocker("image-registry"),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "dns.refused",
        summary: "The site's resolver refuses the connection: nothing listens on its port.",
        params: &[HOST],
        healed_by: &["dns.restore"],
        receipt: "a query came to the resolver and was refused",
        leads_to: LeadsTo::Blocker("dns"),
        shows: Shows::Status,
        needs: Capability::Dns,
    },
    FaultKind {
        name: "dns.servfail",
        summary: "The site's resolver answers that it failed (SERVFAIL).",
        params: &[HOST],
        healed_by: &["dns.restore"],
        receipt: "the resolver answered a query with SERVFAIL",
        leads_to: LeadsTo::Blocker("dns"),
        shows: Shows::Status,
        needs: Capability::Dns,
    },
    FaultKind {
        name: "dns.nxdomain",
        summary: "The site's resolver answers that the name does not exist (NXDOMAIN).",
        params: &[HOST],
        healed_by: &["dns.restore"],
        receipt: "the resolver answered a query with NXDOMAIN",
        leads_to: LeadsTo::Blocker("dns"),
        shows: Shows::Status,
        needs: Capability::Dns,
    },
];

/// Every heal verb.
pub static HEALS: &[HealKind] = &[
    HealKind {
        name: "registry.publish-tag",
        summary: "Publishes the tag that the release names for an image.",
        params: &[IMAGE],
        needs: Capability::Registry,
    },
    HealKind {
        name: "registry.restore",
        summary: "Lets the registry listen and answer again.",
        params: &[],
        needs: Capability::Registry,
    },
    HealKind {
        name: "dns.restore",
        summary: "Lets the site's resolver answer again.",
        params: &[],
        needs: Capability::Dns,
    },
    HealKind {
        name: "flux.reconcile",
        summary: "Asks Flux to reconcile a release now, even where it has stalled.",
        params: &[RELEASE],
        needs: Capability::Flux,
    },
];

/// The fault of this name.
pub fn fault(name: &str) -> Option<&'static FaultKind> {
    FAULTS.iter().find(|fault| fault.name == name)
}

/// The heal verb of this name.
pub fn heal(name: &str) -> Option<&'static HealKind> {
    HEALS.iter().find(|heal| heal.name == name)
}
