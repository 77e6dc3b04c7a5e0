//! Which volume a claim gets, and tying the two together.

use std::sync::Arc;

use cluster_api::{Store, kinds, object};
use serde_json::{Value, json};

use super::claims::Claims;
use super::provisioning;
use crate::control::note;

pub(super) const COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// Whether the volume names this claim.
pub(super) fn belongs(volume: &Value, claim: &Value) -> bool {
    let reference = &volume["spec"]["claimRef"];
    reference["name"] == claim["metadata"]["name"]
        && reference["namespace"] == claim["metadata"]["namespace"]
        && (reference["uid"].as_str().unwrap_or("").is_empty()
            || reference["uid"] == claim["metadata"]["uid"])
}

/// A volume made for the claim, or a free one that suits it and is big enough; the smallest wins.
pub(super) fn find(store: &Store, claim: &Value) -> Option<Arc<Value>> {
    let volumes = store.list(&kinds::PERSISTENT_VOLUMES, None);
    if let Some(volume) = volumes.iter().find(|volume| belongs(volume, claim)) {
        return Some(Arc::clone(volume));
    }
    let waits = provisioning::waits_for_consumer(store, claim);
    let free = volumes
        .into_iter()
        .filter(|volume| !waits && volume["spec"]["claimRef"].is_null() && suits(volume, claim));
    free.min_by_key(|volume| bytes(&volume["spec"]["capacity"]["storage"]))
}

fn suits(volume: &Value, claim: &Value) -> bool {
    let class = |object: &Value| object["spec"]["storageClassName"].as_str().unwrap_or("").to_owned();
    let modes = |object: &Value| object["spec"]["accessModes"].as_array().cloned().unwrap_or_default();
    let offered = modes(volume);
    !object::is_deleting(volume)
        && class(volume) == class(claim)
        && modes(claim).iter().all(|mode| offered.contains(mode))
        && bytes(&volume["spec"]["capacity"]["storage"])
            >= bytes(&claim["spec"]["resources"]["requests"]["storage"])
}

/// A quantity in whole bytes.
fn bytes(quantity: &Value) -> u128 {
    let Some(text) = quantity.as_str() else { return quantity.as_u64().unwrap_or(0).into() };
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u128 = text[..digits].parse().unwrap_or(0);
    let unit: u128 = match &text[digits..] {
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        _ => 1,
    };
    number * unit
}

/// Ties a claim and a volume together: reference, phase, name, annotations, capacity.
pub(super) fn bind(claims: &Claims, claim: &Value, volume: &Value) {
    let now = object::timestamp(claims.store.clock().now());
    let chosen_here = volume["spec"]["claimRef"].is_null();
    let outcome = claims.store.modify(&kinds::PERSISTENT_VOLUMES, "", object::name(volume), |volume| {
        if chosen_here {
            object::set_annotation(volume, BY_CONTROLLER, "yes");
        }
        if volume["spec"]["claimRef"]["uid"] != claim["metadata"]["uid"] {
            volume["spec"]["claimRef"] = json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": object::namespace(claim),
                "name": object::name(claim), "uid": object::uid(claim),
                "resourceVersion": claim["metadata"]["resourceVersion"],
            });
        }
        if volume["status"]["phase"] != "Bound" {
            volume["status"] = json!({"phase": "Bound", "lastPhaseTransitionTime": now});
        }
    });
    note("bind a volume", outcome);
    let by_name = claim["spec"]["volumeName"].is_string();
    let outcome = claims.modify(claim, |claim| {
        object::set_annotation(claim, COMPLETED, "yes");
        if !by_name {
            object::set_annotation(claim, BY_CONTROLLER, "yes");
            claim["spec"]["volumeName"] = volume["metadata"]["name"].clone();
        }
    });
    note("name the volume of a claim", outcome);
    let outcome = claims.modify(claim, |claim| {
        let wanted = json!({"phase": "Bound", "accessModes": volume["spec"]["accessModes"],
            "capacity": volume["spec"]["capacity"]});
        if claim["status"]["phase"] != "Bound" {
            claim["status"] = wanted;
        }
    });
    note("bind a claim", outcome);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_compare_across_units() {
        assert_eq!(bytes(&json!("1Gi")), 1 << 30);
        assert!(bytes(&json!("50Gi")) > bytes(&json!("50G")));
        assert_eq!(bytes(&json!("12")), 12);
    }

    #[test]
    fn a_volume_that_names_an_older_claim_of_the_same_name_does_not_belong() {
        let volume = json!({"spec": {"claimRef": {"namespace": "a", "name": "c", "uid": "old"}}});
        assert!(!belongs(&volume, &json!({"metadata": {"namespace": "a", "name": "c", "uid": "new"}})));
    }
}
