//! The parameters that faults and heal verbs share.

use super::kind::{Need, Param, ParamKind};

/// Releases that Flux installs.
pub(crate) const RELEASES: &[&str] =
    &["alga-core", "pgbouncer", "temporal", "workflow-worker", "email-service", "temporal-worker"];
/// Components that keep data in a directory of a volume.
pub(crate) const KEEPERS: &[&str] = &["db", "redis"];
/// Components whose service links the release can switch on.
pub(crate) const LINKED: &[&str] = &["temporal-ui", "temporal"];
/// How the operator's command takes what it finds.
pub(crate) const MODES: &[&str] = &["fresh", "recover"];

const fn required(name: &'static str, kind: ParamKind, doc: &'static str) -> Param {
    Param { name, kind, needed: Need::Required, doc }
}

const fn optional(name: &'static str, kind: ParamKind, doc: &'static str) -> Param {
    Param { name, kind, needed: Need::Optional, doc }
}

pub(super) const IMAGE: Param = required(
    "image",
    ParamKind::Image,
    "the component whose image it is, or the last part of the image's repository",
);
pub(super) const VALUES_IMAGE: Param = required(
    "image",
    ParamKind::Image,
    "the component whose image it is; one whose image its release's values select",
);
pub(super) const ANY_IMAGE: Param =
    optional("image", ParamKind::Image, "only for this image; all of them where it is left out");
pub(super) const STATUS: Param = required("status", ParamKind::HttpStatus, "the HTTP status, 400 to 599");
pub(super) const TAKES: Param =
    required("takes", ParamKind::Duration, "how long the pull takes, in field time: `16m`");
pub(super) const FOR: Param = required("for", ParamKind::Duration, "how long, in field time: `6m`");
pub(super) const HOST: Param =
    optional("host", ParamKind::Host, "only for this name; all names where it is left out");
pub(super) const RELEASE: Param =
    required("release", ParamKind::OneOf { what: "release", names: RELEASES }, "the HelmRelease's name");
pub(super) const KEEPER: Param = required(
    "component",
    ParamKind::OneOf { what: "component with a volume", names: KEEPERS },
    "the component whose volume it is",
);
pub(super) const LINKED_COMPONENT: Param = required(
    "component",
    ParamKind::OneOf { what: "component with service links", names: LINKED },
    "the component whose service links are switched on",
);
pub(super) const SERVICE: Param = optional(
    "service",
    ParamKind::ObjectName,
    "a Service that somebody adds beside the application; its name makes the variable",
);
pub(super) const MODE: Param = optional(
    "mode",
    ParamKind::OneOf { what: "bootstrap mode", names: MODES },
    "`fresh` or `recover`; recover where it is left out",
);
pub(super) const DNS_SERVERS: Param =
    optional("dns-servers", ParamKind::Addresses, "explicit DNS servers: `1.1.1.1,8.8.8.8`");
