//! What a kustomization file does to objects: patches, names, labels, images.

use cluster_api::{Store, object};
use serde_json::{Value, json};

use super::patch;
use super::tree::Tree;

/// Where a kustomization file stands.
pub(super) struct Scope<'a> {
    pub(super) tree: &'a Tree,
    pub(super) store: &'a Store,
    pub(super) directory: String,
}

impl Scope<'_> {
    fn is_namespaced(&self, object: &Value) -> bool {
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        match self.store.resolve_kind(text("apiVersion"), text("kind")) {
            Some(info) => info.namespaced,
            None => !text("kind").starts_with("Cluster"),
        }
    }
}

/// Applies everything that a kustomization file says, in kustomize's order.
pub(super) fn all(kustomization: &Value, objects: &mut Vec<Value>, scope: &Scope<'_>) -> Result<(), String> {
    patch::all(kustomization, objects, scope)?;
    if let Some(namespace) = kustomization["namespace"].as_str() {
        for object in objects.iter_mut().filter(|object| scope.is_namespaced(object)) {
            object::child(object, "metadata")["namespace"] = json!(namespace);
        }
    }
    let text = |field: &str| kustomization[field].as_str().unwrap_or_default();
    let (prefix, suffix) = (text("namePrefix"), text("nameSuffix"));
    if !prefix.is_empty() || !suffix.is_empty() {
        let fixed = |object: &Value| {
            matches!(object["kind"].as_str(), Some("Namespace" | "CustomResourceDefinition"))
        };
        for object in objects.iter_mut().filter(|object| !fixed(object)) {
            let name = format!("{prefix}{}{suffix}", object::name(object));
            object["metadata"]["name"] = json!(name);
        }
    }
    for object in objects.iter_mut() {
        add_labels(object, kustomization);
        add_strings(object, "annotations", &kustomization["commonAnnotations"]);
        set_replicas(object, &kustomization["replicas"]);
        for image in kustomization["images"].as_array().map_or(&[][..], Vec::as_slice) {
            set_images(object, image);
        }
    }
    Ok(())
}

fn add_labels(object: &mut Value, kustomization: &Value) {
    let common = &kustomization["commonLabels"];
    if common.is_object() {
        add_strings(object, "labels", common);
        add_to_selectors(object, common);
    }
    for entry in kustomization["labels"].as_array().map_or(&[][..], Vec::as_slice) {
        let pairs = &entry["pairs"];
        add_strings(object, "labels", pairs);
        if entry["includeSelectors"] == true {
            add_to_selectors(object, pairs);
        } else if entry["includeTemplates"] == true && object["spec"]["template"].is_object() {
            add_strings(&mut object["spec"]["template"], "labels", pairs);
        }
    }
}

/// Labels that select as well.
fn add_to_selectors(object: &mut Value, labels: &Value) {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let Some(labels) = labels.as_object() else { return };
    if object["spec"]["template"]["spec"]["containers"].is_array() {
        add_strings(&mut object["spec"]["template"], "labels", &json!(labels));
    }
    if matches!(kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") {
        let selector = object::child(object::child(&mut object["spec"], "selector"), "matchLabels");
        for (key, value) in labels {
            selector[key] = value.clone();
        }
    }
    if kind == "Service" && object["spec"]["selector"].is_object() {
        for (key, value) in labels {
            object["spec"]["selector"][key] = value.clone();
        }
    }
}

/// Adds labels or annotations.
pub(super) fn add_strings(object: &mut Value, field: &str, pairs: &Value) {
    let Some(pairs) = pairs.as_object().filter(|pairs| !pairs.is_empty()) else { return };
    let target = object::child(object::child(object, "metadata"), field);
    for (key, value) in pairs {
        target[key] = value.clone();
    }
}

fn set_replicas(object: &mut Value, replicas: &Value) {
    for entry in replicas.as_array().map_or(&[][..], Vec::as_slice) {
        if entry["name"] == object["metadata"]["name"] && object["spec"].get("template").is_some() {
            object["spec"]["replicas"] = entry["count"].clone();
        }
    }
}

/// Replaces one image wherever a container names it.
fn set_images(value: &mut Value, rule: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| set_images(item, rule)),
        Value::Object(map) => {
            for (key, child) in map.iter_mut() {
                if matches!(key.as_str(), "containers" | "initContainers") {
                    for container in child.as_array_mut().map_or(&mut [][..], Vec::as_mut_slice) {
                        set_image(container, rule);
                    }
                } else {
                    set_images(child, rule);
                }
            }
        }
        _ => {}
    }
}

fn set_image(container: &mut Value, rule: &Value) {
    let Some(image) = container["image"].as_str() else { return };
    let bare = image.split_once('@').map_or(image, |(name, _)| name);
    let (name, tag) = match bare.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (bare, None),
    };
    if rule["name"] != name {
        return;
    }
    let name = rule["newName"].as_str().unwrap_or(name);
    let new = match (rule["digest"].as_str(), rule["newTag"].as_str().or(tag)) {
        (Some(digest), _) => format!("{name}@{digest}"),
        (None, Some(tag)) => format!("{name}:{tag}"),
        (None, None) => name.to_owned(),
    };
    container["image"] = json!(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_keeps_its_tag_when_only_its_name_changes() {
        let mut container = json!({"image": "localhost:5000/app:1.0"});
        set_image(&mut container, &json!({"name": "localhost:5000/app", "newName": "ghcr.io/x/app"}));
        assert_eq!(container["image"], "ghcr.io/x/app:1.0");
        set_image(&mut container, &json!({"name": "ghcr.io/x/app", "digest": "sha256:0"}));
        assert_eq!(container["image"], "ghcr.io/x/app@sha256:0");
    }

    #[test]
    fn common_labels_select_too() {
        let mut object = json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": []}}}});
        add_labels(&mut object, &json!({"commonLabels": {"a": "b"}}));
        assert_eq!(object["spec"]["selector"]["matchLabels"], json!({"a": "b"}));
        assert_eq!(object["spec"]["template"]["metadata"]["labels"], json!({"a": "b"}));
    }
}
