//! What is known about each kind: its names, versions and behaviour.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::Res;

/// Whether objects of a kind live in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Objects have a namespace.
    Namespaced,
    /// Objects belong to the cluster.
    Cluster,
}

/// When `metadata.generation` grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// The kind has none.
    None,
    /// With each change of `spec`.
    Spec,
    /// With each change outside `metadata` and `status` (custom resources).
    Content,
}

/// One served version of a kind.
#[derive(Clone, Debug, Default)]
pub struct ServedVersion {
    /// `v1`, `v2beta1`.
    pub name: String,
    /// The OpenAPI v3 schema of a custom resource.
    pub schema: Option<Arc<Value>>,
    /// `additionalPrinterColumns` of a custom resource.
    pub columns: Vec<Value>,
}

/// All that the store and the API need to know about a kind.
#[derive(Clone, Debug)]
pub struct KindInfo {
    /// Group and plural.
    pub res: Res,
    /// `Pod`.
    pub kind: String,
    /// The version objects are stored in.
    pub version: String,
    /// Every served version, the stored one among them.
    pub versions: Vec<ServedVersion>,
    /// Whether objects have a namespace.
    pub namespaced: bool,
    /// `pod`.
    pub singular: String,
    /// `po`.
    pub short_names: Vec<String>,
    /// `all`.
    pub categories: Vec<String>,
    /// Whether `/status` exists.
    pub status: bool,
    /// Paths of replicas in spec, replicas in status and the selector, when `/scale` exists.
    pub scale: Option<[String; 3]>,
    /// When the generation grows.
    pub generation: Generation,
    /// Whether a CRD made it.
    pub custom: bool,
}

impl KindInfo {
    /// A kind with one version, a status subresource and nothing else.
    pub fn new(res: Res, version: &str, kind: &str, scope: Scope) -> Self {
        Self {
            res,
            kind: kind.to_owned(),
            version: version.to_owned(),
            versions: vec![ServedVersion { name: version.to_owned(), ..ServedVersion::default() }],
            namespaced: scope == Scope::Namespaced,
            singular: kind.to_lowercase(),
            short_names: Vec::new(),
            categories: Vec::new(),
            status: true,
            scale: None,
            generation: Generation::Spec,
            custom: false,
        }
    }

    /// The stored `apiVersion`.
    pub fn api_version(&self) -> String {
        self.res.api_version(&self.version)
    }

    /// The served version of a name.
    pub fn served(&self, version: &str) -> Option<&ServedVersion> {
        self.versions.iter().find(|v| v.name == version)
    }

    /// `PodList`.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    /// `pods` or `deployments.apps`, but with the kind: `Deployment.apps`.
    pub(crate) fn group_kind(&self) -> String {
        if self.res.group.is_empty() {
            self.kind.clone()
        } else {
            format!("{}.{}", self.kind, self.res.group)
        }
    }
}

/// The kinds of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    by_res: BTreeMap<Res, Arc<KindInfo>>,
    by_kind: HashMap<(String, String), Res>,
}

impl Registry {
    /// The kinds every cluster has.
    pub(crate) fn built_in() -> Self {
        let mut registry = Self::default();
        for info in crate::built_in::kinds() {
            registry.register(info);
        }
        registry
    }

    pub(crate) fn register(&mut self, info: KindInfo) {
        self.by_kind.insert((info.res.group.to_string(), info.kind.clone()), info.res.clone());
        self.by_res.insert(info.res.clone(), Arc::new(info));
    }

    pub(crate) fn unregister(&mut self, res: &Res) {
        if let Some(info) = self.by_res.remove(res) {
            self.by_kind.remove(&(info.res.group.to_string(), info.kind.clone()));
        }
    }

    pub(crate) fn get(&self, res: &Res) -> Option<&Arc<KindInfo>> {
        self.by_res.get(res)
    }

    pub(crate) fn find(&self, group: &str, kind: &str) -> Option<&Arc<KindInfo>> {
        self.by_res.get(self.by_kind.get(&(group.to_owned(), kind.to_owned()))?)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<KindInfo>> {
        self.by_res.values()
    }
}

/// Splits an `apiVersion` into group and version.
pub(crate) fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}
