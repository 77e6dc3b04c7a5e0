//! Flux: source, controllers, releases.

use super::super::kind::{FaultKind, HealKind, LeadsTo, Param, Shows};
use super::super::params::{CHART_FAILURE, CONTROLLER, DELAY, LASTS, RELEASE, VERSION};
use crate::world::Capability;

const fn fault(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    healed_by: &'static [&'static str],
    receipt: &'static str,
    leads_to: LeadsTo,
) -> FaultKind {
    FaultKind {
        name,
        summary,
        params,
        healed_by,
        receipt,
        leads_to,
        shows: Shows::Status,
        needs: Capability::Flux,
    }
}

const fn heal(name: &'static str, summary: &'static str, params: &'static [Param]) -> HealKind {
    HealKind { name, summary, params, needs: Capability::Flux }
}

pub(super) static FAULTS: &[FaultKind] = &[
    fault(
        "flux.source-failed",
        "The configuration of a release is not in the registry: nobody has published it, or somebody removed it.",
        &[VERSION],
        &["flux.publish-source"],
        "the registry answered a request for that configuration with 404",
        LeadsTo::Blocker(&["source"]),
    ),
    fault(
        "flux.old-revision",
        "Somebody pinned the source to the configuration that there was, and the selection moves on without it.",
        &[],
        &["flux.unpin-source"],
        "the source is at the pinned configuration, and another release is selected",
        LeadsTo::Blocker(&["source"]),
    ),
    fault(
        "flux.progressing",
        "The machine is so busy that Flux begins each of its reconciliations so much later.",
        &[DELAY, LASTS],
        &["flux.unburden"],
        "a controller of Flux began something late",
        LeadsTo::Nothing("what goes on slowly goes on"),
    ),
    fault(
        "flux.controller-gone",
        "A controller of Flux is scaled to nothing.",
        &[CONTROLLER],
        &["flux.scale-up", "bootstrap.retry"],
        "the controller's Deployment wants no pod, and has none",
        LeadsTo::Blocker(&["workload"]),
    ),
    fault(
        "flux.release-failed",
        "The configuration was published anew with another chart of a release, and that chart is wrong.",
        &[RELEASE, CHART_FAILURE],
        &["flux.restore-chart"],
        "the helm-controller tried that chart, and failed",
        LeadsTo::Blocker(&["helm"]),
    ),
    fault(
        "flux.release-absent",
        "The configuration was published anew without one of its releases.",
        &[RELEASE],
        &["flux.repair"],
        "that configuration was applied, and the release is not there",
        LeadsTo::Blocker(&["release-missing"]),
    ),
    fault(
        "flux.release-locked",
        "Helm's newest record of a release cannot be read any more, and stands in the way of another one.",
        &[RELEASE],
        &["flux.remove-record"],
        "the helm-controller could not make a record of that name",
        LeadsTo::Blocker(&["helm-storage"]),
    ),
    fault(
        "flux.suspended",
        "Somebody suspended a release and forgot about it.",
        &[RELEASE],
        &["flux.resume"],
        "the release is suspended",
        LeadsTo::Blocker(&["source"]),
    ),
];

pub(super) static HEALS: &[HealKind] = &[
    heal("flux.reconcile", "Asks Flux to reconcile a release now, even where it has stalled.", &[RELEASE]),
    heal(
        "flux.repair",
        "Repairs a release: asks Flux to apply it again although nothing of it changed; where it is gone, the whole \
         configuration is published and applied.",
        &[RELEASE],
    ),
    heal("flux.reconcile-source", "Asks Flux to fetch the source and to apply every tier of it now.", &[]),
    heal(
        "flux.publish-source",
        "Publishes the whole configuration of a release; `flux.reconcile-source` takes it up at once.",
        &[VERSION],
    ),
    heal("flux.unpin-source", "Lets the source follow the selected release again, and fetches it.", &[]),
    heal("flux.unburden", "Lets Flux begin its reconciliations in time again.", &[]),
    heal("flux.scale-up", "Scales a controller of Flux up to one replica.", &[CONTROLLER]),
    heal(
        "flux.restore-chart",
        "Publishes the configuration with the chart that a release had before, and lets Flux apply it.",
        &[RELEASE],
    ),
    heal("flux.remove-record", "Removes Helm's records of a release that cannot be read.", &[RELEASE]),
    heal("flux.resume", "Resumes a release.", &[RELEASE]),
];
