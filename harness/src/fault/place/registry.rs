//! The image registry.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Shows};
use super::super::params::{ANY_IMAGE, IMAGE, LASTS, REFUSAL, RETRY_AFTER, STATUS, TAKES, VERSION};
use crate::world::Capability;

pub(super) static FAULTS: &[FaultKind] = &[
    FaultKind {
        name: "registry.missing-tag",
        summary: "The registry does not have the tag that the release names for an image: nobody has published it.",
        params: &[IMAGE, VERSION],
        healed_by: &["registry.publish-tag"],
        receipt: "the registry answered a request for that tag with 404",
        leads_to: LeadsTo::Blocker(&["image-not-found"]),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "registry.unreachable",
        summary: "The registry's address refuses connections.",
        params: &[LASTS],
        healed_by: &["registry.restore"],
        receipt: "a connection to the registry was refused",
        leads_to: LeadsTo::Blocker(&["image-registry"]),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "registry.error",
        summary: "The registry answers requests with an HTTP error.",
        params: &[STATUS, ANY_IMAGE, LASTS],
        healed_by: &["registry.restore"],
        receipt: "the registry answered a request with that status",
        leads_to: LeadsTo::Blocker(&["image-registry", "image-not-found"]),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "registry.unauthorized",
        summary: "The registry does not let this site pull: it wants a sign-in (401), or forbids it (403).",
        params: &[ANY_IMAGE, REFUSAL],
        healed_by: &["registry.restore"],
        receipt: "the registry answered a request with that status",
        leads_to: LeadsTo::Blocker(&["image-registry"]),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "registry.rate-limited",
        summary: "The registry answers that this site has asked too often (429).",
        params: &[ANY_IMAGE, RETRY_AFTER, LASTS],
        healed_by: &["registry.restore"],
        receipt: "the registry answered a request with 429",
        leads_to: LeadsTo::Blocker(&["image-registry"]),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
    FaultKind {
        name: "registry.bad-digest",
        summary: "The registry, or a cache on the way, serves bytes of an image that are not those of their digest.",
        params: &[IMAGE],
        healed_by: &["registry.restore"],
        receipt: "the registry sent wrong bytes of that image",
        leads_to: LeadsTo::Blocker(&["image-registry"]),
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
        leads_to: LeadsTo::Blocker(&["image-pull-interrupted"]),
        shows: Shows::Status,
        needs: Capability::Registry,
    },
];

pub(super) static HEALS: &[HealKind] = &[
    HealKind {
        name: "registry.publish-tag",
        summary: "Publishes the tag that the release names for an image.",
        params: &[IMAGE, VERSION],
        needs: Capability::Registry,
    },
    HealKind {
        name: "registry.restore",
        summary: "Lets the registry listen and answer again.",
        params: &[],
        needs: Capability::Registry,
    },
];
