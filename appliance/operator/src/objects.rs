//! Manifests as data, and how their kinds are addressed.

use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::Value;

use crate::failure::{Failure, Layer};

const CLUSTER_SCOPED: &[&str] = &[
    "Namespace",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "StorageClass",
    "PersistentVolume",
];

/// Every object of a manifest that lies in the fixtures.
pub(crate) fn manifest(path: &str) -> Result<Vec<Value>, Failure> {
    let missing = || Failure::new(Layer::Usage, format!("read {path}: it is not part of this build"), "");
    let text = fixtures::file(path).and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or_else(missing)?;
    let objects: Vec<Value> = serde_saphyr::from_multiple(text)
        .map_err(|error| Failure::new(Layer::Usage, format!("read {path}"), "").because(error.to_string()))?;
    Ok(objects.into_iter().filter(|it| it.is_object()).collect())
}

/// An object as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) resource: ApiResource,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) object: Value,
}

impl Manifest {
    pub(crate) fn new(object: Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let api_version = text(&object["apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version.as_str()));
        let kind = text(&object["kind"]);
        let resource = resource(group, version, &kind);
        let namespace = (!CLUSTER_SCOPED.contains(&kind.as_str()))
            .then(|| object["metadata"]["namespace"].as_str().unwrap_or("default").to_owned());
        let name = text(&object["metadata"]["name"]);
        Self { resource, namespace, name, object }
    }

    /// Kind and name for people.
    pub(crate) fn title(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.resource.kind, self.name),
            None => format!("{} {}", self.resource.kind, self.name),
        }
    }
}

/// How a kind is addressed.
pub(crate) fn resource(group: &str, version: &str, kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// The condition of that type, as status, reason and message.
pub(crate) fn condition<'a>(object: &'a DynamicObject, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let conditions = object.data["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|it| it["type"] == kind)?;
    let text = |key: &str| found[key].as_str().unwrap_or_default();
    Some((text("status"), text("reason"), text("message")))
}

#[cfg(test)]
mod tests {
    use super::{Manifest, manifest};

    #[test]
    fn everything_that_bootstrap_applies_is_part_of_the_build() {
        for path in ["local-path", "storage-smoke", "flux-crds", "flux"] {
            let objects = manifest(&format!("platform/{path}.yaml")).unwrap();
            assert!(objects.len() > 1, "{path}");
            for object in objects {
                let manifest = Manifest::new(object);
                assert!(!manifest.name.is_empty() && !manifest.resource.plural.is_empty(), "{path}");
            }
        }
    }

    #[test]
    fn plurals_are_those_of_the_api() {
        let cases = [
            ("storage.k8s.io", "StorageClass", "storageclasses"),
            ("source.toolkit.fluxcd.io", "OCIRepository", "ocirepositories"),
            ("helm.toolkit.fluxcd.io", "HelmRelease", "helmreleases"),
        ];
        for (group, kind, plural) in cases {
            assert_eq!(super::resource(group, "v1", kind).plural, plural);
        }
    }
}
