//! The application's workloads, as `kubectl` reaches them.

use std::sync::Arc;

use cluster_api::{kinds, object};
use serde_json::Value;

use super::{Objects, WorldError};

/// Where the application's objects are.
pub(super) const NAMESPACE: &str = "msp";
/// The label by which a component's pods are known.
const COMPONENT: &str = "app.kubernetes.io/name";

/// What `kubectl patch deployment` does to the pods of a component; says whether there is one.
pub(super) async fn patch_pods(
    objects: &Objects,
    component: &str,
    mut change: impl FnMut(&mut Value),
) -> Result<bool, WorldError> {
    let deployments = objects.list(&kinds::DEPLOYMENTS, Some(NAMESPACE));
    let is_mine = |it: &&Arc<Value>| object::label(&it["spec"]["template"], COMPONENT) == Some(component);
    let Some(mine) = deployments.iter().find(is_mine) else { return Ok(false) };
    let patch = |deployment: &mut Value| change(&mut deployment["spec"]["template"]["spec"]);
    objects.modify(&kinds::DEPLOYMENTS, NAMESPACE, object::name(mine), patch).await?;
    Ok(true)
}

/// Whether a container, of those that come first too, waits and says so.
pub(super) fn waits(objects: &Objects, message: &str) -> bool {
    let says = |status: &Value| {
        status["state"]["waiting"]["message"].as_str().is_some_and(|text| text.contains(message))
    };
    let pods = objects.list(&kinds::PODS, Some(NAMESPACE));
    let lists = pods
        .iter()
        .flat_map(|pod| ["initContainerStatuses", "containerStatuses"].map(|it| &pod["status"][it]));
    lists.flat_map(|list| list.as_array().into_iter().flatten()).any(says)
}
