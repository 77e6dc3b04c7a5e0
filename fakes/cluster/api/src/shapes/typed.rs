//! What server-side apply says to values of other types and to fields that a kind does not have.

use serde_json::Value;

use super::{named, of_kind, reference};
use crate::ApiError;
use crate::kind::KindInfo;

/// Types whose values are of several sorts, whatever their published schema says.
const LOOSE: [&str; 6] = [
    ".Quantity",
    ".IntOrString",
    ".v1.JSON",
    ".JSONSchemaPropsOrArray",
    ".JSONSchemaPropsOrBool",
    ".JSONSchemaPropsOrStringArray",
];

/// Refuses what does not fit the schema of a built-in kind.
pub(crate) fn check(
    info: &KindInfo,
    version: &str,
    namespace: &str,
    name: &str,
    value: &Value,
) -> Result<(), ApiError> {
    if info.custom {
        return Ok(());
    }
    let mut mistakes = Vec::new();
    visit(value, &of_kind(info, version), "", &mut mistakes);
    let why = match mistakes.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    };
    let kind = format!("{}, Kind={}", info.res.api_version(version), info.kind);
    let message = format!("failed to create typed patch object ({namespace}/{name}; {kind}): {why}");
    Err(ApiError::new(500, "", message))
}

fn visit(value: &Value, schema: &Value, place: &str, mistakes: &mut Vec<String>) {
    if value.is_null() || schema["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    if let Some(name) = reference(schema) {
        let loose = LOOSE.iter().any(|end| name.ends_with(end));
        if let Some(inner) = named(name).filter(|_| !loose) {
            visit(value, inner, place, mistakes);
        }
        return;
    }
    let expected = match schema["type"].as_str() {
        _ if schema["x-kubernetes-int-or-string"] == true => None,
        Some("integer" | "number") => (!value.is_number()).then_some("numeric (int or float)"),
        Some("boolean") => (!value.is_boolean()).then_some("boolean"),
        Some("string") => (!value.is_string()).then_some("string"),
        Some("array") => (!value.is_array()).then_some("list"),
        Some("object") => (!value.is_object()).then_some("map"),
        _ => None,
    };
    if let Some(expected) = expected {
        mistakes.push(format!("{place}: expected {expected}, got {}", go_kind(value)));
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let place = format!("{place}.{key}");
                let known = schema["properties"]
                    .get(key)
                    .or_else(|| schema.get("additionalProperties").filter(|schema| schema.is_object()));
                match known {
                    Some(schema) => visit(inner, schema, &place, mistakes),
                    None if schema["properties"].is_object() => {
                        mistakes.push(format!("{place}: field not declared in schema"));
                    }
                    None => {}
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                visit(item, &schema["items"], &format!("{place}{}", item_place(item, at)), mistakes);
            }
        }
        _ => {}
    }
}

/// Items that have a name are told by it.
fn item_place(item: &Value, at: usize) -> String {
    item["name"].as_str().map_or_else(|| format!("[{at}]"), |name| format!("[name={name:?}]"))
}

fn go_kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(number) if number.is_f64() => "float".to_owned(),
        Value::Number(_) => "int".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "list".to_owned(),
        Value::Object(_) => "map".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn a_default_in_a_definition_has_any_type() {
        let info =
            crate::built_in::kinds().find(|info| info.kind == "CustomResourceDefinition").expect("a kind");
        let schema = |default: serde_json::Value| {
            json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"properties": {
                "timeout": {"type": "string", "default": default}}}}}]}})
        };
        for default in [json!("60s"), json!(false), json!({"a": 1})] {
            check(&info, "v1", "", "x", &schema(default)).unwrap();
        }
    }

    #[test]
    fn a_value_of_another_type_is_told_with_its_path() {
        let info = crate::built_in::kinds().find(|info| info.kind == "Deployment").expect("a kind");
        let wrong = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "bad"},
            "spec": {"replicas": "three"}});
        assert_eq!(
            check(&info, "v1", "ns", "bad", &wrong).unwrap_err().to_string(),
            "failed to create typed patch object (ns/bad; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string"
        );
    }
}
