//! Reading and writing the common parts of objects.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

static EMPTY: Value = Value::Null;

fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or("")
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    meta(object, "name")
}

/// `metadata.namespace`, empty for cluster-scoped objects.
pub fn namespace(object: &Value) -> &str {
    meta(object, "namespace")
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    meta(object, "uid")
}

/// `metadata.resourceVersion`.
pub fn resource_version(object: &Value) -> &str {
    meta(object, "resourceVersion")
}

/// `metadata.generation`, 0 when there is none.
pub fn generation(object: &Value) -> i64 {
    object["metadata"]["generation"].as_i64().unwrap_or(0)
}

/// All labels: an object, or null.
pub fn labels(object: &Value) -> &Value {
    object["metadata"].get("labels").unwrap_or(&EMPTY)
}

/// One label.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["labels"].get(key)?.as_str()
}

/// One annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"].get(key)?.as_str()
}

/// Sets an annotation.
pub fn set_annotation(object: &mut Value, key: &str, value: &str) {
    child(child(object, "metadata"), "annotations")[key] = json!(value);
}

/// Sets a label.
pub fn set_label(object: &mut Value, key: &str, value: &str) {
    child(child(object, "metadata"), "labels")[key] = json!(value);
}

/// Whether deletion has begun.
pub fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Whether `metadata.finalizers` holds a finalizer.
pub fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    object["metadata"]["finalizers"].as_array().is_some_and(|list| list.iter().any(|f| f == finalizer))
}

/// Adds a finalizer unless it is there.
pub fn add_finalizer(object: &mut Value, finalizer: &str) {
    if has_finalizer(object, finalizer) {
        return;
    }
    let meta = child(object, "metadata");
    match meta.get_mut("finalizers").and_then(Value::as_array_mut) {
        Some(list) => list.push(json!(finalizer)),
        None => meta["finalizers"] = json!([finalizer]),
    }
}

/// Takes a finalizer away; an empty list goes too.
pub fn remove_finalizer(object: &mut Value, finalizer: &str) {
    let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let Some(list) = meta.get_mut("finalizers").and_then(Value::as_array_mut) else { return };
    list.retain(|f| f != finalizer);
    if list.is_empty() {
        meta.shift_remove("finalizers");
    }
}

/// The owner reference with `controller: true`.
pub fn owner(object: &Value) -> Option<&Value> {
    object["metadata"]["ownerReferences"].as_array()?.iter().find(|owner| owner["controller"] == true)
}

/// A controller owner reference to an object.
pub fn owner_reference(object: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": name(object), "uid": uid(object),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// `status.conditions` of a type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// Sets a condition; the transition time changes only with the status.
pub fn set_condition(
    object: &mut Value,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: Timestamp,
) {
    let now = json!(timestamp(now));
    let list = child(object, "status");
    if !list["conditions"].is_array() {
        list["conditions"] = json!([]);
    }
    let list = list["conditions"].as_array_mut().expect("it was just made an array");
    match list.iter_mut().find(|condition| condition["type"] == kind) {
        Some(condition) => {
            if condition["status"] != status {
                condition["status"] = json!(status);
                condition["lastTransitionTime"] = now;
            }
            condition["reason"] = json!(reason);
            condition["message"] = json!(message);
        }
        None => list.push(json!({
            "type": kind, "status": status, "lastTransitionTime": now, "reason": reason, "message": message,
        })),
    }
}

/// RFC 3339 in whole seconds, as `metav1.Time`.
pub fn timestamp(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 3339 in microseconds, as `metav1.MicroTime`.
pub fn micro_timestamp(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// A field as an object, made one when it is not.
pub fn child<'a>(value: &'a mut Value, field: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let slot = value.as_object_mut().expect("it was just made an object").entry(field).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot
}

/// The items of a list inside, none when it is not there. (Indexing mutably would make nulls of absent fields.)
pub fn items_mut<'a>(value: &'a mut Value, path: &[&str]) -> std::slice::IterMut<'a, Value> {
    let found = path.iter().try_fold(value, |value, field| value.get_mut(*field));
    found.and_then(Value::as_array_mut).map(|list| list.iter_mut()).unwrap_or_default()
}

/// Sets a field when it is absent or null.
pub(crate) fn default(value: &mut Value, field: &str, with: impl FnOnce() -> Value) {
    let Some(map) = value.as_object_mut() else { return };
    if map.get(field).is_none_or(Value::is_null) {
        map.insert(field.to_owned(), with());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_keeps_its_transition_time_while_its_status_stands() {
        let mut object = json!({});
        set_condition(&mut object, "Ready", "False", "A", "a", Timestamp::UNIX_EPOCH);
        set_condition(&mut object, "Ready", "False", "B", "b", "2026-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(condition(&object, "Ready").unwrap()["lastTransitionTime"], "1970-01-01T00:00:00Z");
        assert_eq!(condition(&object, "Ready").unwrap()["reason"], "B");
    }

    #[test]
    fn the_last_finalizer_takes_its_list_along() {
        let mut object = json!({"metadata": {}});
        add_finalizer(&mut object, "a");
        add_finalizer(&mut object, "a");
        remove_finalizer(&mut object, "a");
        assert_eq!(object, json!({"metadata": {}}));
    }

    #[test]
    fn microseconds_are_written_with_six_digits() {
        let time: Timestamp = "2026-01-01T00:00:00.00123Z".parse().unwrap();
        assert_eq!(micro_timestamp(time), "2026-01-01T00:00:00.001230Z");
        assert_eq!(timestamp(time), "2026-01-01T00:00:00Z");
    }
}
