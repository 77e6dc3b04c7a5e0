//! Objects by kind and name, and applying them.

use std::fmt;
use std::sync::Arc;

use cluster_api::{ApiError, Conflicts, KindInfo, Outcome, Propagation, Store, object};
use serde_json::Value;

/// An object in the cluster by its kind and name.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) info: KindInfo,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl fmt::Display for Target {
    /// `Deployment/msp/db`, `Namespace/msp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&subject(&self.info.kind, &self.namespace, &self.name))
    }
}

/// `Kind/namespace/name` or `Kind/name`.
pub(crate) fn subject(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() { format!("{kind}/{name}") } else { format!("{kind}/{namespace}/{name}") }
}

/// The same of an object.
pub(crate) fn subject_of(object: &Value) -> String {
    subject(object["kind"].as_str().unwrap_or_default(), object::namespace(object), object::name(object))
}

/// A kind that the cluster does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no matches for kind \"{kind}\" in version \"{api_version}\"")]
pub(crate) struct NoKind {
    pub(crate) api_version: String,
    pub(crate) kind: String,
}

impl Target {
    /// The target of a kind, a namespace (ignored for cluster-scoped kinds) and a name.
    pub(crate) fn new(
        store: &Store,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Self, NoKind> {
        let info = store
            .resolve_kind(api_version, kind)
            .ok_or_else(|| NoKind { api_version: api_version.to_owned(), kind: kind.to_owned() })?;
        let namespace = if info.namespaced { namespace.to_owned() } else { String::new() };
        Ok(Self { info, namespace, name: name.to_owned() })
    }

    /// The target of a manifest.
    pub(crate) fn of(store: &Store, object: &Value) -> Result<Self, NoKind> {
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        Self::new(store, text("apiVersion"), text("kind"), object::namespace(object), object::name(object))
    }

    pub(crate) fn get(&self, store: &Store) -> Option<Arc<Value>> {
        store.get(&self.info.res, &self.namespace, &self.name)
    }

    pub(crate) fn delete(&self, store: &Store) -> Result<(), ApiError> {
        store.delete(&self.info.res, &self.namespace, &self.name, Propagation::Background)
    }

    /// Applies a manifest of this target.
    pub(crate) fn apply(&self, store: &Store, manifest: Value, manager: &str) -> Result<Outcome, ApiError> {
        store.check_types(&self.info, &self.info.version, &manifest)?;
        store.apply(&self.info.res, manifest, manager, Conflicts::Force).map(|applied| applied.outcome)
    }

    /// What applying would do.
    pub(crate) fn try_apply(
        &self,
        store: &Store,
        manifest: &Value,
        manager: &str,
    ) -> Result<Outcome, ApiError> {
        store.check_types(&self.info, &self.info.version, manifest)?;
        let applied = store.try_apply(&self.info.res, manifest.clone(), manager, Conflicts::Force);
        applied.map(|applied| applied.outcome)
    }

    /// As an inventory lists it: `namespace_name_group_Kind` and the version.
    pub(crate) fn entry(&self) -> Value {
        let name = self.name.replace(':', "__");
        let id = format!("{}_{name}_{}_{}", self.namespace, self.info.res.group, self.info.kind);
        serde_json::json!({"id": id, "v": self.info.version})
    }

    /// The target that an inventory entry names.
    pub(crate) fn from_entry(store: &Store, entry: &Value) -> Option<Self> {
        let id = entry["id"].as_str()?;
        let mut parts = id.splitn(2, '_');
        let namespace = parts.next()?;
        let (rest, kind) = parts.next()?.rsplit_once('_')?;
        let (name, group) = rest.rsplit_once('_')?;
        let version = entry["v"].as_str()?;
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        Self::new(store, &api_version, kind, namespace, &name.replace("__", ":")).ok()
    }
}

#[cfg(test)]
mod tests {
    use field_clock::Clock;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_inventory_entry_leads_back_to_its_object() {
        let store = Store::new(Clock::wall());
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:x"}});
        let target = Target::of(&store, &role).unwrap();
        assert_eq!(
            target.entry(),
            json!({"id": "_system__x_rbac.authorization.k8s.io_ClusterRole", "v": "v1"})
        );
        let back = Target::from_entry(&store, &target.entry()).unwrap();
        assert_eq!(back.to_string(), "ClusterRole/system:x");
    }

    #[test]
    fn an_unknown_kind_is_named() {
        let store = Store::new(Clock::wall());
        let error = Target::new(&store, "example.com/v1", "Nothing", "a", "n").unwrap_err();
        assert_eq!(error.to_string(), r#"no matches for kind "Nothing" in version "example.com/v1""#);
    }
}
