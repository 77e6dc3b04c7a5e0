//! Namespaces that are deleted take their contents along, and wait for them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use cluster_api::{Propagation, Store, kinds, object};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::control::{Controller, Next, Reconcile, note, own};
use crate::queue::Key;
use crate::resources;

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

struct Namespaces {
    store: Store,
    retries: HashMap<String, Duration>,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    let lookup = store.clone();
    Controller::new(store, stop)
        .watch(&kinds::NAMESPACES, own)
        .watch_after(&kinds::PODS, FIRST_RETRY, move |pod| {
            let namespace = object::namespace(pod);
            let ends = object::is_deleting(pod)
                && lookup
                    .get(&kinds::NAMESPACES, "", namespace)
                    .is_some_and(|namespace| object::is_deleting(&namespace));
            ends.then(|| Key::new("", namespace)).into_iter().collect()
        })
        .run(Namespaces { store: store.clone(), retries: HashMap::new() });
}

/// What is left in a namespace.
#[derive(Default)]
struct Remains {
    by_resource: BTreeMap<String, usize>,
    by_finalizer: BTreeMap<String, usize>,
}

impl Remains {
    fn count(&mut self, resource: String, object: &Value) {
        *self.by_resource.entry(resource).or_default() += 1;
        for finalizer in object["metadata"]["finalizers"].as_array().map_or(&[][..], Vec::as_slice) {
            *self.by_finalizer.entry(finalizer.as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
}

impl Reconcile for Namespaces {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(namespace) = self.store.get(&kinds::NAMESPACES, "", &key.name) else {
            self.retries.remove(&key.name);
            return Next::Change;
        };
        if !object::is_deleting(&namespace) {
            return Next::Change;
        }
        let remains = self.empty(&key.name);
        if remains.by_resource.is_empty() {
            self.store.remove(&kinds::NAMESPACES, "", &key.name);
            self.retries.remove(&key.name);
            return Next::Change;
        }
        self.tell(&key.name, &remains);
        let pause = self.retries.entry(key.name.clone()).or_insert(FIRST_RETRY);
        let next = Next::At(self.store.clock().now() + *pause);
        *pause = (*pause * 2).min(LONGEST_RETRY);
        next
    }
}

impl Namespaces {
    /// Deletes everything in a namespace; answers what does not go at once.
    fn empty(&self, namespace: &str) -> Remains {
        let mut remains = Remains::default();
        for res in resources::namespaced(&self.store) {
            for object in self.store.list(&res, Some(namespace)) {
                if !object::is_deleting(&object) {
                    let outcome =
                        self.store.delete(&res, namespace, object::name(&object), Propagation::Background);
                    note("empty a namespace", outcome);
                }
                if let Some(object) = self.store.get(&res, namespace, object::name(&object)) {
                    remains.count(format!("{}.{}", res.plural, res.group), &object);
                }
            }
        }
        remains
    }

    fn tell(&self, name: &str, remains: &Remains) {
        let now = self.store.clock().now();
        let listed = |counts: &BTreeMap<String, usize>, verb: &str| {
            let parts: Vec<String> = counts
                .iter()
                .map(|(what, count)| format!("{what} {verb} {count} resource instances"))
                .collect();
            parts.join(", ")
        };
        let content = format!("Some resources are remaining: {}", listed(&remains.by_resource, "has"));
        let finalizers = format!(
            "Some content in the namespace has finalizers remaining: {}",
            listed(&remains.by_finalizer, "in")
        );
        let finalizers = if remains.by_finalizer.is_empty() {
            ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished".to_owned())
        } else {
            ("True", "SomeFinalizersRemain", finalizers)
        };
        let outcome = self.store.modify(&kinds::NAMESPACES, "", name, |namespace| {
            object::child(namespace, "status")["phase"] = json!("Terminating");
            for (kind, status, reason, message) in [
                (
                    "NamespaceDeletionDiscoveryFailure",
                    "False",
                    "ResourcesDiscovered",
                    "All resources successfully discovered",
                ),
                (
                    "NamespaceDeletionGroupVersionParsingFailure",
                    "False",
                    "ParsedGroupVersions",
                    "All legacy kube types successfully parsed",
                ),
                (
                    "NamespaceDeletionContentFailure",
                    "False",
                    "ContentDeleted",
                    "All content successfully deleted, may be waiting on finalization",
                ),
                ("NamespaceContentRemaining", "True", "SomeResourcesRemain", content.as_str()),
                ("NamespaceFinalizersRemaining", finalizers.0, finalizers.1, finalizers.2.as_str()),
            ] {
                object::set_condition(namespace, kind, status, reason, message, now);
            }
        });
        note("tell what remains in a namespace", outcome);
    }
}
