//! What a person asks of Flux.

use cluster_api::{Store, kinds};
use serde_json::{Value, json};

use super::{Ground, no_target, unsupported};
use crate::fault::HealStep;
use crate::world::InjectError;

/// Annotation that asks Flux to look at an object now.
const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Annotation that also lets a release that gave up try again.
const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";
/// Annotation that lets a release be applied again although nothing of it changed.
const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
/// Where HelmReleases live.
const RELEASES: &str = "alga-system";

pub(super) fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let release = step.params.text("release").unwrap_or_default();
    match step.name() {
        "flux.reconcile" => reconcile(ground.store(), step.name(), release, RESET_AT),
        "flux.repair" => reconcile(ground.store(), step.name(), release, FORCE_AT),
        other => Err(unsupported(other)),
    }
}

/// Asks a HelmRelease to reconcile, as `flux reconcile helmrelease` does with `--reset` or `--force`.
fn reconcile(store: &Store, what: &str, release: &str, how: &str) -> Result<(), InjectError> {
    let now = store.clock().now().to_string();
    let asked = store.modify(&kinds::HELM_RELEASES, RELEASES, release, |object: &mut Value| {
        let annotations = &mut object["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = json!({});
        }
        annotations[REQUESTED_AT] = json!(now);
        annotations[how] = json!(now);
    });
    asked.map(drop).map_err(|_| {
        let known = store.list(&kinds::HELM_RELEASES, Some(RELEASES));
        let known = known.iter().map(|object| cluster_api::object::name(object).to_owned()).collect();
        no_target(what, format!("HelmRelease {release}"), known)
    })
}
