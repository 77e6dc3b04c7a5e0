//! Strategic merge patch, for built-in kinds.

use serde_json::{Map, Value};

use crate::ApiError;

/// Lists that merge, by field and holder (empty for any), and the field that tells items apart (empty: plain values).
const MERGED: &[(&str, &str, &str)] = &[
    ("containers", "", "name"),
    ("initContainers", "", "name"),
    ("ephemeralContainers", "", "name"),
    ("env", "", "name"),
    ("ports", "containers", "containerPort"),
    ("ports", "initContainers", "containerPort"),
    ("ports", "spec", "port"),
    ("volumes", "spec", "name"),
    ("volumeMounts", "", "mountPath"),
    ("volumeDevices", "", "devicePath"),
    ("imagePullSecrets", "", "name"),
    ("hostAliases", "", "ip"),
    ("topologySpreadConstraints", "", "topologyKey"),
    ("schedulingGates", "", "name"),
    ("conditions", "", "type"),
    ("ownerReferences", "", "uid"),
    ("addresses", "status", "type"),
    ("podIPs", "", "ip"),
    ("secrets", "", "name"),
    ("webhooks", "", "name"),
    ("finalizers", "", ""),
];

fn merge_key(field: &str, holder: &str) -> Option<&'static str> {
    MERGED
        .iter()
        .find(|(name, known, _)| *name == field && (known.is_empty() || *known == holder))
        .map(|(.., key)| *key)
}

/// Applies a patch to an object.
pub(crate) fn strategic(target: &mut Value, patch: &Value) -> Result<(), ApiError> {
    let Some(patch) = patch.as_object() else {
        return Err(ApiError::bad_request("a strategic merge patch must be an object"));
    };
    merge_map(target, patch, "")
}

fn merge_map(target: &mut Value, patch: &Map<String, Value>, holder: &str) -> Result<(), ApiError> {
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            *target = Value::Object(
                patch.iter().filter(|(k, _)| *k != "$patch").map(|(k, v)| (k.clone(), v.clone())).collect(),
            );
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        _ => {}
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else { return Ok(()) };
    retain_keys(map, patch);
    for (field, value) in patch {
        if field.starts_with('$') {
            directive(map, field, value);
            continue;
        }
        match value {
            Value::Null => {
                map.shift_remove(field);
            }
            Value::Object(inner) => {
                let slot = map.entry(field.clone()).or_insert(Value::Null);
                merge_map(slot, inner, field)?;
            }
            Value::Array(items) => {
                let slot = map.entry(field.clone()).or_insert(Value::Null);
                merge_list(slot, items, field, holder)?;
            }
            plain => {
                map.insert(field.clone(), plain.clone());
            }
        }
    }
    order(map, patch, holder);
    Ok(())
}

/// `$retainKeys` drops the fields that it does not name.
fn retain_keys(map: &mut Map<String, Value>, patch: &Map<String, Value>) {
    if let Some(keys) = patch.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|key, _| keys.iter().any(|kept| kept == key));
    }
}

/// `$deleteFromPrimitiveList/FIELD` takes values out of a list.
fn directive(map: &mut Map<String, Value>, field: &str, value: &Value) {
    let Some(list) = field.strip_prefix("$deleteFromPrimitiveList/") else { return };
    let (Some(items), Some(gone)) = (map.get_mut(list).and_then(Value::as_array_mut), value.as_array())
    else {
        return;
    };
    items.retain(|item| !gone.contains(item));
}

fn merge_list(slot: &mut Value, patch: &[Value], field: &str, holder: &str) -> Result<(), ApiError> {
    let replace = patch
        .iter()
        .any(|item| item["$patch"] == "replace" && item.as_object().is_some_and(|map| map.len() == 1));
    let key = merge_key(field, holder);
    let (Some(key), false, true) = (key, replace, slot.is_array()) else {
        let fresh = |item: &&Value| !matches!(item["$patch"].as_str(), Some("replace" | "delete"));
        *slot = Value::Array(patch.iter().filter(fresh).map(clean).collect());
        return Ok(());
    };
    let Some(items) = slot.as_array_mut() else { return Ok(()) };
    if key.is_empty() {
        let new: Vec<Value> = patch.iter().filter(|item| !items.contains(item)).cloned().collect();
        items.extend(new);
        return Ok(());
    }
    for item in patch {
        let Some(id) = item.get(key) else {
            return Err(ApiError::bad_request(format!(
                "map: {item} does not contain declared merge key: {key}"
            )));
        };
        let at = items.iter().position(|known| known.get(key) == Some(id));
        match (item["$patch"].as_str(), at, item.as_object()) {
            (Some("delete"), at, _) => {
                at.map(|at| items.remove(at));
            }
            (_, Some(at), Some(inner)) => merge_map(&mut items[at], inner, field)?,
            _ => items.push(clean(item)),
        }
    }
    Ok(())
}

/// A value without directives and nulls.
fn clean(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(key, inner)| !key.starts_with('$') && !inner.is_null())
                .map(|(key, inner)| (key.clone(), clean(inner)))
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.iter().map(clean).collect()),
        plain => plain.clone(),
    }
}

/// `$setElementOrder/FIELD` sorts a merged list; items it does not name keep their place behind their neighbours.
fn order(map: &mut Map<String, Value>, patch: &Map<String, Value>, holder: &str) {
    for (directive, wanted) in patch {
        let Some(field) = directive.strip_prefix("$setElementOrder/") else { continue };
        let (Some(wanted), Some(key)) = (wanted.as_array(), merge_key(field, holder)) else { continue };
        let Some(items) = map.get_mut(field).and_then(Value::as_array_mut) else { continue };
        let id = |item: &Value| if key.is_empty() { item.clone() } else { item[key].clone() };
        let rank = |item: &Value| wanted.iter().position(|other| id(other) == id(item));
        let mut last = None;
        let mut keyed: Vec<(Option<usize>, usize, Value)> = Vec::new();
        for (at, item) in items.drain(..).enumerate() {
            last = rank(&item).or(last);
            keyed.push((rank(&item).or(last), at, item));
        }
        keyed.sort_by_key(|(rank, at, _)| (*rank, *at));
        items.extend(keyed.into_iter().map(|(.., item)| item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(mut target: Value, patch: Value) -> Value {
        strategic(&mut target, &patch).unwrap();
        target
    }

    #[test]
    fn containers_merge_by_name_and_arguments_are_replaced() {
        let target =
            json!({"spec": {"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b"}]}});
        let patch = json!({"spec": {"containers": [{"name": "a", "image": "2", "args": ["y"]}]}});
        let expected =
            json!({"spec": {"containers": [{"name": "a", "image": "2", "args": ["y"]}, {"name": "b"}]}});
        assert_eq!(patched(target, patch), expected);
    }

    #[test]
    fn directives_delete_order_and_retain() {
        let target = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {}},
            "containers": [{"name": "a"}, {"name": "b"}]}, "metadata": {"finalizers": ["x", "y"]}});
        let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"},
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "b", "$patch": "delete"}, {"name": "c"}]},
            "metadata": {"$deleteFromPrimitiveList/finalizers": ["x"]}});
        let expected = json!({"spec": {"strategy": {"type": "Recreate"}, "containers": [{"name": "c"}, {"name": "a"}]},
            "metadata": {"finalizers": ["y"]}});
        assert_eq!(patched(target, patch), expected);
    }
}
