//! What a write may change of an object, and what it may not.

use serde_json::{Value, json};

use super::Subresource;
use crate::kind::{Generation, KindInfo};
use crate::object::{self, child};
use crate::{ApiError, Res, admission, kinds};

/// The namespace an object belongs to, written into it; namespaced objects without one go to `default`.
pub(super) fn home(info: &KindInfo, value: &mut Value) -> Result<String, ApiError> {
    let Some(meta) = child(value, "metadata").as_object_mut() else { return Ok(String::new()) };
    if !info.namespaced {
        meta.shift_remove("namespace");
        return Ok(String::new());
    }
    let namespace =
        meta.get("namespace").and_then(Value::as_str).filter(|ns| !ns.is_empty()).unwrap_or("default");
    let namespace = namespace.to_owned();
    meta.insert("namespace".to_owned(), json!(namespace));
    Ok(namespace)
}

pub(super) fn check_preconditions(res: &Res, old: &Value, wanted: &Value) -> Result<(), ApiError> {
    let version = object::resource_version(wanted);
    let name = object::name(old);
    if !version.is_empty() && version != object::resource_version(old) {
        return Err(ApiError::modified(res, name));
    }
    let (asked, actual) = (object::uid(wanted), object::uid(old));
    if !asked.is_empty() && asked != actual {
        let why = format!("Precondition failed: UID in precondition: {asked}, UID in object meta: {actual}");
        return Err(ApiError::conflict(res, name, &why));
    }
    Ok(())
}

/// What an update of a part makes of an object, with defaults and checks.
pub(super) fn admitted(
    info: &KindInfo,
    old: &Value,
    wanted: Value,
    sub: Subresource,
) -> Result<Value, ApiError> {
    let new = match sub {
        Subresource::Status => {
            let mut new = old.clone();
            keep(&wanted, &mut new, "status");
            if wanted["metadata"]["managedFields"].is_array() {
                new["metadata"]["managedFields"] = wanted["metadata"]["managedFields"].clone();
            }
            new
        }
        Subresource::Main => {
            let mut new = wanted;
            keep_identity(old, &mut new);
            if info.status {
                keep(old, &mut new, "status");
            }
            admission::default_update(info, old, &mut new);
            new
        }
    };
    let causes = admission::check_update(info, old, &new);
    if causes.is_empty() {
        Ok(new)
    } else {
        Err(ApiError::invalid(&info.group_kind(), object::name(old), &causes))
    }
}

/// Indexing mutably leaves nulls behind where there was nothing; an object has none of them.
pub(super) fn drop_absent(value: &mut Value) {
    for part in ["spec", "status"] {
        if let Some(map) = value.get_mut(part).and_then(Value::as_object_mut) {
            map.retain(|_, inner| !inner.is_null());
        }
    }
    if let Some(map) = value.as_object_mut() {
        map.retain(|field, inner| !(inner.is_null() && matches!(field.as_str(), "spec" | "status" | "data")));
    }
}

/// Copies a field of another object, absence included.
fn keep(old: &Value, new: &mut Value, field: &str) {
    let Some(map) = new.as_object_mut() else { return };
    match old.get(field) {
        Some(value) if map.get(field) == Some(value) => {}
        Some(value) => {
            map.insert(field.to_owned(), value.clone());
        }
        None => {
            map.shift_remove(field);
        }
    }
}

/// What no write may change.
pub(super) fn keep_identity(old: &Value, new: &mut Value) {
    for field in ["apiVersion", "kind"] {
        keep(old, new, field);
    }
    let meta = child(new, "metadata");
    for field in [
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        keep(&old["metadata"], meta, field);
    }
    if !meta["managedFields"].is_array() {
        keep(&old["metadata"], meta, "managedFields");
    }
    admission::tidy_metadata(meta);
}

pub(super) fn grows(info: &KindInfo, old: &Value, new: &Value) -> bool {
    match info.generation {
        Generation::None => false,
        Generation::Spec if info.res == kinds::PODS => pod_spec_differs(&old["spec"], &new["spec"]),
        Generation::Spec => old.get("spec") != new.get("spec"),
        Generation::Content => {
            let count = |value: &Value| content(value).count();
            count(old) != count(new) || content(old).any(|(key, value)| new.get(key) != Some(value))
        }
    }
}

/// Binding a pod to a node is not a change of its specification.
fn pod_spec_differs(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return old != new };
    let rest = |map: &serde_json::Map<String, Value>| map.keys().filter(|key| *key != "nodeName").count();
    rest(old) != rest(new) || old.iter().any(|(key, value)| key != "nodeName" && new.get(key) != Some(value))
}

fn content(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten().filter(|(key, _)| !matches!(key.as_str(), "metadata" | "status"))
}
