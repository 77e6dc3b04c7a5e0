//! The environment of a container.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cluster_api::kinds::{CONFIG_MAPS, SECRETS};
use cluster_api::{Res, Store, object};
use serde_json::{Map, Value};

use super::service_links::service_links;
use crate::config::ApiAccess;

/// What environment variables may refer to.
pub(super) struct Surroundings<'a> {
    pub(super) store: &'a Store,
    pub(super) api: &'a ApiAccess,
    pub(super) pod: &'a Value,
    pub(super) pod_ip: String,
    pub(super) host_ip: String,
}

/// A container whose config cannot be made; the text of `CreateContainerConfigError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct ConfigError(pub(super) String);

/// Variables in the order in which they were first named, each once.
#[derive(Default)]
struct Variables {
    order: Vec<String>,
    values: HashMap<String, String>,
}

impl Variables {
    fn set(&mut self, name: &str, value: String) {
        if self.values.insert(name.to_owned(), value).is_none() {
            self.order.push(name.to_owned());
        }
    }
}

/// The variables that the pod's spec gives a container, services first.
pub(super) fn environment(
    around: &Surroundings<'_>,
    container: &Value,
) -> Result<Vec<(String, String)>, ConfigError> {
    let links: HashMap<String, String> =
        service_links(around.store, around.api, around.pod).into_iter().collect();
    let mut variables = Variables::default();
    for source in container["envFrom"].as_array().into_iter().flatten() {
        from_source(around, source, &mut variables)?;
    }
    for entry in container["env"].as_array().into_iter().flatten() {
        let Some(name) = entry["name"].as_str() else { continue };
        if let Some(reference) = entry.get("valueFrom").filter(|v| v.is_object()) {
            if let Some(value) = referred(around, container, reference)? {
                variables.set(name, value);
            }
        } else {
            let known = |name: &str| variables.values.get(name).or(links.get(name)).cloned();
            let value = expand(entry["value"].as_str().unwrap_or(""), &known);
            variables.set(name, value);
        }
    }
    let mut links: Vec<_> =
        links.into_iter().filter(|(name, _)| !variables.values.contains_key(name)).collect();
    links.sort();
    let own = variables.order.into_iter().map(|name| {
        let value = variables.values.get(&name).cloned().unwrap_or_default();
        (name, value)
    });
    Ok(links.into_iter().chain(own).collect())
}

/// `$(NAME)` becomes its value when it is known; `$$` is a dollar sign.
pub(super) fn expand(text: &str, known: &dyn Fn(&str) -> Option<String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(after) = after.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match known(name) {
                Some(value) => result.push_str(&value),
                None => result.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            result.push('$');
            rest = after;
        }
    }
    result.push_str(rest);
    result
}

fn from_source(
    around: &Surroundings<'_>,
    source: &Value,
    variables: &mut Variables,
) -> Result<(), ConfigError> {
    let prefix = source["prefix"].as_str().unwrap_or("");
    for (field, res, kind) in [("configMapRef", &CONFIG_MAPS, "configmap"), ("secretRef", &SECRETS, "secret")]
    {
        let Some(reference) = source.get(field).filter(|v| v.is_object()) else { continue };
        let Some(object) = fetch(around, res, kind, reference)? else { continue };
        for (key, value) in data(&object, field == "secretRef") {
            variables.set(&format!("{prefix}{key}"), value);
        }
    }
    Ok(())
}

/// All texts of a ConfigMap or Secret.
fn data(object: &Value, encoded: bool) -> Vec<(String, String)> {
    let empty = Map::new();
    let entries = object["data"].as_object().unwrap_or(&empty);
    entries.iter().map(|(key, value)| (key.clone(), text(value, encoded))).collect()
}

fn text(value: &Value, encoded: bool) -> String {
    let plain = value.as_str().unwrap_or("");
    if !encoded {
        return plain.to_owned();
    }
    String::from_utf8_lossy(&STANDARD.decode(plain).unwrap_or_default()).into_owned()
}

