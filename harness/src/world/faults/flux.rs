//! Causes in Flux, and what a person asks of it.

use std::collections::BTreeSet;
use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{Res, kinds, object};
use fake_network::{Effect, FaultId, RegistryFault};
use serde_json::{Value, json};

use super::Outside;
use super::flux_releases::{self, RELEASES};
use super::{Cause, Ground, Noticed, Objects, Set, Sighting, done, failed, no_target, read};
use crate::fault::{FaultUse, HealStep};
use crate::world::reconcile::{self, Look};
use crate::world::{InjectError, WorldError};

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
            let set = ground.outside.registry().inject(missing).await;
            Ok(Rc::new(Missing(set.map_err(|source| failed(fault.name(), source))?)))
        }
        "flux.old-revision" => Ok(pin(ground)),
        "flux.progressing" => {
            let takes = fault.params.duration("takes").unwrap_or_default();
            let burdened = ground.machine.burden(takes, fault.params.duration("lasts")).await;
            burdened.map_err(|error| error.of(fault.name()))?;
            Ok(Rc::new(Burdened))
        }
        "flux.controller-gone" => {
            let controller = fault.params.text("controller").unwrap_or_default().to_owned();
            let objects = ground.objects.clone();
            let name = controller.clone();
            tokio::spawn(async move {
                let running = || {
                    let it = objects.get(&kinds::DEPLOYMENTS, FLUX, &name)?;
                    (it["status"]["readyReplicas"].as_u64() > Some(0)).then_some(())
                };
                if objects.until(running).await.is_some() {
                    scale(&objects, &name, 0).await;
                }
            });
            Ok(Rc::new(Gone { controller, noticed: Noticed::default() }))
        }
        _ => flux_releases::inject(ground, fault).await,
    }
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let (objects, release) = (ground.objects, step.params.text("release").unwrap_or_default());
    match step.name() {
        "flux.reconcile" => look_at(objects, step.name(), release, Look::Reset).await,
        "flux.repair" => {
            if ground.outside.configuration.mend_release(release) {
                return publish(ground, step).await;
            }
            look_at(objects, step.name(), release, Look::Force).await
        }
        "flux.restore-chart" => {
            let mended = ground.outside.configuration.mend_release(release);
            done(step, Ok::<bool, WorldError>(mended), "other chart of", release)?;
            publish(ground, step).await
        }
        "flux.reconcile-source" => fetch(objects, step).await,
        "flux.publish-source" => {
            let release = version(ground, step.params.text("release"));
            ground.outside.configuration.mend(&release);
            ground.outside.publish_configuration().await.map_err(|source| failed(step.name(), source))
        }
        "flux.unpin-source" => {
            let unpin = |source: &mut Value| {
                if let Some(reference) = source["spec"]["ref"].as_object_mut() {
                    reference.remove("digest");
                }
            };
            let unpinned = objects.modify(&kinds::OCI_REPOSITORIES, FLUX, SOURCE, unpin).await;
            unpinned.map_err(|source| failed(step.name(), source))?;
            fetch(objects, step).await
        }
        "flux.unburden" => ground.machine.unburden().await.map_err(|error| error.of(step.name())),
        "flux.scale-up" => {
            let controller = step.params.text("controller").unwrap_or_default();
            let scaled = scale(objects, controller, 1).await;
            done(step, Ok::<bool, WorldError>(scaled), "Deployment", controller)
        }
        _ => flux_releases::heal(ground, step).await,
    }
}

/// The appliance's release that is meant.
fn version(ground: &Ground<'_>, named: Option<&str>) -> String {
    named.unwrap_or(&ground.outside.configuration.release).to_owned()
}

/// Publishes the configuration and lets Flux take it up.
async fn publish(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    ground.outside.publish_configuration().await.map_err(|source| failed(step.name(), source))?;
    fetch(ground.objects, step).await
}

/// Asks Flux for the source and everything that is applied from it, as `flux reconcile kustomization --with-source` does.
async fn fetch(objects: &Objects, step: &HealStep) -> Result<(), InjectError> {
    let asked = request(objects, &kinds::OCI_REPOSITORIES, FLUX, SOURCE, Look::Plain).await;
    done(step, Ok::<bool, WorldError>(asked), "OCIRepository", SOURCE)?;
    for kustomization in objects.list(&kinds::KUSTOMIZATIONS, Some(FLUX)) {
        request(objects, &kinds::KUSTOMIZATIONS, FLUX, object::name(&kustomization), Look::Plain).await;
    }
    Ok(())
}

