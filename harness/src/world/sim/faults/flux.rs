//! Causes in Flux, and what a person asks of it.

use std::collections::BTreeSet;
use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{Res, Store, kinds, object};
use fake_network::{Effect, FaultId, RegistryFault};
use serde_json::{Value, json};

use super::super::outside::Outside;
use super::flux_releases::{self, RELEASES};
use super::volumes::until;
use super::{Cause, Ground, Noticed, Set, Sighting, done, failed, no_target};
use crate::fault::{FaultUse, HealStep};
use crate::world::{InjectError, WorldError};

/// Annotation that asks Flux to look at an object now.
const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Annotation that also lets a release that gave up try again.
const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";
/// Annotation that lets a release be applied again although nothing of it changed.
const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
/// Where Flux and its source are.
const FLUX: &str = "flux-system";
/// The source's name.
const SOURCE: &str = "alga-appliance";

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    match fault.name() {
        "flux.source-failed" => {
            let release = version(ground, fault.params.text("release"));
            ground.outside.configuration.withhold(&release);
            let missing = RegistryFault::on(&Outside::configuration_of(&release), Effect::MissingTag);
            Ok(Rc::new(Missing(ground.outside.registry.control().inject(missing).await)))
        }
        "flux.old-revision" => Ok(pin(ground)),
        "flux.progressing" => {
            let burden = ground.cluster.burden().clone();
            burden.set(fault.params.duration("takes").unwrap_or_default());
            if let Some(lasts) = fault.params.duration("lasts") {
                let (clock, burden) = (ground.store().clock().clone(), burden.clone());
                tokio::spawn(async move {
                    clock.sleep(lasts).await;
                    burden.set(std::time::Duration::ZERO);
                });
            }
            Ok(Rc::new(Burdened))
        }
        "flux.controller-gone" => {
            let controller = fault.params.text("controller").unwrap_or_default().to_owned();
            let store = ground.store().clone();
            let name = controller.clone();
            tokio::spawn(async move {
                let running = || {
                    let it = store.get(&kinds::DEPLOYMENTS, FLUX, &name)?;
                    (it["status"]["readyReplicas"].as_u64() > Some(0)).then_some(())
                };
                if until(&store, running).await.is_some() {
                    scale(&store, &name, 0);
                }
            });
            Ok(Rc::new(Gone { controller, noticed: Noticed::default() }))
        }
        _ => flux_releases::inject(ground, fault),
    }
}

pub(super) fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let (store, release) = (ground.store(), step.params.text("release").unwrap_or_default());
    match step.name() {
        "flux.reconcile" => reconcile(store, step.name(), release, RESET_AT),
        "flux.repair" => {
            if ground.outside.configuration.mend_release(release) {
                return publish(ground, step);
            }
            reconcile(store, step.name(), release, FORCE_AT)
        }
        "flux.restore-chart" => {
            let mended = ground.outside.configuration.mend_release(release);
            done(step, Ok::<bool, WorldError>(mended), "other chart of", release)?;
            publish(ground, step)
        }
        "flux.reconcile-source" => fetch(store, step),
        "flux.publish-source" => {
            let release = version(ground, step.params.text("release"));
            ground.outside.configuration.mend(&release);
            ground.outside.publish_configuration().map_err(|source| failed(step.name(), source))
        }
        "flux.unpin-source" => {
            let unpinned = store.modify(&kinds::OCI_REPOSITORIES, FLUX, SOURCE, |source| {
                if let Some(reference) = source["spec"]["ref"].as_object_mut() {
                    reference.remove("digest");
                }
            });
            unpinned.map_err(|source| failed(step.name(), source))?;
            fetch(store, step)
        }
        "flux.unburden" => {
            ground.cluster.burden().set(std::time::Duration::ZERO);
            Ok(())
        }
        "flux.scale-up" => {
            let controller = step.params.text("controller").unwrap_or_default();
            let scaled = scale(store, controller, 1);
            done(step, Ok::<bool, WorldError>(scaled), "Deployment", controller)
        }
        _ => flux_releases::heal(ground, step),
    }
}

/// The appliance's release that is meant.
fn version(ground: &Ground<'_>, named: Option<&str>) -> String {
    named.unwrap_or(&ground.outside.configuration.release).to_owned()
}

/// Publishes the configuration and lets Flux take it up.
fn publish(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    ground.outside.publish_configuration().map_err(|source| failed(step.name(), source))?;
    fetch(ground.store(), step)
}

/// Asks Flux for the source and everything that is applied from it, as `flux reconcile kustomization --with-source` does.
fn fetch(store: &Store, step: &HealStep) -> Result<(), InjectError> {
    let asked = request(store, &kinds::OCI_REPOSITORIES, FLUX, SOURCE, None);
    done(step, Ok::<bool, WorldError>(asked), "OCIRepository", SOURCE)?;
    for kustomization in store.list(&kinds::KUSTOMIZATIONS, Some(FLUX)) {
        request(store, &kinds::KUSTOMIZATIONS, FLUX, object::name(&kustomization), None);
    }
    Ok(())
}