fn fetch(
    around: &Surroundings<'_>,
    res: &Res,
    kind: &str,
    reference: &Value,
) -> Result<Option<std::sync::Arc<Value>>, ConfigError> {
    let name = reference["name"].as_str().unwrap_or("");
    match around.store.get(res, object::namespace(around.pod), name) {
        Some(object) => Ok(Some(object)),
        None if reference["optional"] == true => Ok(None),
        None => Err(ConfigError(format!("{kind} \"{name}\" not found"))),
    }
}

fn referred(
    around: &Surroundings<'_>,
    container: &Value,
    reference: &Value,
) -> Result<Option<String>, ConfigError> {
    if let Some(path) = reference["fieldRef"]["fieldPath"].as_str() {
        return Ok(Some(field(around.pod, path, &around.pod_ip, &around.host_ip)));
    }
    if let Some(resource) = reference["resourceFieldRef"]["resource"].as_str() {
        return Ok(Some(resource_field(container, resource)));
    }
    for (which, res, kind, title) in [
        ("configMapKeyRef", &CONFIG_MAPS, "configmap", "ConfigMap"),
        ("secretKeyRef", &SECRETS, "secret", "Secret"),
    ] {
        let Some(reference) = reference.get(which).filter(|v| v.is_object()) else { continue };
        let Some(found) = fetch(around, res, kind, reference)? else { return Ok(None) };
        let key = reference["key"].as_str().unwrap_or("");
        return match found["data"].get(key) {
            Some(value) => Ok(Some(text(value, which == "secretKeyRef"))),
            None if reference["optional"] == true => Ok(None),
            None => {
                let place = format!("{}/{}", object::namespace(&found), object::name(&found));
                Err(ConfigError(format!("couldn't find key {key} in {title} {place}")))
            }
        };
    }
    Ok(None)
}

/// A field of the pod, as the downward API names it.
pub(crate) fn field(pod: &Value, path: &str, pod_ip: &str, host_ip: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    if let Some((map, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) {
        return match map {
            "metadata.labels" => text(&pod["metadata"]["labels"][key]),
            "metadata.annotations" => text(&pod["metadata"]["annotations"][key]),
            _ => String::new(),
        };
    }
    match path {
        "metadata.name" | "metadata.namespace" | "metadata.uid" => text(&pod["metadata"][&path[9..]]),
        "metadata.labels" | "metadata.annotations" => {
            let lines = pod["metadata"][&path[9..]].as_object().into_iter().flatten();
            lines.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("\n")
        }
        "spec.nodeName" | "spec.serviceAccountName" => text(&pod["spec"][&path[5..]]),
        "status.podIP" | "status.podIPs" => pod_ip.to_owned(),
        "status.hostIP" | "status.hostIPs" => host_ip.to_owned(),
        _ => String::new(),
    }
}

/// A limit or request as a whole number.
fn resource_field(container: &Value, resource: &str) -> String {
    let (kind, name) = resource.split_once('.').unwrap_or(("limits", resource));
    let quantity = container["resources"][kind][name].as_str().unwrap_or("0");
    let parsed = crate::quantity::parse(quantity);
    if name == "cpu" { format!("{}", parsed.div_ceil(1000)) } else { format!("{}", parsed / 1000) }
}

#[cfg(test)]
mod tests {
    use super::{expand, field};
    use serde_json::json;

    #[test]
    fn references_are_expanded_once_and_unknown_ones_stay() {
        let known = |name: &str| (name == "HOST").then(|| "$(PORT)".to_owned());
        assert_eq!(expand("a $(HOST) $(NONE) $$(HOST) $", &known), "a $(PORT) $(NONE) $(HOST) $");
    }

    #[test]
    fn the_downward_api_knows_labels_and_addresses() {
        let pod = json!({"metadata": {"name": "db", "labels": {"a/b": "c"}}});
        assert_eq!(field(&pod, "metadata.labels['a/b']", "", ""), "c");
        assert_eq!(field(&pod, "metadata.name", "", ""), "db");
        assert_eq!(field(&pod, "status.hostIP", "1.1.1.1", "2.2.2.2"), "2.2.2.2");
    }
}
