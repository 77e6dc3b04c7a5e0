//! What happens to a claim that no volume suits: its class decides who makes one, and when.

use std::sync::Arc;

use cluster_api::{Store, kinds, object};
use serde_json::{Value, json};

use super::claims::Claims;
use crate::control::note;

const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const BETA_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// The newest class that is marked as default.
fn default_class(store: &Store) -> Option<Arc<Value>> {
    let classes = store.list(&kinds::STORAGE_CLASSES, None);
    let defaults =
        classes.into_iter().filter(|class| object::annotation(class, DEFAULT_CLASS) == Some("true"));
    defaults.max_by_key(|class| {
        let created = class["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
        (created, std::cmp::Reverse(object::name(class).to_owned()))
    })
}

fn class_of(store: &Store, claim: &Value) -> Option<Arc<Value>> {
    store.get(&kinds::STORAGE_CLASSES, "", claim["spec"]["storageClassName"].as_str()?)
}

/// Whether the class binds only when a pod that uses the claim has been given a node, and none has.
pub(super) fn waits_for_consumer(store: &Store, claim: &Value) -> bool {
    object::annotation(claim, SELECTED_NODE).is_none()
        && class_of(store, claim).is_some_and(|class| class["volumeBindingMode"] == "WaitForFirstConsumer")
}

/// Says why the claim stays open, or hands it to its provisioner.
pub(super) fn ask(claims: &Claims, claim: &Value) {
    let class_name = &claim["spec"]["storageClassName"];
    if class_name.is_null()
        && let Some(class) = default_class(&claims.store)
    {
        let name = class["metadata"]["name"].clone();
        note(
            "give a claim the default class",
            claims.modify(claim, |claim| claim["spec"]["storageClassName"] = name),
        );
        return;
    }
    let Some(class_name) = class_name.as_str().filter(|name| !name.is_empty()) else {
        let message = "no persistent volumes available for this claim and no storage class is set";
        claims.events.normal(claim, "FailedBinding", message);
        return;
    };
    if waits_for_consumer(&claims.store, claim) {
        let message = "waiting for first consumer to be created before binding";
        claims.events.normal(claim, "WaitForFirstConsumer", message);
        return;
    }
    let Some(class) = class_of(&claims.store, claim) else {
        let message = format!("storageclass.storage.k8s.io \"{class_name}\" not found");
        claims.events.warning(claim, "ProvisioningFailed", &message);
        return;
    };
    let provisioner = class["provisioner"].as_str().unwrap_or_default();
    if provisioner == "kubernetes.io/no-provisioner" {
        let message = "no persistent volumes available for this claim and no storage class is set";
        claims.events.normal(claim, "FailedBinding", message);
        return;
    }
    if object::annotation(claim, PROVISIONER) != Some(provisioner) {
        let outcome = claims.modify(claim, |claim| {
            object::set_annotation(claim, BETA_PROVISIONER, provisioner);
            object::set_annotation(claim, PROVISIONER, provisioner);
            object::child(claim, "status")["phase"] = json!("Pending");
        });
        note("ask for a volume", outcome);
    }
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system \
         administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
    );
    claims.events.normal(claim, "ExternalProvisioning", &message);
}