/// Asks a HelmRelease to reconcile, as `flux reconcile helmrelease` does with `--reset` or `--force`.
fn reconcile(store: &Store, what: &str, release: &str, how: &str) -> Result<(), InjectError> {
    if request(store, &kinds::HELM_RELEASES, RELEASES, release, Some(how)) {
        return Ok(());
    }
    let known = store.list(&kinds::HELM_RELEASES, Some(RELEASES));
    let known = known.iter().map(|it| object::name(it).to_owned()).collect();
    Err(no_target(what, format!("HelmRelease {release}"), known))
}

/// Asks a release, if it is there, to look at its values.
pub(super) fn look_again(store: &Store, release: &str) -> bool {
    request(store, &kinds::HELM_RELEASES, RELEASES, release, None)
}

/// Asks a release, if it is there, to be applied again.
pub(super) fn apply_again(store: &Store, release: &str) -> bool {
    request(store, &kinds::HELM_RELEASES, RELEASES, release, Some(FORCE_AT))
}

/// Annotates an object with a request; says whether there is one.
fn request(store: &Store, kind: &Res, namespace: &str, name: &str, how: Option<&str>) -> bool {
    let now = store.clock().now().to_string();
    let asked = store.modify(kind, namespace, name, |object: &mut Value| {
        let annotations = &mut object["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = json!({});
        }
        for annotation in std::iter::once(REQUESTED_AT).chain(how) {
            annotations[annotation] = json!(now);
        }
    });
    asked.is_ok()
}

/// Scales a controller; says whether there is one.
fn scale(store: &Store, controller: &str, replicas: u64) -> bool {
    let scaled =
        store.modify(&kinds::DEPLOYMENTS, FLUX, controller, |it| it["spec"]["replicas"] = json!(replicas));
    scaled.is_ok()
}

/// A configuration that the registry does not have.
struct Missing(FaultId);

#[async_trait(?Send)]
impl Cause for Missing {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let receipts = ground.outside.registry.control().receipts().into_iter();
        let met = receipts.filter(|it| it.faults.iter().any(|fault| fault.id == self.0));
        met.map(|it| Sighting::new(it.at, format_args!("{} https://{}{}: 404", it.method, it.host, it.path)))
            .collect()
    }
}

/// Controllers that begin late.
struct Burdened;

#[async_trait(?Send)]
impl Cause for Burdened {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let felt = ground.cluster.burden().felt().into_iter();
        felt.map(|at| Sighting::new(at, "a controller of Flux began something late")).collect()
    }
}

/// A controller without a pod.
struct Gone {
    controller: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Gone {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let controller = &self.controller;
        let gone = ground.store().get(&kinds::DEPLOYMENTS, FLUX, controller).is_some_and(|it| {
            it["spec"]["replicas"] == 0 && it["status"]["replicas"].as_u64().unwrap_or(0) == 0
        });
        self.noticed.if_so(gone, ground, &format!("{controller} has no pod"))
    }
}

/// Pins the source to what it has, as soon as it has something.
fn pin(ground: &Ground<'_>) -> Rc<dyn Cause> {
    let store = ground.store().clone();
    tokio::spawn(async move {
        let fetched = || {
            let source = store.get(&kinds::OCI_REPOSITORIES, FLUX, SOURCE)?;
            digest(&source).map(str::to_owned)
        };
        let Some(digest) = until(&store, fetched).await else { return };
        let pinned = store.modify(&kinds::OCI_REPOSITORIES, FLUX, SOURCE, |source| {
            source["spec"]["ref"]["digest"] = json!(digest);
        });
        if let Err(error) = pinned {
            tracing::warn!(%error, "cannot pin the source");
        }
    });
    Rc::new(Pinned { release: ground.outside.configuration.release.clone(), noticed: Noticed::default() })
}

/// The digest of the artifact that a source has.
pub(super) fn digest(source: &Value) -> Option<&str> {
    let revision = source["status"]["artifact"]["revision"].as_str()?;
    Some(revision.rsplit_once('@').map_or(revision, |(_, digest)| digest))
}

/// A source that does not move.
struct Pinned {
    release: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Pinned {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let store = ground.store();
        let held = store.get(&kinds::OCI_REPOSITORIES, FLUX, SOURCE).is_some_and(|it| {
            it["spec"]["ref"]["digest"].is_string() && digest(&it) == it["spec"]["ref"]["digest"].as_str()
        });
        let selected = store.get(&kinds::CONFIG_MAPS, RELEASES, "appliance-release-selection");
        let moved = selected.is_some_and(|it| it["data"]["releaseVersion"] != self.release.as_str());
        self.noticed.if_so(held && moved, ground, "another release is selected, and the source is pinned")
    }
}

/// Whether the source has one of these configurations.
pub(super) fn has_fetched(store: &Store, digests: &BTreeSet<String>) -> bool {
    let source = store.get(&kinds::OCI_REPOSITORIES, FLUX, SOURCE);
    source.is_some_and(|it| digest(&it).is_some_and(|digest| digests.contains(digest)))
}
