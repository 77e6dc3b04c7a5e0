//! A StatefulSet's members: names, claims, pods and revisions.

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster_api::{Store, kinds, object};
use serde_json::{Value, json};

use crate::control::controlled;
use crate::{hash, pods};

pub(super) const REVISION_LABEL: &str = "controller-revision-hash";

/// A StatefulSet with the revision its template makes.
pub(super) struct Set<'a> {
    pub object: &'a Value,
    pub revision: String,
}

impl<'a> Set<'a> {
    pub(super) fn of(object: &'a Value) -> Self {
        let revision = format!("{}-{}", object::name(object), hash::of(&object["spec"]["template"]));
        Self { object, revision }
    }

    pub(super) fn replicas(&self) -> u64 {
        self.object["spec"]["replicas"].as_u64().unwrap_or(1)
    }

    pub(super) fn pod_name(&self, ordinal: u64) -> String {
        format!("{}-{ordinal}", object::name(self.object))
    }

    fn templates(&self) -> &[Value] {
        self.object["spec"]["volumeClaimTemplates"].as_array().map_or(&[], Vec::as_slice)
    }

    fn claim_name(&self, template: &Value, ordinal: u64) -> String {
        format!("{}-{}", object::name(template), self.pod_name(ordinal))
    }

    /// The claims of a member.
    pub(super) fn claims(&self, ordinal: u64) -> Vec<Value> {
        let made = self.templates().iter().map(|template| {
            let mut labels = template["metadata"]["labels"].as_object().cloned().unwrap_or_default();
            if let Some(selected) = self.object["spec"]["selector"]["matchLabels"].as_object() {
                labels.extend(selected.clone());
            }
            let mut metadata = json!({
                "name": self.claim_name(template, ordinal), "namespace": object::namespace(self.object), "labels": labels,
            });
            if !template["metadata"]["annotations"].is_null() {
                metadata["annotations"] = template["metadata"]["annotations"].clone();
            }
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"]})
        });
        made.collect()
    }

    /// The pod of a member.
    pub(super) fn pod(&self, ordinal: u64) -> Value {
        let mut pod = pods::from_template(self.object, &self.object["spec"]["template"]);
        let name = self.pod_name(ordinal);
        pod["metadata"]["name"] = json!(name);
        for (label, value) in [
            ("apps.kubernetes.io/pod-index", ordinal.to_string().as_str()),
            (REVISION_LABEL, self.revision.as_str()),
            ("statefulset.kubernetes.io/pod-name", name.as_str()),
        ] {
            object::set_label(&mut pod, label, value);
        }
        pod["spec"]["hostname"] = json!(name);
        pod["spec"]["subdomain"] = self.object["spec"]["serviceName"].clone();
        let mut volumes = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
        for template in self.templates() {
            volumes.retain(|volume| volume["name"] != template["metadata"]["name"]);
            volumes.push(json!({
                "name": object::name(template),
                "persistentVolumeClaim": {"claimName": self.claim_name(template, ordinal)},
            }));
        }
        if !volumes.is_empty() {
            pod["spec"]["volumes"] = json!(volumes);
        }
        pod
    }
}

/// The pods of a StatefulSet by ordinal.
pub(super) struct Members {
    by_ordinal: BTreeMap<u64, Arc<Value>>,
}

impl Members {
    pub(super) fn of(store: &Store, set: &Set<'_>) -> Self {
        let prefix = format!("{}-", object::name(set.object));
        let by_ordinal = controlled(store, &kinds::PODS, set.object)
            .into_iter()
            .filter_map(|pod| Some((object::name(&pod).strip_prefix(&prefix)?.parse().ok()?, pod)))
            .collect();
        Self { by_ordinal }
    }

    pub(super) fn at(&self, ordinal: u64) -> Option<&Arc<Value>> {
        self.by_ordinal.get(&ordinal)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.by_ordinal.values()
    }

    /// Members that are too many, the last first.
    pub(super) fn beyond(&self, replicas: u64) -> impl Iterator<Item = &Arc<Value>> {
        self.by_ordinal.range(replicas..).rev().map(|(_, pod)| pod)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_gets_its_claim_as_a_volume_and_its_name_as_a_hostname() {
        let object = json!({
            "metadata": {"name": "db", "namespace": "msp", "uid": "u"},
            "spec": {
                "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
                "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": []}},
                "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}],
            },
        });
        let set = Set::of(&object);
        let pod = set.pod(1);
        assert_eq!(pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"], "data-db-1");
        assert_eq!(pod["spec"]["hostname"], "db-1");
        assert_eq!(set.claims(1)[0]["metadata"]["labels"], json!({"app": "db"}));
    }
}
