//! Deleting objects: grace, finalizers, propagation.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Inner, Run, Store, Stored};
use crate::object::{self, child};
use crate::{ApiError, Res, kinds};

/// What becomes of the objects that an object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They go after it.
    Background,
    /// They go before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// How to delete.
#[derive(Clone, Debug)]
pub(crate) struct DeleteOptions {
    pub(crate) propagation: Propagation,
    pub(crate) grace: Option<i64>,
    pub(crate) uid: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) run: Run,
}

impl DeleteOptions {
    pub(crate) fn new(propagation: Propagation) -> Self {
        Self { propagation, grace: None, uid: None, version: None, run: Run::Commit }
    }
}

/// What a deletion led to.
#[derive(Clone, Debug)]
pub(crate) enum Deleted {
    /// The object is gone; this was its last face.
    Gone(Arc<Stored>),
    /// The object waits for its node or its finalizers.
    Pending(Arc<Stored>),
}

impl Store {
    /// Deletes an object: at once, or after its grace and finalizers. A pod on a node waits for [`Store::remove`].
    pub fn delete(
        &self,
        res: &Res,
        namespace: &str,
        name: &str,
        propagation: Propagation,
    ) -> Result<(), ApiError> {
        self.delete_with(res, namespace, name, &DeleteOptions::new(propagation)).map(drop)
    }

    pub(crate) fn delete_with(
        &self,
        res: &Res,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deleted, ApiError> {
        let now = self.clock().now();
        let mut inner = self.lock();
        inner.info(res)?;
        let old = inner.current(res, namespace, name)?;
        check(res, &old.value, options)?;
        let new = dying(res, &old.value, options, now);
        let done = is_finished(res, &new);
        let answer = if options.run == Run::Dry {
            Deleted::Pending(old)
        } else if done {
            // A pod's deletion is graceful even without grace: it is told before it is done.
            let told = *res == kinds::PODS && !object::is_deleting(&old.value);
            let new = if told { Value::clone(&inner.put(res, new).value) } else { new };
            Deleted::Gone(inner.erase(res, new))
        } else if new == *old.value {
            Deleted::Pending(old)
        } else {
            Deleted::Pending(inner.put(res, new))
        };
        self.announce(&inner);
        Ok(answer)
    }

    /// Ends the grace of an object: it is gone now, unless finalizers still hold it.
    pub fn remove(&self, res: &Res, namespace: &str, name: &str) {
        let options = DeleteOptions { grace: Some(0), ..DeleteOptions::new(Propagation::Background) };
        let now = self.clock().now();
        let mut inner = self.lock();
        let Ok(old) = inner.current(res, namespace, name) else { return };
        let mut new = dying(res, &old.value, &options, now);
        if *res == kinds::NAMESPACES {
            child(&mut new, "spec")["finalizers"] = json!([]);
        }
        if is_finished(res, &new) {
            inner.erase(res, new);
        } else if new != *old.value {
            inner.put(res, new);
        }
        self.announce(&inner);
    }
}

fn check(res: &Res, old: &Value, options: &DeleteOptions) -> Result<(), ApiError> {
    let refuse = |what: &str, asked: &str, actual: &str| {
        let why =
            format!("Precondition failed: {what} in precondition: {asked}, {what} in object meta: {actual}");
        Err(ApiError::conflict(res, object::name(old), &why))
    };
    if let Some(uid) = options.uid.as_deref().filter(|uid| *uid != object::uid(old)) {
        return refuse("UID", uid, object::uid(old));
    }
    let current = object::resource_version(old);
    if let Some(version) = options.version.as_deref().filter(|version| *version != current) {
        return refuse("ResourceVersion", version, current);
    }
    if *res == kinds::NAMESPACES && matches!(object::name(old), "default" | "kube-system" | "kube-public") {
        return Err(ApiError::forbidden(res, object::name(old), "this namespace may not be deleted"));
    }
    Ok(())
}

/// The object with its deletion written down.
fn dying(res: &Res, old: &Value, options: &DeleteOptions, now: Timestamp) -> Value {
    let mut new = old.clone();
    let grace = grace(res, old, options);
    match options.propagation {
        Propagation::Background => {}
        Propagation::Foreground if !object::is_deleting(old) => {
            object::add_finalizer(&mut new, "foregroundDeletion")
        }
        Propagation::Orphan if !object::is_deleting(old) => object::add_finalizer(&mut new, "orphan"),
        Propagation::Foreground | Propagation::Orphan => {}
    }
    let meta = child(&mut new, "metadata");
    let shorter = meta["deletionGracePeriodSeconds"].as_i64().is_none_or(|known| grace < known);
    if !meta["deletionTimestamp"].is_string() || shorter {
        let first = !meta["deletionTimestamp"].is_string();
        let end = now + Duration::from_secs(grace.unsigned_abs());
        meta["deletionTimestamp"] = json!(object::timestamp(end));
        meta["deletionGracePeriodSeconds"] = json!(grace);
        if first && let Some(generation) = meta["generation"].as_i64() {
            meta["generation"] = json!(generation + 1);
        }
    }
    if *res == kinds::NAMESPACES {
        child(&mut new, "status")["phase"] = json!("Terminating");
    }
    new
}

/// How long a pod may take to end; everything else ends at once.
fn grace(res: &Res, old: &Value, options: &DeleteOptions) -> i64 {
    if *res != kinds::PODS {
        return 0;
    }
    let finished = matches!(old["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if finished || old["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return 0;
    }
    options.grace.or_else(|| old["spec"]["terminationGracePeriodSeconds"].as_i64()).unwrap_or(30).max(0)
}

/// Whether a deleted object has nothing left to wait for.
pub(super) fn is_finished(res: &Res, object: &Value) -> bool {
    let meta = &object["metadata"];
    let held = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    object::is_deleting(object)
        && meta["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) == 0
        && !held(&meta["finalizers"])
        && !(*res == kinds::NAMESPACES && held(&object["spec"]["finalizers"]))
}

impl Inner {
    /// Takes an object out; a custom resource definition takes its objects along.
    pub(super) fn erase(&mut self, res: &Res, last: Value) -> Arc<Stored> {
        let last = self.next(last);
        let (namespace, name) = (object::namespace(&last.value), object::name(&last.value));
        if let Some(table) = self.tables.get_mut(res) {
            table.drop_object(namespace, name, last.clone());
        }
        if *res == kinds::CRDS
            && let Some(info) = crate::crd::kind_of(&last.value)
        {
            let orphans = self.tables.get(&info.res).map(|table| table.list(None)).unwrap_or_default();
            for orphan in orphans {
                self.erase(&info.res, Value::clone(&orphan.value));
            }
            self.registry.unregister(&info.res);
            if let Some(table) = self.tables.get_mut(&info.res) {
                table.close_served();
            }
        }
        last
    }
}