/// Asks a HelmRelease to reconcile, as `flux reconcile helmrelease` does with `--reset` or `--force`.
async fn look_at(objects: &Objects, what: &str, release: &str, look: Look) -> Result<(), InjectError> {
    if request(objects, &kinds::HELM_RELEASES, RELEASES, release, look).await {
        return Ok(());
    }
    let known = objects.list(&kinds::HELM_RELEASES, Some(RELEASES));
    let known = known.iter().map(|it| object::name(it).to_owned()).collect();
    Err(no_target(what, format!("HelmRelease {release}"), known))
}

/// Asks a release, if it is there, to look at its values.
pub(super) async fn look_again(objects: &Objects, release: &str) -> bool {
    request(objects, &kinds::HELM_RELEASES, RELEASES, release, Look::Plain).await
}

/// Asks a release, if it is there, to be applied again.
pub(super) async fn apply_again(objects: &Objects, release: &str) -> bool {
    request(objects, &kinds::HELM_RELEASES, RELEASES, release, Look::Force).await
}

/// Asks Flux to look at an object; says whether there is one.
async fn request(objects: &Objects, kind: &Res, namespace: &str, name: &str, look: Look) -> bool {
    reconcile::ask(objects, kind, namespace, name, look).await.is_ok()
}

/// Scales a controller; says whether there is one.
async fn scale(objects: &Objects, controller: &str, replicas: u64) -> bool {
    let scale = |it: &mut Value| it["spec"]["replicas"] = json!(replicas);
    objects.modify(&kinds::DEPLOYMENTS, FLUX, controller, scale).await.is_ok()
}

/// A configuration that the registry does not have.
struct Missing(FaultId);

#[async_trait(?Send)]
impl Cause for Missing {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let receipts = read(ground.outside.registry().receipts().await, "the registry").into_iter();
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
        let felt = read(ground.machine.burdened().await, "a controller of Flux").into_iter();
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
        let gone = ground.objects.get(&kinds::DEPLOYMENTS, FLUX, controller).is_some_and(|it| {
            it["spec"]["replicas"] == 0 && it["status"]["replicas"].as_u64().unwrap_or(0) == 0
        });
        self.noticed.if_so(gone, ground, &format!("{controller} has no pod"))
    }
}

/// Pins the source to what it has, as soon as it has something.
fn pin(ground: &Ground<'_>) -> Rc<dyn Cause> {
    let objects = ground.objects.clone();
    tokio::spawn(async move {
        let fetched = || {
            let source = objects.get(&kinds::OCI_REPOSITORIES, FLUX, SOURCE)?;
            digest(&source).map(str::to_owned)
        };
        let Some(digest) = objects.until(fetched).await else { return };
        let pin = |source: &mut Value| source["spec"]["ref"]["digest"] = json!(digest);
        if let Err(error) = objects.modify(&kinds::OCI_REPOSITORIES, FLUX, SOURCE, pin).await {
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
        let objects = ground.objects;
        let held = objects.get(&kinds::OCI_REPOSITORIES, FLUX, SOURCE).is_some_and(|it| {
            it["spec"]["ref"]["digest"].is_string() && digest(&it) == it["spec"]["ref"]["digest"].as_str()
        });
        let selected = objects.get(&kinds::CONFIG_MAPS, RELEASES, "appliance-release-selection");
        let moved = selected.is_some_and(|it| it["data"]["releaseVersion"] != self.release.as_str());
        self.noticed.if_so(held && moved, ground, "another release is selected, and the source is pinned")
    }
}

/// Whether the source has one of these configurations.
pub(super) fn has_fetched(objects: &Objects, digests: &BTreeSet<String>) -> bool {
    let source = objects.get(&kinds::OCI_REPOSITORIES, FLUX, SOURCE);
    source.is_some_and(|it| digest(&it).is_some_and(|digest| digests.contains(digest)))
}
