//! Reading an object as a typed server does: fields it does not know, values of the wrong type.

use serde_json::Value;

use super::{named, of_kind, reference};
use crate::kind::KindInfo;

/// What such a server says to a quantity that is none.
const QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// What is wrong with an object's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// A value of another type, in the decoder's words.
    Type(String),
    /// A field that the kind does not have.
    Unknown(String),
}

/// Everything that is wrong with an object's shape.
pub(crate) fn decode(info: &KindInfo, version: &str, value: &Value) -> Vec<Mistake> {
    let schema = of_kind(info, version);
    let mut reading = Reading { custom: info.custom, mistakes: Vec::new() };
    reading.visit(value, &schema, &Place::root(&info.kind));
    reading.mistakes
}

struct Reading {
    custom: bool,
    mistakes: Vec<Mistake>,
}

/// Where a value lies.
struct Place {
    /// `spec.containers[0].image`.
    shown: String,
    /// `spec.containers.image`.
    fields: String,
    /// The innermost type, `Container`.
    holder: String,
}

impl Place {
    fn root(kind: &str) -> Self {
        Self { shown: String::new(), fields: String::new(), holder: kind.to_owned() }
    }

    fn field(&self, name: &str, holder: &str) -> Self {
        let join = |path: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        Self { shown: join(&self.shown), fields: join(&self.fields), holder: holder.to_owned() }
    }

    fn item(&self, at: usize) -> Self {
        let shown = format!("{}[{at}]", self.shown);
        Self { shown, fields: self.fields.clone(), holder: self.holder.clone() }
    }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

impl Reading {
    fn visit(&mut self, value: &Value, schema: &Value, place: &Place) {
        if value.is_null() || schema["x-kubernetes-preserve-unknown-fields"] == true {
            return;
        }
        if let Some(name) = reference(schema) {
            if name.ends_with(".Quantity") {
                return self.quantity(value);
            }
            let Some(inner) = named(name) else { return };
            if inner["type"].is_string() && !self.has_type(value, inner, &go_type(name, inner), place) {
                return;
            }
            if inner["properties"].is_object() {
                return self.object(value, inner, place, last(name));
            }
            return;
        }
        if self.custom && place.fields.is_empty() {
            return self.object(value, schema, place, &place.holder.clone());
        }
        if !self.custom && !self.has_type(value, schema, &plain_type(schema), place) {
            return;
        }
        match value {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.visit(item, &schema["items"], &place.item(at));
                }
            }
            Value::Object(map) if schema["additionalProperties"].is_object() => {
                for (key, inner) in map {
                    let place = Place { shown: format!("{}.{key}", place.shown), ..place.item(0) };
                    self.visit(inner, &schema["additionalProperties"], &place);
                }
            }
            Value::Object(_) if schema["properties"].is_object() => {
                self.object(value, schema, place, &place.holder.clone());
            }
            _ => {}
        }
    }

    fn object(&mut self, value: &Value, schema: &Value, place: &Place, holder: &str) {
        for (key, inner) in value.as_object().into_iter().flatten() {
            let place = place.field(key, holder);
            match schema["properties"].get(key) {
                Some(schema) => self.visit(inner, schema, &place),
                None if schema["additionalProperties"].is_object() => {
                    self.visit(inner, &schema["additionalProperties"], &place);
                }
                None => self.mistakes.push(Mistake::Unknown(format!("unknown field \"{}\"", place.shown))),
            }
        }
    }

    fn has_type(&mut self, value: &Value, schema: &Value, wanted: &str, place: &Place) -> bool {
        let fits = match schema["type"].as_str() {
            _ if schema["x-kubernetes-int-or-string"] == true => value.is_string() || value.is_number(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("string") => value.is_string(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            _ => true,
        };
        if !fits {
            self.mistakes.push(Mistake::Type(format!(
                "json: cannot unmarshal {} into Go struct field {}.{} of type {wanted}",
                json_type(value),
                place.holder,
                place.fields
            )));
        }
        fits
    }

    fn quantity(&mut self, value: &Value) {
        let fine = match value {
            Value::Number(_) => true,
            Value::String(text) => is_quantity(text),
            _ => false,
        };
        if !fine {
            self.mistakes.push(Mistake::Type(QUANTITY.to_owned()));
        }
    }
}

/// Whether a text is a number with, perhaps, a suffix.
fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let exponent = |rest: &str| rest.parse::<i32>().is_ok();
    let known = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    number.bytes().any(|byte| byte.is_ascii_digit())
        && number.bytes().filter(|byte| *byte == b'.').count() < 2
        && (known.contains(&suffix) || suffix.strip_prefix(['e', 'E']).is_some_and(exponent))
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The type of a referred-to schema, `v1.PodSpec`.
fn go_type(name: &str, schema: &Value) -> String {
    if schema["properties"].is_object() || schema["type"] == "object" {
        let mut parts = name.rsplit('.');
        let (kind, package) = (parts.next().unwrap_or(name), parts.next().unwrap_or(""));
        format!("{package}.{kind}")
    } else {
        plain_type(schema)
    }
}

fn plain_type(schema: &Value) -> String {
    let inner = |schema: &Value| match reference(schema) {
        Some(name) => go_type(name, named(name).unwrap_or(&Value::Null)),
        None => plain_type(schema),
    };
    match schema["type"].as_str() {
        Some("integer") => schema["format"].as_str().unwrap_or("int64").to_owned(),
        Some("number") => "float64".to_owned(),
        Some("boolean") => "bool".to_owned(),
        Some("array") => format!("[]{}", inner(&schema["items"])),
        Some("object") => format!("map[string]{}", inner(&schema["additionalProperties"])),
        _ => "string".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mistakes(value: Value) -> Vec<Mistake> {
        let info = crate::built_in::kinds().find(|info| info.kind == "Deployment").expect("a kind");
        decode(&info, "v1", &value)
    }

    #[test]
    fn a_complete_deployment_has_nothing_wrong() {
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "labels": {"x": "y"}},
            "spec": {"replicas": 1, "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}, "template": {
            "spec": {"containers": [{"name": "a", "image": "b", "resources": {"limits": {"cpu": "200m", "memory": 5}},
            "livenessProbe": {"httpGet": {"port": "http"}}, "env": [{"name": "A", "value": "b"}]}]}}}});
        assert_eq!(mistakes(value), []);
    }

    #[test]
    fn unknown_fields_and_wrong_types_are_told_as_a_typed_server_does() {
        let value = json!({"spec": {"replicas": "x", "bogus": 1, "template": {"spec": {"containers": [
            {"imagee": "b", "env": [{"name": "A", "value": 1}], "resources": {"limits": {"cpu": "much"}}}]}}}});
        let found = mistakes(value);
        let unknown = |text: &str| Mistake::Unknown(format!("unknown field \"{text}\""));
        let wrong = |text: &str| Mistake::Type(text.to_owned());
        assert_eq!(
            found,
            [
                wrong(
                    "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
                ),
                unknown("spec.bogus"),
                unknown("spec.template.spec.containers[0].imagee"),
                wrong(
                    "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of \
                     type string"
                ),
                wrong(QUANTITY),
            ]
        );
    }

    #[test]
    fn quantities_are_numbers_with_suffixes() {
        for (text, fine) in [
            ("1", true),
            ("0.5", true),
            ("-1Gi", true),
            ("1e3", true),
            ("10MB", false),
            ("", false),
            ("Mi", false),
        ] {
            assert_eq!(is_quantity(text), fine, "{text}");
        }
    }
}
