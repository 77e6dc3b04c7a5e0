//! What the cluster can do.

use crate::value::{Element, List, Value};

/// The Kubernetes version and the API versions that templates ask for.
#[derive(Clone, Debug)]
pub struct Capabilities {
    kube_version: String,
    api_versions: Vec<String>,
}

/// What `helm template` assumes where there is no cluster.
const DEFAULT_VERSION: &str = "v1.37.0";
const DEFAULT_API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

impl Default for Capabilities {
    fn default() -> Self {
        let versions = DEFAULT_API_VERSIONS.iter().map(|version| (*version).into()).collect();
        Self::new(DEFAULT_VERSION, versions)
    }
}

impl Capabilities {
    /// A cluster of a version, such as `v1.34.1`, that serves API versions, such as `apps/v1`, and kinds, such
    /// as `apps/v1/Deployment`.
    pub fn new(kube_version: &str, api_versions: Vec<String>) -> Self {
        Self { kube_version: kube_version.into(), api_versions }
    }

    /// The same with further API versions.
    pub fn and_api_versions(mut self, more: impl IntoIterator<Item = String>) -> Self {
        self.api_versions.extend(more);
        self
    }

    pub(crate) fn facts(&self) -> ClusterFacts {
        let plain = self.kube_version.trim_start_matches('v');
        let numbers = plain.split(['-', '+']).next().unwrap_or(plain);
        let mut parts = numbers.split('.');
        let mut part = || -> String {
            let digits: String =
                parts.next().unwrap_or("0").chars().take_while(char::is_ascii_digit).collect();
            digits
        };
        let (major, minor, patch) = (part(), part(), part());
        ClusterFacts {
            version: format!("v{plain}"),
            normalized: format!("v{major}.{minor}.{}", if patch.is_empty() { "0" } else { &patch }),
            major,
            minor,
            api_versions: self.api_versions.clone(),
        }
    }
}

/// The same as templates see it.
#[derive(Debug)]
pub(crate) struct ClusterFacts {
    pub(crate) version: String,
    /// The version without anything after its three numbers.
    pub(crate) normalized: String,
    pub(crate) major: String,
    pub(crate) minor: String,
    pub(crate) api_versions: Vec<String>,
}

impl ClusterFacts {
    pub(crate) fn version_set(&self) -> Value {
        let versions = self.api_versions.iter().map(|version| version.as_str().into()).collect();
        Value::List(List::new(Element::Versions, versions))
    }
}
