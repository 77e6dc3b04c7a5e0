//! Values of releases: the appliance's, and the site's own.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use serde_json::{Value, json};

use super::{
    Cause, Ground, Noticed, Objects, Set, Sighting, WorldError, done, failed, flux, no_target, site,
    unsupported,
};
use crate::fault::{FaultUse, HealStep};
use crate::world::InjectError;

/// Where values are.
const NAMESPACE: &str = "alga-system";

pub(super) fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let release = fault.params.text("release").unwrap_or_default();
    match fault.name() {
        "values.deleted" => {
            let (objects, archive, name) = (ground.objects.clone(), ground.archive.clone(), own(release));
            tokio::spawn(async move {
                let map = objects.until(|| objects.get(&kinds::CONFIG_MAPS, NAMESPACE, &name)).await;
                if let Some(map) = map {
                    archive.keep("ConfigMap", &map);
                    if let Err(error) = objects.delete(&kinds::CONFIG_MAPS, NAMESPACE, &name).await {
                        tracing::warn!(%error, name, "cannot delete values");
                    }
                }
            });
            Ok(Rc::new(Deleted { release: release.to_owned(), noticed: Noticed::default() }))
        }
        other => Err(unsupported(other)),
    }
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let release = step.params.text("release").unwrap_or_default();
    match step.name() {
        "values.restore" => {
            done(step, site::take_away(&ground.configuration, release), "values of its own for", release)
        }
        "values.put-back" => {
            let name = own(release);
            let Some(kept) = ground.archive.kept("ConfigMap", NAMESPACE, &name) else {
                return Err(no_target(step.name(), format!("ConfigMap {name} that was deleted"), Vec::new()));
            };
            let restored = ground.archive.put_back(ground.objects, &kinds::CONFIG_MAPS, kept).await;
            restored.map_err(|source| failed(step.name(), source))
        }
        other => Err(unsupported(other)),
    }
}

/// The ConfigMap with a release's values.
fn own(release: &str) -> String {
    format!("appliance-values-{release}")
}

/// Changes the site's own values of a release: in the site's folder, where the operator's command finds them, and, where it
/// has written the others already, in the cluster, where Flux is asked to look.
pub(super) async fn choose(
    ground: &Ground<'_>,
    fault: &str,
    release: &str,
    change: impl FnOnce(&mut Value),
) -> Result<(), InjectError> {
    let text =
        site::change(&ground.configuration, release, change).map_err(|source| failed(fault, source))?;
    let objects = ground.objects;
    if objects.get(&kinds::CONFIG_MAPS, NAMESPACE, &own(release)).is_none() {
        return Ok(());
    }
    let name = format!("appliance-site-values-{release}");
    let written = write(objects, &name, &text).await;
    written.map_err(|source| failed(fault, source))?;
    recover(ground).await.map_err(|source| failed(fault, source))?;
    // A release that is not there yet takes up what it finds.
    flux::look_again(objects, release).await;
    Ok(())
}

/// Whoever changes an application whose bootstrap has run does so in recover mode; a second fresh run would refuse.
pub(super) async fn recover(ground: &Ground<'_>) -> Result<(), WorldError> {
    let (objects, name) = (ground.objects, own("alga-core"));
    if ground.starts.of("bootstrap").is_empty()
        || objects.get(&kinds::CONFIG_MAPS, NAMESPACE, &name).is_none()
    {
        return Ok(());
    }
    let recover = |map: &mut Value| {
        for text in map["data"].as_object_mut().into_iter().flat_map(|data| data.values_mut()) {
            let recovering = text.as_str().map(|it| it.replace("mode: \"fresh\"", "mode: \"recover\""));
            *text = json!(recovering);
        }
    };
    objects.modify(&kinds::CONFIG_MAPS, NAMESPACE, &name, recover).await.map(drop)
}

async fn write(objects: &Objects, name: &str, text: &str) -> Result<(), WorldError> {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "data": { "values.yaml": text },
    });
    let write = |map: &mut Value| map["data"]["values.yaml"] = json!(text);
    objects.put(&kinds::CONFIG_MAPS, map, write).await.map(drop)
}

/// Adds a variable to those that the values give a component beside its own.
pub(super) async fn add_variable(
    ground: &Ground<'_>,
    fault: &str,
    component: &str,
    variable: Value,
) -> Result<(), InjectError> {
    let (release, section) = section(component);
    choose(ground, fault, release, |values| {
        let at = match section {
            "" => values,
            section => &mut values[section],
        };
        let list = &mut at["extraEnv"];
        if !list.is_array() {
            *list = json!([]);
        }
        if let Some(list) = list.as_array_mut() {
            list.retain(|known| known["name"] != variable["name"]);
            list.push(variable);
        }
    })
    .await
}

/// The release that brings a component, and the part of its values that is the component's.
fn section(component: &str) -> (&str, &'static str) {
    match component {
        "alga-core" => ("alga-core", "server"),
        "db" => ("alga-core", "db"),
        "redis" => ("alga-core", "redis"),
        "temporal" => ("temporal", "temporal"),
        "temporal-ui" => ("temporal", "ui"),
        own => (own, ""),
    }
}

/// Values that a release cannot do without.
struct Deleted {
    release: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Deleted {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let release = ground.objects.get(&kinds::HELM_RELEASES, NAMESPACE, &self.release);
        let missed = release.is_some_and(|release| {
            object::condition(&release, "Ready").is_some_and(|ready| ready["reason"] == "ValuesError")
        });
        self.noticed.if_so(missed, ground, &format!("Flux found no values of {}", self.release))
    }
}
