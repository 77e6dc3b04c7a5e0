//! A second provisioner of volumes, as a distribution brings one of its own.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{Res, kinds, object};
use serde_json::{Value, json};

use super::volume::STORAGE;
use super::{Cause, Ground, Objects, Set, Sighting, failed};
use crate::fault::FaultUse;
use crate::world::WorldError;

/// Where a distribution has its own provisioner.
pub(super) const SYSTEM: &str = "kube-system";
const NAME: &str = "local-path-provisioner";
/// What tells its objects of the whole cluster from those of the appliance.
const SUFFIX: &str = "-of-the-distribution";

/// Adds it: the appliance's own, in the namespace of the system.
pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    add(ground.objects).await.map_err(|source| failed(fault.name(), source))?;
    Ok(Rc::new(Second))
}

async fn add(objects: &Objects) -> Result<(), WorldError> {
    for (res, object) in manifests(objects)? {
        let wanted = object.clone();
        objects.put(&res, object, move |there| merge(there, &wanted)).await?;
    }
    Ok(())
}

/// Takes it away; says whether there was one.
pub(super) async fn remove(objects: &Objects) -> Result<bool, WorldError> {
    if objects.get(&kinds::DEPLOYMENTS, SYSTEM, NAME).is_none() {
        return Ok(false);
    }
    for (res, object) in manifests(objects)?.into_iter().rev() {
        objects.remove(&res, object::namespace(&object), object::name(&object)).await?;
    }
    Ok(true)
}

/// Its objects, in the order in which they are made.
fn manifests(objects: &Objects) -> Result<Vec<(Res, Value)>, WorldError> {
    let installed = fixtures::file(STORAGE).unwrap_or_default();
    let all: Vec<Value> = serde_saphyr::from_multiple(&String::from_utf8_lossy(installed))?;
    // The namespace and the class are there only once.
    let own = all.into_iter().filter(|it| it["kind"] != "Namespace" && it["kind"] != "StorageClass");
    own.map(|object| {
        let res = objects.resource(&object).ok_or_else(|| format!("no cluster has a {}", object["kind"]))?;
        Ok((res, moved(object)))
    })
    .collect()
}

/// The same object where a distribution has it.
fn moved(mut object: Value) -> Value {
    if object["metadata"]["namespace"].is_string() {
        object["metadata"]["namespace"] = json!(SYSTEM);
    } else {
        object["metadata"]["name"] = json!(format!("{NAME}{SUFFIX}"));
    }
    if object["kind"] == "ClusterRoleBinding" {
        object["roleRef"]["name"] = json!(format!("{NAME}{SUFFIX}"));
    }
    for subject in object["subjects"].as_array_mut().into_iter().flatten() {
        subject["namespace"] = json!(SYSTEM);
    }
    if object["kind"] == "Deployment" {
        let pod = &mut object["spec"]["template"]["spec"];
        pod["priorityClassName"] = json!("system-node-critical");
        pod["tolerations"] = json!([
            { "key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule" }
        ]);
    }
    object
}

/// Makes an object that is there what it should be.
fn merge(there: &mut Value, wanted: &Value) {
    for part in ["spec", "data", "rules", "subjects", "roleRef"] {
        if let Some(wanted) = wanted.get(part) {
            there[part] = wanted.clone();
        }
    }
}

struct Second;

#[async_trait(?Send)]
impl Cause for Second {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let pods = ground.objects.list(&kinds::PODS, Some(SYSTEM));
        let started = pods.iter().filter(|pod| object::label(pod, "app") == Some(NAME));
        let started = started.filter_map(|pod| {
            let status = pod["status"]["containerStatuses"].as_array()?.first()?;
            let at = status["state"]["running"]["startedAt"].as_str()?.parse().ok()?;
            Some(Sighting::new(at, format_args!("container {NAME} of {} was started", object::name(pod))))
        });
        started.collect()
    }
}
