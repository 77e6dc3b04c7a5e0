//! The values of a release: those of its references in order, then its own.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cluster_api::{Store, kinds, object};
use serde_json::{Map, Value, json};

use crate::yaml;

/// All values of a HelmRelease.
pub(super) fn compose(store: &Store, release: &Value) -> Result<Value, String> {
    let mut values = json!({});
    for reference in release["spec"]["valuesFrom"].as_array().map_or(&[][..], Vec::as_slice) {
        let text = |field: &str| reference[field].as_str().unwrap_or_default().to_owned();
        let (kind, name) = (text("kind"), text("name"));
        let key = reference["valuesKey"].as_str().unwrap_or("values.yaml");
        let unresolved = |why: String| {
            let namespace = object::namespace(release);
            format!(
                "could not resolve {kind} chart values reference '{namespace}/{name}' with key '{key}': {why}"
            )
        };
        let found = match lookup(store, object::namespace(release), &kind, &name, key) {
            Ok(found) => found,
            Err(_) if reference["optional"] == true => continue,
            Err(why) => return Err(unresolved(why)),
        };
        match reference["targetPath"].as_str() {
            Some(path) => set_path(&mut values, path, yaml_scalar(&found)),
            None => {
                let document = yaml::document(&found)
                    .map_err(|error| unresolved(format!("error converting YAML to JSON: {error}")))?;
                if !document.is_null() {
                    merge(&mut values, &document);
                }
            }
        }
    }
    if release["spec"]["values"].is_object() {
        merge(&mut values, &release["spec"]["values"]);
    }
    Ok(values)
}

fn lookup(store: &Store, namespace: &str, kind: &str, name: &str, key: &str) -> Result<String, String> {
    let res = if kind == "Secret" { kinds::SECRETS } else { kinds::CONFIG_MAPS };
    let found = store.get(&res, namespace, name).ok_or_else(|| format!("{res} \"{name}\" not found"))?;
    let text = found["data"][key].as_str().ok_or_else(|| "key not found".to_owned())?;
    if kind == "Secret" {
        let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(text.to_owned())
}

/// A value for a path is a string, unless it reads as something else.
pub(super) fn yaml_scalar(text: &str) -> Value {
    match yaml::document(text) {
        Ok(value) if !value.is_object() && !value.is_array() && !value.is_null() => value,
        _ => json!(text),
    }
}

pub(super) fn set_path(values: &mut Value, path: &str, value: Value) {
    let mut slot = values;
    for part in path.split('.') {
        if !slot.is_object() {
            *slot = Value::Object(Map::new());
        }
        slot = &mut slot[part];
    }
    *slot = value;
}

fn merge(into: &mut Value, from: &Value) {
    match (into.as_object_mut(), from.as_object()) {
        (Some(into), Some(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        _ => *into = from.clone(),
    }
}

/// The digest of values, the same whatever order they stand in.
pub(super) fn digest(values: &Value) -> String {
    crate::artifacts::digest(sorted(values).to_string().as_bytes())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            fields.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use field_clock::Clock;

    use super::*;

    fn release(values_from: Value) -> Value {
        json!({"metadata": {"name": "r", "namespace": "default"}, "spec": {"valuesFrom": values_from, "values": {"a": {"own": 1}}}})
    }

    #[test]
    fn own_values_win_over_referenced_ones() {
        let store = Store::new(Clock::wall());
        let map = json!({"metadata": {"name": "m", "namespace": "default"}, "data": {"values.yaml": "a: {own: 0, other: '2'}\n"}});
        store.create(&kinds::CONFIG_MAPS, map).unwrap();
        let values = compose(&store, &release(json!([{"kind": "ConfigMap", "name": "m"}]))).unwrap();
        assert_eq!(values, json!({"a": {"own": 1, "other": "2"}}));
    }

    #[test]
    fn missing_maps_and_keys_are_told_apart() {
        let store = Store::new(Clock::wall());
        let missing = json!([{"kind": "ConfigMap", "name": "m", "valuesKey": "talos.yaml"}]);
        assert_eq!(
            compose(&store, &release(missing.clone())).unwrap_err(),
            "could not resolve ConfigMap chart values reference 'default/m' with key 'talos.yaml': configmaps \"m\" not found"
        );
        store
            .create(&kinds::CONFIG_MAPS, json!({"metadata": {"name": "m", "namespace": "default"}}))
            .unwrap();
        assert!(compose(&store, &release(missing)).unwrap_err().ends_with(": key not found"));
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_of_keys() {
        assert_eq!(
            digest(&json!({"a": 1, "b": {"c": 2, "d": 3}})),
            digest(&json!({"b": {"d": 3, "c": 2}, "a": 1}))
        );
    }
}
