//! Who owns whom.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cluster_api::{ApiError, Propagation, Res, Store, object};
use serde_json::Value;

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Identity {
    res: Res,
    namespace: String,
    name: String,
}

impl Identity {
    pub(super) fn of(res: &Res, object: &Value) -> Self {
        let (namespace, name) = (object::namespace(object).to_owned(), object::name(object).to_owned());
        Self { res: res.clone(), namespace, name }
    }

    pub(super) fn get(&self, store: &Store) -> Option<Arc<Value>> {
        store.get(&self.res, &self.namespace, &self.name)
    }

    pub(super) fn delete(&self, store: &Store, propagation: Propagation) -> Result<(), ApiError> {
        store.delete(&self.res, &self.namespace, &self.name, propagation)
    }

    pub(super) fn modify(
        &self,
        store: &Store,
        change: impl FnOnce(&mut Value),
    ) -> Result<Arc<Value>, ApiError> {
        store.modify(&self.res, &self.namespace, &self.name, change)
    }
}

/// Ownership by UID.
#[derive(Debug, Default)]
pub(super) struct Graph {
    dependents: HashMap<String, BTreeSet<Identity>>,
    owners: HashMap<Identity, Vec<String>>,
    identities: HashMap<String, Identity>,
}

impl Graph {
    /// Takes in an object; answers whether its owners are news.
    pub(super) fn learn(&mut self, identity: &Identity, object: &Value) -> bool {
        self.identities.insert(object::uid(object).to_owned(), identity.clone());
        let references = object["metadata"]["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
        let owners: Vec<String> =
            references.iter().filter_map(|reference| Some(reference["uid"].as_str()?.to_owned())).collect();
        if self.owners.get(identity).map_or(owners.is_empty(), |known| *known == owners) {
            return false;
        }
        self.disconnect(identity);
        for owner in &owners {
            self.dependents.entry(owner.clone()).or_default().insert(identity.clone());
        }
        self.owners.insert(identity.clone(), owners);
        true
    }

    /// Takes out an object; answers its owners.
    pub(super) fn forget(&mut self, identity: &Identity, uid: &str) -> Vec<String> {
        self.identities.remove(uid);
        self.disconnect(identity)
    }

    pub(super) fn dependents(&self, owner: &str) -> Vec<Identity> {
        self.dependents.get(owner).map(|set| set.iter().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn identity(&self, uid: &str) -> Option<Identity> {
        self.identities.get(uid).cloned()
    }

    fn disconnect(&mut self, identity: &Identity) -> Vec<String> {
        let owners = self.owners.remove(identity).unwrap_or_default();
        for owner in &owners {
            if let Some(set) = self.dependents.get_mut(owner) {
                set.remove(identity);
                if set.is_empty() {
                    self.dependents.remove(owner);
                }
            }
        }
        owners
    }
}

#[cfg(test)]
mod tests {
    use cluster_api::kinds;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_that_changes_its_owner_leaves_the_old_one() {
        let mut graph = Graph::default();
        let owned_by =
            |owner: &str| json!({"metadata": {"name": "a", "uid": "1", "ownerReferences": [{"uid": owner}]}});
        let identity = Identity::of(&kinds::PODS, &owned_by("x"));
        assert!(graph.learn(&identity, &owned_by("x")));
        assert!(!graph.learn(&identity, &owned_by("x")));
        assert!(graph.learn(&identity, &owned_by("y")));
        assert!(graph.dependents("x").is_empty());
        assert_eq!(graph.dependents("y"), std::slice::from_ref(&identity));
        assert_eq!(graph.forget(&identity, "1"), ["y"]);
    }
}
