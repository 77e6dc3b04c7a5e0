//! ConfigMaps and Secrets that a kustomization file describes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cluster_api::object;
use serde_json::{Map, Value, json};

use super::tree::{Tree, join};

/// Adds the generated objects, and puts their final names where other objects use them.
pub(super) fn all(
    tree: &Tree,
    directory: &str,
    kustomization: &Value,
    objects: &mut Vec<Value>,
) -> Result<(), String> {
    for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for generator in kustomization[field].as_array().map_or(&[][..], Vec::as_slice) {
            let mut made = generated(tree, directory, generator, kind)?;
            let plain = object::name(&made).to_owned();
            let fixed = kustomization["generatorOptions"]["disableNameSuffixHash"] == true
                || generator["options"]["disableNameSuffixHash"] == true;
            if !fixed {
                let name = format!(
                    "{plain}-{}",
                    &crate::artifacts::digest(made["data"].to_string().as_bytes())[7..17]
                );
                made["metadata"]["name"] = json!(name);
                for object in objects.iter_mut() {
                    rename(object, kind, &plain, &name);
                }
            }
            objects.push(made);
        }
    }
    Ok(())
}

fn generated(tree: &Tree, directory: &str, generator: &Value, kind: &str) -> Result<Value, String> {
    let mut data = Map::new();
    let list = |field: &str| {
        generator[field].as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str)
    };
    for literal in list("literals") {
        let (key, value) = literal
            .split_once('=')
            .ok_or_else(|| format!("invalid literal source {literal}, expected key=value"))?;
        data.insert(key.to_owned(), json!(value.trim_matches(['"', '\''])));
    }
    for file in list("files") {
        let (key, path) = file.split_once('=').unwrap_or((file.rsplit('/').next().unwrap_or(file), file));
        let text = join(directory, path).and_then(|path| tree.text(&path));
        let text =
            text.ok_or_else(|| format!("loading KV pairs: file sources: [{file}]: '{path}' doesn't exist"))?;
        data.insert(key.to_owned(), json!(text));
    }
    for file in list("envs") {
        let text = join(directory, file).and_then(|path| tree.text(&path)).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        data.extend(
            lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.to_owned(), json!(value))),
        );
    }
    let mut made = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": generator["name"]}});
    if generator["namespace"].is_string() {
        made["metadata"]["namespace"] = generator["namespace"].clone();
    }
    if kind == "Secret" {
        for value in data.values_mut() {
            *value = json!(STANDARD.encode(value.as_str().unwrap_or_default()));
        }
        made["type"] = json!(generator["type"].as_str().unwrap_or("Opaque"));
    }
    made["data"] = Value::Object(data);
    Ok(made)
}

/// Follows the references by which pods name ConfigMaps and Secrets.
fn rename(value: &mut Value, kind: &str, from: &str, to: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, kind, from, to)),
        Value::Object(map) => {
            for (key, child) in map.iter_mut() {
                let name = match (kind, key.as_str()) {
                    ("ConfigMap", "configMap" | "configMapRef" | "configMapKeyRef")
                    | ("Secret", "secretRef" | "secretKeyRef") => "name",
                    ("Secret", "secret") => "secretName",
                    _ => "",
                };
                if !name.is_empty() && child[name] == from {
                    child[name] = json!(to);
                }
                rename(child, kind, from, to);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_name_is_followed_by_those_who_use_it() {
        let tree = Tree::of(&[("d/app.conf", "x=1")]);
        let kustomization =
            json!({"configMapGenerator": [{"name": "conf", "files": ["app.conf"], "literals": ["a=b"]}]});
        let mut objects = vec![json!({"spec": {"volumes": [{"configMap": {"name": "conf"}}]}})];
        all(&tree, "d", &kustomization, &mut objects).unwrap();
        let name = object::name(&objects[1]).to_owned();
        assert!(name.starts_with("conf-") && name.len() == 15, "{name}");
        assert_eq!(objects[0]["spec"]["volumes"][0]["configMap"]["name"], json!(name));
        assert_eq!(objects[1]["data"], json!({"a": "b", "app.conf": "x=1"}));
    }
}
