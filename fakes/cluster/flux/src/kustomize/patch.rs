//! Patches of a kustomization file.

use cluster_api::{object, selector};
use serde_json::{Value, json};

use super::merge::merge;
use super::transform::Scope;
use super::tree::join;
use crate::yaml;

/// Applies all patches of a kustomization file.
pub(super) fn all(kustomization: &Value, objects: &mut Vec<Value>, scope: &Scope<'_>) -> Result<(), String> {
    let list = |field: &str| kustomization[field].as_array().map_or(&[][..], Vec::as_slice);
    for entry in list("patchesStrategicMerge") {
        let entry = entry.as_str().unwrap_or_default();
        let text = join(&scope.directory, entry)
            .and_then(|path| scope.tree.text(&path))
            .unwrap_or_else(|| entry.to_owned());
        one(&text, &Value::Null, objects)?;
    }
    for entry in list("patches").iter().chain(list("patchesJson6902")) {
        let text = match entry["path"].as_str() {
            Some(path) => {
                join(&scope.directory, path).and_then(|path| scope.tree.text(&path)).ok_or_else(|| {
                    format!("failed to get the patch file from path({path}): '{path}' doesn't exist")
                })?
            }
            None => entry["patch"].as_str().unwrap_or_default().to_owned(),
        };
        one(&text, &entry["target"], objects)?;
    }
    Ok(())
}

fn one(text: &str, target: &Value, objects: &mut Vec<Value>) -> Result<(), String> {
    let unreadable = |error| format!("unable to parse SM or JSON patch from [{text}]: {error}");
    for patch in yaml::documents(text).map_err(unreadable)? {
        if patch.is_array() {
            let patch: json_patch::Patch =
                serde_json::from_value(patch).map_err(|error| unreadable(error.to_string()))?;
            for object in objects.iter_mut().filter(|object| targets(target, object)) {
                json_patch::patch(object, &patch)
                    .map_err(|error| format!("replace operation does not apply: {error}"))?;
            }
            continue;
        }
        let own = json!({"kind": patch["kind"], "name": patch["metadata"]["name"], "namespace": patch["metadata"]["namespace"]});
        let target = if target.is_null() { &own } else { target };
        let mut hit = false;
        for object in objects.iter_mut().filter(|object| targets(target, object)) {
            hit = true;
            let (kind, name) = (object["kind"].clone(), object["metadata"]["name"].clone());
            merge(object, &patch);
            if !object.is_null() {
                object["kind"] = kind;
                object["metadata"]["name"] = name;
            }
        }
        if !hit && std::ptr::eq(target, &own) {
            let shown = format!("{}.v1.[noGrp]/{}.[noNs]", text_of(&own["kind"]), text_of(&own["name"]));
            return Err(format!(
                "no resource matches strategic merge patch \"{shown}\": no matches for Id {shown}; failed to find unique target for patch {shown}"
            ));
        }
        objects.retain(|object| !object.is_null());
    }
    Ok(())
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether a patch's target names an object; names are whole, or patterns with `.*`.
fn targets(target: &Value, object: &Value) -> bool {
    let matches = |wanted: &Value, actual: &str| match wanted.as_str() {
        None | Some("") => true,
        Some(pattern) => match pattern.split_once(".*") {
            Some((start, end)) => {
                actual.len() >= start.len() + end.len() && actual.starts_with(start) && actual.ends_with(end)
            }
            None => pattern == actual,
        },
    };
    let (group, version) =
        text_of(&object["apiVersion"]).split_once('/').unwrap_or(("", text_of(&object["apiVersion"])));
    let labels = target["labelSelector"].as_str().map(selector::LabelQuery::parse);
    matches(&target["kind"], text_of(&object["kind"]))
        && matches(&target["name"], object::name(object))
        && (object::namespace(object).is_empty() || matches(&target["namespace"], object::namespace(object)))
        && matches(&target["group"], group)
        && matches(&target["version"], version)
        && labels.is_none_or(|query| query.is_ok_and(|query| query.matches(object::labels(object))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_may_name_a_pattern_and_labels() {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web-1", "labels": {"a": "b"}}});
        assert!(targets(&json!({"kind": "Deployment", "name": "web-.*", "labelSelector": "a=b"}), &object));
        assert!(!targets(&json!({"name": "web"}), &object));
        assert!(!targets(&json!({"group": "batch"}), &object));
    }

    #[test]
    fn a_patch_that_says_delete_takes_the_object_away() {
        let mut objects = vec![json!({"kind": "ConfigMap", "metadata": {"name": "a"}})];
        one("kind: ConfigMap\nmetadata: {name: a}\n$patch: delete\n", &Value::Null, &mut objects).unwrap();
        assert!(objects.is_empty());
    }
}
