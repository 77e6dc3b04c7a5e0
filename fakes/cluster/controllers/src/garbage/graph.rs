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

/// A reference to an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bond {
    owner: String,
    blocks: bool,
}

impl Bond {
    fn of(reference: &Value) -> Option<Self> {
        let blocks = reference["blockOwnerDeletion"] == true;
        Some(Self { owner: reference["uid"].as_str()?.to_owned(), blocks })
    }
}

/// Ownership by UID.
#[derive(Debug, Default)]
pub(super) struct Graph {
    dependents: HashMap<String, BTreeSet<Identity>>,
    owners: HashMap<Identity, Vec<Bond>>,
    identities: HashMap<String, Identity>,
}

impl Graph {
    /// Takes in an object. When its owners are news, answers those whom it no longer holds up.
    pub(super) fn learn(&mut self, identity: &Identity, object: &Value) -> Option<Vec<String>> {
        self.identities.insert(object::uid(object).to_owned(), identity.clone());
        let references = object["metadata"]["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
        let owners: Vec<Bond> = references.iter().filter_map(Bond::of).collect();
        if self.owners.get(identity).map_or(owners.is_empty(), |known| *known == owners) {
            return None;
        }
        let before = self.disconnect(identity);
        let holds = |owner: &String| owners.iter().any(|bond| bond.owner == *owner && bond.blocks);
        let freed = before.into_iter().filter(|owner| !holds(owner)).collect();
        for bond in &owners {
            self.dependents.entry(bond.owner.clone()).or_default().insert(identity.clone());
        }
        self.owners.insert(identity.clone(), owners);
        Some(freed)
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
        let bonds = self.owners.remove(identity).unwrap_or_default();
        let owners: Vec<String> = bonds.into_iter().map(|bond| bond.owner).collect();
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
        assert_eq!(graph.learn(&identity, &owned_by("x")), Some(Vec::new()));
        assert_eq!(graph.learn(&identity, &owned_by("x")), None);
        assert_eq!(graph.learn(&identity, &owned_by("y")), Some(vec!["x".to_owned()]));
        assert!(graph.dependents("x").is_empty());
        assert_eq!(graph.dependents("y"), std::slice::from_ref(&identity));
        assert_eq!(graph.forget(&identity, "1"), ["y"]);
    }
}
