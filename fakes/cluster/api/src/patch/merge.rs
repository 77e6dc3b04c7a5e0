//! Merging what somebody applies into what is there, and dropping what nobody wants any more.

use serde_json::Value;

use super::fields::FieldSet;
use super::layout::{Layout, Place, key_of};

/// Merges `wanted` into `live`.
pub(crate) fn merge(live: &mut Value, wanted: &Value, place: Place<'_>) {
    match (place.layout(wanted), live, wanted) {
        (Layout::Fields, Value::Object(live), Value::Object(wanted)) => {
            for (name, value) in wanted {
                match live.get_mut(name) {
                    _ if value.is_null() => {
                        live.shift_remove(name);
                    }
                    Some(current) => merge(current, value, place.field(name)),
                    None => {
                        live.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Layout::Keyed(keys), Value::Array(live), Value::Array(wanted)) => {
            merge_keyed(live, wanted, &keys, place.item());
        }
        (Layout::Set, Value::Array(live), Value::Array(wanted)) => {
            let new: Vec<Value> = wanted.iter().filter(|item| !live.contains(item)).cloned().collect();
            live.extend(new);
        }
        (_, live, wanted) => *live = wanted.clone(),
    }
}

/// Wanted items come in their order; items that only live has stay behind the item they stood behind.
fn merge_keyed(live: &mut Vec<Value>, wanted: &[Value], keys: &[String], place: Place<'_>) {
    let old = std::mem::take(live);
    let wanted_keys: Vec<String> = wanted.iter().map(|item| key_of(item, keys)).collect();
    let old_keys: Vec<String> = old.iter().map(|item| key_of(item, keys)).collect();
    for (item, key) in wanted.iter().zip(&wanted_keys) {
        match old_keys.iter().position(|other| other == key) {
            Some(at) => {
                let mut merged = old[at].clone();
                merge(&mut merged, item, place);
                live.push(merged);
            }
            None => live.push(item.clone()),
        }
    }
    let mut after: Option<&String> = None;
    for (item, key) in old.iter().zip(&old_keys) {
        if !wanted_keys.contains(key) {
            let at = after.map_or(0, |before| {
                live.iter().position(|other| key_of(other, keys) == *before).map_or(live.len(), |at| at + 1)
            });
            live.insert(at, item.clone());
        }
        after = Some(key);
    }
}

/// Drops the places in `gone` from a value, unless something of them is in `kept`.
pub(crate) fn prune(value: &mut Value, gone: &FieldSet, kept: &FieldSet, place: Place<'_>) {
    let nothing = FieldSet::default();
    match (place.layout(value), value) {
        (Layout::Fields, Value::Object(map)) => {
            for (element, part) in &gone.children {
                let Some(name) = element.strip_prefix("f:") else { continue };
                let staying = kept.children.get(element).unwrap_or(&nothing);
                let shared = matches!(name, "labels" | "annotations") && !part.here;
                if staying.is_empty() && !shared {
                    map.shift_remove(name);
                } else if let Some(inner) = map.get_mut(name) {
                    prune(inner, part, staying, place.field(name));
                    if is_bare(inner) && staying.is_empty() {
                        map.shift_remove(name);
                    }
                }
            }
        }
        (Layout::Keyed(keys), Value::Array(items)) => {
            for (element, part) in &gone.children {
                let Some(key) = element.strip_prefix("k:") else { continue };
                let Some(at) = items.iter().position(|item| key_of(item, &keys) == key) else { continue };
                match kept.children.get(element) {
                    Some(staying) => prune(&mut items[at], part, staying, place.item()),
                    None if part.here => {
                        items.remove(at);
                    }
                    None => prune(&mut items[at], part, &nothing, place.item()),
                }
            }
        }
        (Layout::Set, Value::Array(items)) => {
            items.retain(|item| {
                let element = format!("v:{item}");
                !gone.children.contains_key(&element) || kept.children.contains_key(&element)
            });
        }
        _ => {}
    }
}

fn is_bare(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// The value at a place of a set element path, for comparing.
pub(crate) fn differing(both: &FieldSet, live: &Value, wanted: &Value, place: Place<'_>) -> FieldSet {
    let mut set = FieldSet { here: false, ..FieldSet::default() };
    match (place.layout(wanted), live, wanted) {
        (Layout::Fields, Value::Object(live), Value::Object(wanted)) => {
            for (element, part) in &both.children {
                let Some(name) = element.strip_prefix("f:") else { continue };
                let inner = match (live.get(name), wanted.get(name)) {
                    (Some(live), Some(wanted)) => differing(part, live, wanted, place.field(name)),
                    _ => part.clone(),
                };
                if !inner.is_empty() {
                    set.children.insert(element.clone(), inner);
                }
            }
        }
        (Layout::Keyed(keys), Value::Array(live), Value::Array(wanted)) => {
            let find = |list: &[Value], key: &str| list.iter().position(|item| key_of(item, &keys) == key);
            for (element, part) in &both.children {
                let Some(key) = element.strip_prefix("k:") else { continue };
                let inner = match (find(live, key), find(wanted, key)) {
                    (Some(old), Some(new)) => differing(part, &live[old], &wanted[new], place.item()),
                    _ => part.clone(),
                };
                if !inner.is_empty() {
                    set.children.insert(element.clone(), inner);
                }
            }
        }
        (Layout::Set, ..) => {}
        (_, live, wanted) => set.here = both.here && live != wanted,
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TOP: Place<'static> = Place::BuiltIn { field: "", parent: "" };

    #[test]
    fn wanted_items_come_in_order_and_others_keep_their_neighbours() {
        let mut live = json!({"env": [{"name": "x"}, {"name": "a", "value": "1"}, {"name": "y"}]});
        merge(&mut live, &json!({"env": [{"name": "b"}, {"name": "a", "value": "2"}]}), TOP);
        let names: Vec<&str> =
            live["env"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["x", "b", "a", "y"]);
        assert_eq!(live["env"][2]["value"], "2");
    }

    #[test]
    fn a_dropped_struct_takes_its_defaults_along() {
        let mut value =
            json!({"spec": {"livenessProbe": {"httpGet": {"path": "/"}, "periodSeconds": 10}, "a": 1}});
        let gone = FieldSet::of(&json!({"spec": {"livenessProbe": {"httpGet": {"path": "/"}}}}), TOP);
        let kept = FieldSet::of(&json!({"spec": {"a": 1}}), TOP);
        prune(&mut value, &gone, &kept, TOP);
        assert_eq!(value, json!({"spec": {"a": 1}}));
    }

    #[test]
    fn annotations_of_others_stay() {
        let mut value = json!({"metadata": {"annotations": {"mine": "1", "theirs": "2"}}});
        let gone = FieldSet::of(&json!({"metadata": {"annotations": {"mine": "1"}}}), TOP);
        let kept = FieldSet::of(&json!({"metadata": {"labels": {"a": "b"}}}), TOP);
        prune(&mut value, &gone, &kept, TOP);
        assert_eq!(value, json!({"metadata": {"annotations": {"theirs": "2"}}}));
    }
}
