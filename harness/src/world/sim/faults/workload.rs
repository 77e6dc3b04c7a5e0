//! The application's workloads, as `kubectl` reaches them.

use std::sync::Arc;

use cluster_api::{ApiError, Store, kinds, object};
use serde_json::Value;

/// Where the application's objects are.
pub(super) const NAMESPACE: &str = "msp";
/// The label by which a component's pods are known.
const COMPONENT: &str = "app.kubernetes.io/name";

/// What `kubectl patch deployment` does to the pods of a component; says whether there is one.
pub(super) fn patch_pods(
    store: &Store,
    component: &str,
    change: impl FnOnce(&mut Value),
) -> Result<bool, ApiError> {
    let deployments = store.list(&kinds::DEPLOYMENTS, Some(NAMESPACE));
    let is_mine = |it: &&Arc<Value>| object::label(&it["spec"]["template"], COMPONENT) == Some(component);
    let Some(mine) = deployments.iter().find(is_mine) else { return Ok(false) };
    store.modify(&kinds::DEPLOYMENTS, NAMESPACE, object::name(mine), |deployment| {
        change(&mut deployment["spec"]["template"]["spec"]);
    })?;
    Ok(true)
}
