//! Causes in single releases.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use serde_json::{Value, json};

use super::flux::has_fetched;
use super::{Cause, Ground, Noticed, Objects, Set, Sighting, done, failed, unsupported, workload};
use crate::fault::{FaultUse, HealStep};
use crate::world::{InjectError, WorldError};

/// Where HelmReleases live.
pub(super) const RELEASES: &str = "alga-system";
/// The version under which another chart is published.
const OTHER: &str = "1.0.1";
/// A template that looks for a value that nobody gives.
const UNRENDERED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-relay\ndata:\n  \
    relay: {{ .Values.relay.host | quote }}\n";
/// A manifest that no API takes: a selector that does not select its own pods.
const UNTAKEN: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}-relay\nspec:\n  \
    selector: {matchLabels: {app: relay}}\n  template:\n    metadata: {labels: {app: other}}\n    spec:\n      \
    containers: [{name: relay, image: relay}]\n";
/// What is left of a record that was cut off.
const CUT_OFF: &str = "SDRzSUFBQUFBQUFDLzQ=";

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let release = fault.params.text("release").unwrap_or_default().to_owned();
    let noticed = Noticed::default();
    match fault.name() {
        "flux.release-failed" => {
            let template = if fault.params.text("how") == Some("manifest") { UNTAKEN } else { UNRENDERED };
            let published = publish_other_chart(ground, &release, template).await;
            published.map_err(|source| failed(fault.name(), source))?;
            Ok(Rc::new(Failing { release, noticed }))
        }
        "flux.release-absent" => {
            ground.outside.configuration.leave_out(&release);
            let published = ground.outside.publish_configuration().await;
            published.map_err(|source| failed(fault.name(), source))?;
            Ok(Rc::new(Absent { release, noticed }))
        }
        "flux.release-locked" => {
            tokio::spawn(lock(ground.objects.clone(), release.clone()));
            Ok(Rc::new(Locked { release, noticed }))
        }
        "flux.suspended" => {
            tokio::spawn(suspend(ground.objects.clone(), release.clone()));
            Ok(Rc::new(Suspended { release, noticed }))
        }
        other => Err(unsupported(other)),
    }
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let (objects, release) = (ground.objects, step.params.text("release").unwrap_or_default());
    match step.name() {
        "flux.remove-record" => {
            done(step, remove_damaged(objects, release).await, "damaged record of", release)
        }
        "flux.resume" => {
            let resume = |it: &mut Value| {
                if let Some(spec) = it["spec"].as_object_mut() {
                    spec.remove("suspend");
                }
            };
            let resumed = objects.modify(&kinds::HELM_RELEASES, RELEASES, release, resume).await;
            done(step, Ok::<bool, WorldError>(resumed.is_ok()), "HelmRelease", release)
        }
        other => Err(unsupported(other)),
    }
}

/// Deletes the records of a release that were cut off; says whether there were any.
async fn remove_damaged(objects: &Objects, release: &str) -> Result<bool, WorldError> {
    let mut damaged = records(objects, release);
    damaged.retain(|it| it["data"]["release"] == CUT_OFF);
    for record in &damaged {
        objects.delete(&kinds::SECRETS, workload::NAMESPACE, object::name(record)).await?;
    }
    Ok(!damaged.is_empty())
}

async fn publish_other_chart(ground: &Ground<'_>, release: &str, template: &str) -> Result<(), WorldError> {
    let path = ["core", "background"].map(|tier| format!("flux/{tier}/{release}.yaml"));
    let file = path.iter().find_map(|path| fixtures::file(path)).unwrap_or_default();
    let object: Value = serde_saphyr::from_slice(file)?;
    let chart = object["spec"]["chart"]["spec"]["chart"].as_str().unwrap_or_default();
    ground.outside.publish_other_chart(chart, OTHER, template).await?;
    ground.outside.configuration.choose_chart(release, OTHER);
    ground.outside.publish_configuration().await
}

