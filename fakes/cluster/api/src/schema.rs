//! Schemas of custom resources: defaults, pruning and checks.

use serde_json::{Value, json};

use crate::error::Cause;

/// Sets defaults and drops unknown fields of a custom resource.
pub(crate) fn admit(value: &mut Value, schema: &Value) {
    prune(value, schema, Depth::Top);
    default(value, schema);
}

#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Top,
    Inner,
}

fn keeps_unknown(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == true
}

fn prune(value: &mut Value, schema: &Value, depth: Depth) {
    match value {
        Value::Object(map) => {
            let properties = &schema["properties"];
            let additional = &schema["additionalProperties"];
            let known = |key: &str| {
                properties.get(key).is_some()
                    || (depth == Depth::Top || schema["x-kubernetes-embedded-resource"] == true)
                        && matches!(key, "apiVersion" | "kind" | "metadata")
            };
            if !keeps_unknown(schema) && !additional.is_object() && *additional != true {
                map.retain(|key, _| known(key));
            }
            for (key, inner) in map.iter_mut() {
                if depth == Depth::Top && key == "metadata" {
                    continue;
                }
                match properties.get(key) {
                    Some(schema) => prune(inner, schema, Depth::Inner),
                    None if additional.is_object() => prune(inner, additional, Depth::Inner),
                    None => {}
                }
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            items.iter_mut().for_each(|item| prune(item, &schema["items"], Depth::Inner));
        }
        _ => {}
    }
}

fn default(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
                let nothing = map.get(key).is_none_or(|held| held.is_null() && inner["nullable"] != true);
                match inner.get("default") {
                    Some(fallback) if nothing => {
                        map.insert(key.clone(), fallback.clone());
                    }
                    None if map.get(key).is_some_and(Value::is_null) && inner["nullable"] != true => {
                        map.shift_remove(key);
                    }
                    _ => {}
                }
                if let Some(held) = map.get_mut(key) {
                    default(held, inner);
                }
            }
            if schema["additionalProperties"].is_object() {
                map.values_mut().for_each(|inner| default(inner, &schema["additionalProperties"]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| default(item, &schema["items"])),
        _ => {}
    }
}

/// What is wrong with a custom resource.
pub(crate) fn check(value: &Value, schema: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    visit(value, schema, "", &mut causes);
    causes
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn has_type(value: &Value, schema: &Value) -> bool {
    if value.is_null() {
        return schema["nullable"] == true;
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return matches!(type_of(value), "integer" | "string");
    }
    match (schema["type"].as_str(), type_of(value)) {
        (None | Some(""), _) => true,
        (Some("number"), "integer") => true,
        (Some(wanted), actual) => wanted == actual,
    }
}

fn visit(value: &Value, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    if !has_type(value, schema) {
        let wanted = schema["type"].as_str().unwrap_or("integer or string");
        let message = format!("{path} in body must be of type {wanted}: \"{}\"", type_of(value));
        causes.push(Cause::type_invalid(path, &json!(type_of(value)), &message));
        return;
    }
    if let Some(known) = schema["enum"].as_array().filter(|known| !known.contains(value)) {
        let known: Vec<&str> = known.iter().filter_map(Value::as_str).collect();
        causes.push(Cause::unsupported(path, value, &known));
    }
    match value {
        Value::Object(map) => {
            for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !map.contains_key(required) {
                    causes.push(Cause::required(joined(path, required), ""));
                }
            }
            for (key, inner) in map {
                if path.is_empty() && key == "metadata" {
                    continue;
                }
                let more = || schema.get("additionalProperties").filter(|more| more.is_object());
                if let Some(schema) = schema["properties"].get(key).or_else(more) {
                    visit(inner, schema, &joined(path, key), causes);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                visit(item, &schema["items"], &format!("{path}[{at}]"), causes);
            }
            sizes(value, items.len(), schema, path, ["minItems", "maxItems"], "items", causes);
        }
        Value::String(text) => {
            sizes(
                value,
                text.chars().count(),
                schema,
                path,
                ["minLength", "maxLength"],
                "chars long",
                causes,
            );
            pattern(value, text, schema, path, causes);
        }
        Value::Number(number) => range(value, number.as_f64().unwrap_or(0.0), schema, path, causes),
        _ => {}
    }
}

fn joined(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

fn sizes(
    value: &Value,
    size: usize,
    schema: &Value,
    path: &str,
    [least, most]: [&str; 2],
    unit: &str,
    causes: &mut Vec<Cause>,
) {
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    let verb = if unit == "items" { "have" } else { "be" };
    if let Some(least) = schema[least].as_u64().filter(|least| size < *least) {
        let message = format!("{path} in body should {verb} at least {least} {unit}");
        causes.push(Cause::invalid(path, value, &message));
    }
    if let Some(most) = schema[most].as_u64().filter(|most| size > *most) {
        let message = format!("{path} in body should {verb} at most {most} {unit}");
        causes.push(Cause::invalid(path, value, &message));
    }
}

fn pattern(value: &Value, text: &str, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    let Some(pattern) = schema["pattern"].as_str() else { return };
    if regex::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text)) {
        causes.push(Cause::invalid(path, value, &format!("{path} in body should match '{pattern}'")));
    }
}

fn range(value: &Value, number: f64, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    if let Some(least) = schema["minimum"].as_f64().filter(|least| number < *least) {
        let message = format!("{path} in body should be greater than or equal to {least}");
        causes.push(Cause::invalid(path, value, &message));
    }
    if let Some(most) = schema["maximum"].as_f64().filter(|most| number > *most) {
        let message = format!("{path} in body should be less than or equal to {most}");
        causes.push(Cause::invalid(path, value, &message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ApiError;

    fn schema() -> Value {
        json!({"type": "object", "properties": {"spec": {"type": "object", "required": ["interval"], "properties": {
            "interval": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"},
            "retries": {"type": "integer", "default": 3},
            "mode": {"type": "string", "enum": ["a", "b"]},
            "values": {"x-kubernetes-preserve-unknown-fields": true}}}}})
    }

    #[test]
    fn defaults_are_set_and_unknown_fields_dropped() {
        let mut value = json!({"apiVersion": "x/v1", "metadata": {"name": "a"}, "spec": {"bogus": 1, "values": {"any": 1}}});
        admit(&mut value, &schema());
        assert_eq!(value["spec"], json!({"values": {"any": 1}, "retries": 3}));
        assert_eq!(value["metadata"]["name"], "a");
    }

    #[test]
    fn refusals_are_worded_as_kubernetes_words_them() {
        let text = |spec: Value| {
            ApiError::invalid("Thing.x", "a", &check(&json!({"spec": spec}), &schema())).message
        };
        assert_eq!(text(json!({})), "Thing.x \"a\" is invalid: spec.interval: Required value");
        assert_eq!(
            text(json!({"interval": "1m", "mode": "c"})),
            "Thing.x \"a\" is invalid: spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\""
        );
        assert_eq!(
            text(json!({"interval": "1m", "retries": "x"})),
            "Thing.x \"a\" is invalid: spec.retries: Invalid value: \"string\": spec.retries in body must be of type \
             integer: \"string\""
        );
        assert!(text(json!({"interval": "soon"})).contains("spec.interval in body should match '^([0-9]+"));
    }
}
