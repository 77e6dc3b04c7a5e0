//! The table of faults.

use super::kind::{FaultKind, LeadsTo, Shows};
use super::params::{ANY_IMAGE, HOST, IMAGE, KEEPER, LINKED_COMPONENT, SERVICE, STATUS, TAKES};
use crate::world::Capability;

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
        name: "registry.slow",
        summary: "An image comes so slowly that its pull takes this long.",
        params: &[IMAGE, TAKES],
        healed_by: &["registry.restore"],
        receipt: "the registry sent a part of that image at that pace",
        leads_to: LeadsTo::Nothing("a slow pull is progress; it shows as an active operation"),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "registry.cut",
        summary: "The connection breaks in the middle of an image, at each try at the same byte.",
        params: &[IMAGE],
        healed_by: &["registry.restore"],
        receipt: "the registry broke off an answer that held a part of that image",
        leads_to: LeadsTo::Blocker("image-pull-interrupted"),
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
    FaultKind {
        name: "volume.subpath-dangling",
        summary: "Where a component's directory should be in its volume, there is a link that leads nowhere.",
        params: &[KEEPER],
        healed_by: &["volume.repair"],
        receipt: "the link lies in the volume, and a container that mounts it was not created",
        leads_to: LeadsTo::Blocker("postgres-storage"),
        shows: Shows::Status,
        needs: Capability::Volumes,
    },
    FaultKind {
        name: "service-links.enabled",
        summary: "The site's values switch service links on for a program that reads a variable of the same name as one of them.",
        params: &[LINKED_COMPONENT, SERVICE],
        healed_by: &["values.restore", "service-links.disable"],
        receipt: "a container of the component was started with `…_PORT=tcp://…` for that Service",
        leads_to: LeadsTo::Blocker("service-link"),
        shows: Shows::Status,
        needs: Capability::Values,
    },
    FaultKind {
        name: "temporal.no-autosetup",
        summary: "The site's values start Temporal without the step that makes its schema.",
        params: &[],
        healed_by: &["values.restore", "temporal.run-autosetup"],
        receipt: "a container of Temporal was started without `autosetup`",
        leads_to: LeadsTo::Blocker("temporal-schema"),
        shows: Shows::Status,
        needs: Capability::Values,
    },
    FaultKind {
        name: "bootstrap.seed-missing",
        summary: "The site's values name a seed directory that the application's image does not have.",
        params: &[],
        healed_by: &["values.restore"],
        receipt: "the bootstrap job was started with that directory",
        leads_to: LeadsTo::Blocker("bootstrap-failed"),
        shows: Shows::Status,
        needs: Capability::Values,
    },
];

/// The fault of this name.
pub fn fault(name: &str) -> Option<&'static FaultKind> {
    FAULTS.iter().find(|fault| fault.name == name)
}