/// The record Secrets of a release, oldest first.
fn records(objects: &Objects, release: &str) -> Vec<std::sync::Arc<Value>> {
    let mut records = objects.list(&kinds::SECRETS, Some(workload::NAMESPACE));
    records.retain(|it| {
        object::label(it, "owner") == Some("helm") && object::label(it, "name") == Some(release)
    });
    records.sort_by_key(|it| object::label(it, "version").and_then(|text| text.parse::<u64>().ok()));
    records
}

/// Damages the newest record of a release; where there is none, one that an earlier life left behind is damaged.
async fn lock(objects: Objects, release: String) {
    let place = || objects.get(&kinds::NAMESPACES, "", workload::NAMESPACE).map(|_| ());
    if objects.until(place).await.is_none() {
        return;
    }
    let newest = records(&objects, &release).pop();
    let damaged = match newest {
        Some(record) => {
            let cut_off = |record: &mut Value| record["data"]["release"] = json!(CUT_OFF);
            objects.modify(&kinds::SECRETS, workload::NAMESPACE, object::name(&record), cut_off).await
        }
        None => {
            let record = json!({
                "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
                "metadata": {"name": format!("sh.helm.release.v1.{release}.v1"), "namespace": workload::NAMESPACE,
                    "labels": {"name": release, "owner": "helm", "status": "pending-install", "version": "1"}},
                "data": {"release": CUT_OFF},
            });
            objects.create(&kinds::SECRETS, record).await
        }
    };
    if let Err(error) = damaged {
        tracing::warn!(%error, "cannot damage a record");
    }
}

async fn suspend(objects: Objects, release: String) {
    let there = || objects.get(&kinds::HELM_RELEASES, RELEASES, &release).map(|_| ());
    if objects.until(there).await.is_some() {
        let suspend = |it: &mut Value| it["spec"]["suspend"] = json!(true);
        if let Err(error) = objects.modify(&kinds::HELM_RELEASES, RELEASES, &release, suspend).await {
            tracing::warn!(%error, "cannot suspend a release");
        }
    }
}

/// What a HelmRelease says of itself.
fn ready(objects: &Objects, release: &str) -> Option<(String, String, String)> {
    let object = objects.get(&kinds::HELM_RELEASES, RELEASES, release)?;
    let ready = object::condition(&object, "Ready")?;
    let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
    let version = object["spec"]["chart"]["spec"]["version"].as_str().unwrap_or_default().to_owned();
    Some((text("status") + "/" + &text("reason"), text("message"), version))
}

/// A release whose chart is wrong.
struct Failing {
    release: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Failing {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let failed = ready(ground.objects, &self.release).is_some_and(|(state, _, version)| {
            matches!(state.as_str(), "False/InstallFailed" | "False/UpgradeFailed") && version == OTHER
        });
        self.noticed.if_so(failed, ground, &format!("Helm failed with chart {OTHER} of {}", self.release))
    }
}

/// A release that the configuration does not have.
struct Absent {
    release: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Absent {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let (objects, release) = (ground.objects, &self.release);
        let fetched = has_fetched(objects, &ground.outside.configuration.newest());
        let releases = objects.list(&kinds::HELM_RELEASES, Some(RELEASES));
        let applied = !releases.is_empty() && releases.iter().all(|it| object::name(it) != release);
        self.noticed.if_so(
            fetched && applied,
            ground,
            &format!("the configuration was applied without {release}"),
        )
    }
}

/// A release whose record stands in the way.
struct Locked {
    release: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Locked {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let (objects, release) = (ground.objects, &self.release);
        let refused =
            ready(objects, release).is_some_and(|(_, message, _)| message.contains("already exists"));
        self.noticed.if_so(refused, ground, &format!("Helm could not make a record of {release}"))
    }
}

/// A release that stands still.
struct Suspended {
    release: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Suspended {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let release = ground.objects.get(&kinds::HELM_RELEASES, RELEASES, &self.release);
        let suspended = release.is_some_and(|it| it["spec"]["suspend"] == true);
        self.noticed.if_so(suspended, ground, &format!("{} is suspended", self.release))
    }
}
