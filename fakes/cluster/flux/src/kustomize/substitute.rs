//! Variables of `spec.postBuild`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cluster_api::{kinds, object};
use serde_json::Value;

use super::Kustomizations;
use crate::apply::subject_of;
use crate::yaml;

const DISABLED: &str = "kustomize.toolkit.fluxcd.io/substitute";

impl Kustomizations {
    /// Puts the values of variables into the objects, where the Kustomization has any.
    pub(super) fn substitute(
        &self,
        kustomization: &Value,
        objects: Vec<Value>,
    ) -> Result<Vec<Value>, String> {
        let build = &kustomization["spec"]["postBuild"];
        if !build.is_object() {
            return Ok(objects);
        }
        let variables = self.variables(kustomization)?;
        let replaced = objects.into_iter().map(|object| {
            let disabled = object::annotation(&object, DISABLED) == Some("disabled")
                || object::label(&object, DISABLED) == Some("disabled");
            if disabled {
                return Ok(object);
            }
            let shown = subject_of(&object);
            let text = expand(&object.to_string(), &variables)
                .map_err(|error| format!("post build failed for '{}': {error}", object::name(&object)))?;
            yaml::document(&text).map_err(|error| format!("post build failed for '{shown}': {error}"))
        });
        replaced.collect()
    }

    fn variables(&self, kustomization: &Value) -> Result<BTreeMap<String, String>, String> {
        let build = &kustomization["spec"]["postBuild"];
        let namespace = object::namespace(kustomization);
        let mut variables = BTreeMap::new();
        for reference in build["substituteFrom"].as_array().map_or(&[][..], Vec::as_slice) {
            let (kind, name) = (
                reference["kind"].as_str().unwrap_or_default(),
                reference["name"].as_str().unwrap_or_default(),
            );
            let res = if kind == "Secret" { kinds::SECRETS } else { kinds::CONFIG_MAPS };
            let Some(found) = self.store.get(&res, namespace, name) else {
                if reference["optional"] == true {
                    continue;
                }
                return Err(format!("substitute from '{kind}/{name}' error: {res} \"{name}\" not found"));
            };
            for (key, value) in found["data"].as_object().into_iter().flatten() {
                let text = value.as_str().unwrap_or_default();
                let text = if kind == "Secret" {
                    String::from_utf8_lossy(&STANDARD.decode(text).unwrap_or_default()).into_owned()
                } else {
                    text.to_owned()
                };
                variables.insert(key.clone(), text.replace('\n', ""));
            }
        }
        for (key, value) in build["substitute"].as_object().into_iter().flatten() {
            variables.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        Ok(variables)
    }
}

/// Expands `${NAME}`, `${NAME:-default}`, `${NAME:=default}`; `$${NAME}` stays `${NAME}`.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            out.push_str(&rest[..at]);
            out.push('{');
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let end = rest[at..]
            .find('}')
            .ok_or_else(|| "variable substitution failed: missing closing brace".to_owned())?
            + at;
        let inside = &rest[at + 2..end];
        let (name, default) = match inside.find([':', '=']) {
            Some(split) => (&inside[..split], inside[split..].trim_start_matches([':', '-', '='])),
            None => (inside, ""),
        };
        let value =
            variables.get(name).map(String::as_str).filter(|value| !value.is_empty()).unwrap_or(default);
        // The text is JSON: what stands inside strings has to stay inside them.
        out.push_str(&value.replace('\\', "\\\\").replace('"', "\\\""));
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_values_defaults_and_escapes() {
        let variables = BTreeMap::from([("A".to_owned(), "one".to_owned())]);
        assert_eq!(expand("${A}-${B:-two}-${C:=3}-$${A}-${D}.", &variables).unwrap(), "one-two-3-${A}-.");
        assert!(expand("${A", &variables).is_err());
    }
}
