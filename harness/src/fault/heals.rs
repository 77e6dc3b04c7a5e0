//! The table of heal verbs: what a person does whom a blocker's next action told to.

use super::kind::HealKind;
use super::params::{DNS_SERVERS, FOR, IMAGE, KEEPER, LINKED_COMPONENT, MODE, RELEASE};
use crate::world::Capability;

/// Runs the operator's command again; the play does this one, since it hears the command.
pub(crate) const BOOTSTRAP_RETRY: &str = "bootstrap.retry";

/// Lets time pass; the play does this one too.
pub(crate) const TIME_PASS: &str = "time.pass";

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
    HealKind {
        name: "flux.repair",
        summary: "Repairs a release: asks Flux to apply it again although nothing of it changed.",
        params: &[RELEASE],
        needs: Capability::Flux,
    },
    HealKind {
        name: "volume.repair",
        summary: "Puts a directory in the place of what is in its place in a component's volume.",
        params: &[KEEPER],
        needs: Capability::Volumes,
    },
    HealKind {
        name: "pod.restart",
        summary: "Deletes the pods of a component with a volume; their controller makes new ones.",
        params: &[KEEPER],
        needs: Capability::Volumes,
    },
    HealKind {
        name: "service-links.disable",
        summary: "Disables service links in a component's Deployment, which restarts it.",
        params: &[LINKED_COMPONENT],
        needs: Capability::Values,
    },
    HealKind {
        name: "temporal.run-autosetup",
        summary: "Lets Temporal's Deployment run the step that makes its schema, which restarts it.",
        params: &[],
        needs: Capability::Values,
    },
    HealKind {
        name: "values.restore",
        summary: "Takes away the site's own values of a release; `bootstrap.retry` applies what is left.",
        params: &[RELEASE],
        needs: Capability::Values,
    },
    HealKind {
        name: BOOTSTRAP_RETRY,
        summary: "Runs the operator's command again, to its end.",
        params: &[MODE, DNS_SERVERS],
        needs: Capability::Values,
    },
    HealKind {
        name: TIME_PASS,
        summary: "Lets time pass, for who comes back later.",
        params: &[FOR],
        needs: Capability::Flux,
    },
];

/// The heal verb of this name.
pub fn heal(name: &str) -> Option<&'static HealKind> {
    HEALS.iter().find(|heal| heal.name == name)
}
