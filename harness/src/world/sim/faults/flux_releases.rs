//! Causes in single releases.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{Store, kinds, object};
use serde_json::{Value, json};

use super::flux::has_fetched;
use super::volumes::until;
use super::{Cause, Ground, Noticed, Set, Sighting, done, failed, unsupported, workload};
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

pub(super) fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let release = fault.params.text("release").unwrap_or_default().to_owned();
    let noticed = Noticed::default();
    match fault.name() {
        "flux.release-failed" => {
            let template = if fault.params.text("how") == Some("manifest") { UNTAKEN } else { UNRENDERED };
            let published = publish_other_chart(ground, &release, template);
            published.map_err(|source| failed(fault.name(), source))?;
            Ok(Rc::new(Failing { release, noticed }))
        }
        "flux.release-absent" => {
            ground.outside.configuration.leave_out(&release);
            let published = ground.outside.publish_configuration();
            published.map_err(|source| failed(fault.name(), source))?;
            Ok(Rc::new(Absent { release, noticed }))
        }
        "flux.release-locked" => {
            tokio::spawn(lock(ground.store().clone(), release.clone()));
            Ok(Rc::new(Locked { release, noticed }))
        }
        "flux.suspended" => {
            tokio::spawn(suspend(ground.store().clone(), release.clone()));
            Ok(Rc::new(Suspended { release, noticed }))
        }
        other => Err(unsupported(other)),
    }
}

pub(super) fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let (store, release) = (ground.store(), step.params.text("release").unwrap_or_default());
    match step.name() {
        "flux.remove-record" => {
            let damaged = records(store, release).into_iter().filter(|it| it["data"]["release"] == CUT_OFF);
            let removed = damaged
                .map(|it| store.remove(&kinds::SECRETS, workload::NAMESPACE, object::name(&it)))
                .count();
            done(step, Ok::<bool, WorldError>(removed > 0), "damaged record of", release)
        }
        "flux.resume" => {
            let resumed = store.modify(&kinds::HELM_RELEASES, RELEASES, release, |it| {
                if let Some(spec) = it["spec"].as_object_mut() {
                    spec.remove("suspend");
                }
            });
            done(step, Ok::<bool, WorldError>(resumed.is_ok()), "HelmRelease", release)
        }
        other => Err(unsupported(other)),
    }
}

fn publish_other_chart(ground: &Ground<'_>, release: &str, template: &str) -> Result<(), WorldError> {
    let path = ["core", "background"].map(|tier| format!("flux/{tier}/{release}.yaml"));
    let file = path.iter().find_map(|path| fixtures::file(path)).unwrap_or_default();
    let object: Value = serde_saphyr::from_slice(file)?;
    let chart = object["spec"]["chart"]["spec"]["chart"].as_str().unwrap_or_default();
    ground.outside.publish_other_chart(chart, OTHER, template)?;
    ground.outside.configuration.choose_chart(release, OTHER);
    ground.outside.publish_configuration()
}

/// The record Secrets of a release, oldest first.
fn records(store: &Store, release: &str) -> Vec<std::sync::Arc<Value>> {
    let mut records = store.list(&kinds::SECRETS, Some(workload::NAMESPACE));
    records.retain(|it| {
        object::label(it, "owner") == Some("helm") && object::label(it, "name") == Some(release)
    });
    records.sort_by_key(|it| object::label(it, "version").and_then(|text| text.parse::<u64>().ok()));
    records
}

/// Damages the newest record of a release; where there is none, one that an earlier life left behind is damaged.
async fn lock(store: Store, release: String) {
    let place = || store.get(&kinds::NAMESPACES, "", workload::NAMESPACE).map(|_| ());
    if until(&store, place).await.is_none() {
        return;
    }
    let newest = records(&store, &release).pop();
    let damaged = match newest {
        Some(record) => store.modify(&kinds::SECRETS, workload::NAMESPACE, object::name(&record), |record| {
            record["data"]["release"] = json!(CUT_OFF);
        }),
        None => store.create(&kinds::SECRETS, json!({
            "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": format!("sh.helm.release.v1.{release}.v1"), "namespace": workload::NAMESPACE,
                "labels": {"name": release, "owner": "helm", "status": "pending-install", "version": "1"}},
            "data": {"release": CUT_OFF},
        })),
    };
    if let Err(error) = damaged {
        tracing::warn!(%error, "cannot damage a record");
    }
}

async fn suspend(store: Store, release: String) {
    let there = || store.get(&kinds::HELM_RELEASES, RELEASES, &release).map(|_| ());
    if until(&store, there).await.is_some() {
        let suspended =
            store.modify(&kinds::HELM_RELEASES, RELEASES, &release, |it| it["spec"]["suspend"] = json!(true));
        if let Err(error) = suspended {
            tracing::warn!(%error, "cannot suspend a release");
        }
    }
}

/// What a HelmRelease says of itself.
fn ready(store: &Store, release: &str) -> Option<(String, String, String)> {
    let object = store.get(&kinds::HELM_RELEASES, RELEASES, release)?;
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
        let failed = ready(ground.store(), &self.release).is_some_and(|(state, _, version)| {
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
        let (store, release) = (ground.store(), &self.release);
        let fetched = has_fetched(store, &ground.outside.configuration.newest());
        let releases = store.list(&kinds::HELM_RELEASES, Some(RELEASES));
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
        let (store, release) = (ground.store(), &self.release);
        let refused = ready(store, release).is_some_and(|(_, message, _)| message.contains("already exists"));
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
        let release = ground.store().get(&kinds::HELM_RELEASES, RELEASES, &self.release);
        let suspended = release.is_some_and(|it| it["spec"]["suspend"] == true);
        self.noticed.if_so(suspended, ground, &format!("{} is suspended", self.release))
    }
}
