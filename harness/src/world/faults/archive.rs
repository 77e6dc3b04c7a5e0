//! Objects as they were, as a site's backup has them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cluster_api::{Res, object};
use serde_json::{Value, json};

use super::{Objects, WorldError};

/// Kind, namespace, name.
type Key = (&'static str, String, String);

/// Objects as they were before somebody broke them. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(in crate::world) struct Archive(Arc<Mutex<BTreeMap<Key, Value>>>);

impl Archive {
    /// Keeps an object; the first copy is the good one.
    pub(super) fn keep(&self, kind: &'static str, object: &Value) {
        let key = (kind, object::namespace(object).to_owned(), object::name(object).to_owned());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entry(key).or_insert_with(|| object.clone());
    }

    /// Whether something was kept of an object.
    pub(super) fn has(&self, kind: &'static str, namespace: &str, name: &str) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.contains_key(&(kind, namespace.to_owned(), name.to_owned()))
    }

    /// Takes out what was kept of an object.
    pub(super) fn kept(&self, kind: &'static str, namespace: &str, name: &str) -> Option<Value> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&(kind, namespace.to_owned(), name.to_owned()))
    }

    /// Writes an object as it was, whether or not something has taken its place.
    pub(super) async fn put_back(
        &self,
        objects: &Objects,
        res: &Res,
        mut object: Value,
    ) -> Result<(), WorldError> {
        let data = object["data"].clone();
        let metadata = &object["metadata"];
        object["metadata"] = json!({
            "name": metadata["name"], "namespace": metadata["namespace"],
            "labels": metadata["labels"], "annotations": metadata["annotations"],
        });
        objects.put(res, object, |now| now["data"] = data.clone()).await.map(drop)
    }
}
