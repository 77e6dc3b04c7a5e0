//! The active pods of every controlling owner, kept in step with the store instead of being looked for at each change.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use cluster_api::{Store, Verb, Watch, WatchEvent, kinds, object};
use jiff::Timestamp;
use serde_json::Value;

use crate::pods;

/// A pod that runs or will run.
pub(crate) struct Member {
    pub(crate) pod: Arc<Value>,
    /// Since when it is ready.
    pub(crate) ready_since: Option<Timestamp>,
}

/// Pods by the uid of their controlling owner, and by name.
pub(crate) struct Members {
    changes: Watch,
    owners: HashMap<String, BTreeMap<String, Member>>,
    /// The owner under which a pod is kept, by the pod's uid.
    homes: HashMap<String, String>,
    none: BTreeMap<String, Member>,
}

impl Members {
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            changes: store.watch(&kinds::PODS, None),
            owners: HashMap::new(),
            homes: HashMap::new(),
            none: BTreeMap::new(),
        }
    }

    /// The active pods that an owner controls, as the store has them now.
    pub(crate) fn of(&mut self, owner: &str) -> &BTreeMap<String, Member> {
        while let Some(event) = self.changes.try_next() {
            self.see(event);
        }
        self.owners.get(owner).unwrap_or(&self.none)
    }

    fn see(&mut self, event: WatchEvent) {
        let pod = event.object;
        let owner = object::owner(&pod).and_then(|owner| owner["uid"].as_str()).map(str::to_owned);
        let stays = event.verb != Verb::Deleted && pods::is_active(&pod);
        let Some(owner) = owner.filter(|_| stays) else { return self.let_go(&pod) };
        if self.homes.get(object::uid(&pod)) != Some(&owner) {
            self.let_go(&pod);
            self.homes.insert(object::uid(&pod).to_owned(), owner.clone());
        }
        let member = Member { ready_since: pods::available_at(&pod, Duration::ZERO), pod };
        let name = object::name(&member.pod).to_owned();
        self.owners.entry(owner).or_default().insert(name, member);
    }

    /// A pod that is nobody's any more, or no longer active.
    fn let_go(&mut self, pod: &Value) {
        let Some(owner) = self.homes.remove(object::uid(pod)) else { return };
        let Some(members) = self.owners.get_mut(&owner) else { return };
        members.remove(object::name(pod));
        if members.is_empty() {
            self.owners.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Members;
    use cluster_api::{Propagation, Store, kinds, object};
    use field_clock::Clock;
    use serde_json::{Value, json};

    fn pod(name: &str, owner: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "default", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": owner, "controller": true}]},
            "spec": {"containers": [{"name": "main", "image": "web:1"}]}})
    }

    #[test]
    fn members_are_as_the_store_has_them_at_the_moment_of_asking() {
        let store = Store::new(Clock::wall());
        store.create(&kinds::PODS, pod("a", "one")).unwrap();
        let mut members = Members::new(&store);
        store.create(&kinds::PODS, pod("b", "one")).unwrap();
        store.create(&kinds::PODS, pod("c", "two")).unwrap();
        assert_eq!(members.of("one").keys().collect::<Vec<_>>(), ["a", "b"]);
        let disown = |pod: &mut Value| {
            pod["metadata"].as_object_mut().map(|meta| meta.shift_remove("ownerReferences"));
        };
        store.modify(&kinds::PODS, "default", "a", disown).unwrap();
        store.delete(&kinds::PODS, "default", "c", Propagation::Background).unwrap();
        assert_eq!(members.of("one").keys().collect::<Vec<_>>(), ["b"]);
        assert!(members.of("two").is_empty());
        let fail = |pod: &mut Value| object::child(pod, "status")["phase"] = json!("Failed");
        store.modify(&kinds::PODS, "default", "b", fail).unwrap();
        assert!(members.of("one").is_empty());
    }
}
