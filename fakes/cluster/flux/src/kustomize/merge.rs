//! Strategic merge: maps by field, lists of named things by their names.

use serde_json::Value;

/// Lists whose entries are told apart by a field.
const KEYS: [(&str, &str); 12] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("volumes", "name"),
    ("env", "name"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("imagePullSecrets", "name"),
    ("hostAliases", "ip"),
    ("ownerReferences", "uid"),
    ("subjects", "name"),
    ("topologySpreadConstraints", "topologyKey"),
];

/// Merges a patch into a value; null takes a field away, `$patch: delete` the whole value.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Some(changes) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    match changes.get("$patch").and_then(Value::as_str) {
        Some("delete") => {
            *target = Value::Null;
            return;
        }
        Some("replace") => *target = Value::Null,
        _ => {}
    }
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (key, change) in changes.iter().filter(|(key, _)| !key.starts_with('$')) {
        if change.is_null() {
            fields.shift_remove(key);
            continue;
        }
        let slot = fields.entry(key.clone()).or_insert(Value::Null);
        match (merge_key(key, change), change.as_array()) {
            (Some(by), Some(entries)) if slot.is_array() => merge_list(slot, entries, by),
            (_, Some(_)) => *slot = change.clone(),
            _ => merge(slot, change),
        }
    }
}

fn merge_key(list: &str, entries: &Value) -> Option<&'static str> {
    if list == "ports" {
        let first = entries.as_array()?.first()?;
        return Some(if first.get("containerPort").is_some() { "containerPort" } else { "port" });
    }
    KEYS.iter().find(|(name, _)| *name == list).map(|(_, key)| *key)
}

fn merge_list(target: &mut Value, entries: &[Value], by: &str) {
    let Some(list) = target.as_array_mut() else { return };
    for entry in entries {
        match list.iter_mut().find(|known| !known[by].is_null() && known[by] == entry[by]) {
            Some(known) => merge(known, entry),
            None if entry["$patch"].is_string() => {}
            None => list.push(entry.clone()),
        }
    }
    list.retain(|entry| !entry.is_null());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn named_entries_are_merged_and_others_are_added() {
        let mut spec = json!({"containers": [{"name": "a", "image": "1"}, {"name": "b"}], "args": ["x"]});
        let patch = json!({"containers": [{"name": "a", "tty": true}, {"name": "b", "$patch": "delete"}, {"name": "c"}], "args": ["y"]});
        merge(&mut spec, &patch);
        assert_eq!(
            spec,
            json!({"containers": [{"name": "a", "image": "1", "tty": true}, {"name": "c"}], "args": ["y"]})
        );
    }

    #[test]
    fn null_takes_a_field_away() {
        let mut value = json!({"a": 1, "b": {"c": 2}});
        merge(&mut value, &json!({"a": null, "b": {"d": 3}}));
        assert_eq!(value, json!({"b": {"c": 2, "d": 3}}));
    }
}
