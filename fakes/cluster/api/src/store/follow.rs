//! A store that follows another cluster: whoever watches that one writes down here what it sees.

use serde_json::Value;

use super::{Inner, Store};
use crate::{Res, object};

impl Store {
    /// Takes an object over as another cluster shows it: nothing is defaulted, checked or made up but the resource version,
    /// which is this store's own. When nothing else differs from what is known already, nobody hears of it.
    pub fn observe(&self, res: &Res, object: Value) {
        let mut inner = self.lock();
        if inner.knows(res, &object) {
            return;
        }
        inner.put(res, object);
        self.announce(&inner);
    }

    /// Another cluster does not have an object any more.
    pub fn observe_gone(&self, res: &Res, namespace: &str, name: &str) {
        let mut inner = self.lock();
        let Ok(old) = inner.current(res, namespace, name) else { return };
        inner.erase(res, Value::clone(&old.value));
        self.announce(&inner);
    }
}

impl Inner {
    /// Whether an object is here, the same but for its version.
    fn knows(&self, res: &Res, seen: &Value) -> bool {
        let Ok(known) = self.current(res, object::namespace(seen), object::name(seen)) else { return false };
        let mut seen = seen.clone();
        seen["metadata"]["resourceVersion"] = object::resource_version(&known.value).into();
        seen == *known.value
    }
}

#[cfg(test)]
mod tests {
    use field_clock::Clock;
    use serde_json::json;

    use super::*;
    use crate::{Verb, kinds};

    #[test]
    fn an_object_of_another_cluster_is_taken_as_it_is_and_watchers_hear_of_it_once() {
        let store = Store::new(Clock::wall());
        let (mut watch, changes) = (store.watch(&kinds::PODS, None), store.changes());
        let pod = |phase: &str| {
            json!({"metadata": {"name": "a", "namespace": "msp", "uid": "u-1", "resourceVersion": "90210"},
                "status": {"phase": phase}})
        };
        store.observe(&kinds::PODS, pod("Running"));
        store.observe(&kinds::PODS, pod("Running"));
        assert!(changes.has_changed().unwrap());
        let seen = watch.try_next().unwrap();
        assert_eq!((seen.verb, object::uid(&seen.object)), (Verb::Added, "u-1"));
        assert!(seen.object["spec"].is_null() && seen.object["status"]["phase"] == "Running");
        assert!(watch.try_next().is_none());
        store.observe(&kinds::PODS, pod("Failed"));
        assert_eq!(watch.try_next().unwrap().verb, Verb::Modified);
        store.observe_gone(&kinds::PODS, "msp", "a");
        store.observe_gone(&kinds::PODS, "msp", "a");
        assert_eq!(watch.try_next().unwrap().verb, Verb::Deleted);
        assert!(watch.try_next().is_none() && store.get(&kinds::PODS, "msp", "a").is_none());
    }
}
