//! YAML, JSON and TOML.

use super::Param::{Any, Str};
use super::{Function, Outcome, text, toml};
use crate::json;
use crate::value::{Map, Value};
use crate::yaml;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("toYaml", &[Any], |values| Ok(yaml::marshal(&values[0]).trim_end_newline().into())),
    Function::new("mustToYaml", &[Any], |values| Ok(yaml::marshal(&values[0]).trim_end_newline().into())),
    Function::new("toYamlPretty", &[Any], |values| {
        Ok(yaml::marshal_pretty(&values[0]).trim_end_newline().into())
    }),
    Function::new("fromYaml", &[Str], |values| Ok(as_map(yaml::unmarshal(text(&values[0])), JsonKind::Yaml))),
    Function::new("fromYamlArray", &[Str], |values| {
        Ok(as_list(yaml::unmarshal(text(&values[0])), JsonKind::Yaml))
    }),
    Function::new("toJson", &[Any], |values| Ok(json::marshal(&values[0]).into())),
    Function::new("mustToJson", &[Any], |values| Ok(json::marshal(&values[0]).into())),
    Function::new("toPrettyJson", &[Any], |values| Ok(json::marshal_pretty(&values[0]).into())),
    Function::new("mustToPrettyJson", &[Any], |values| Ok(json::marshal_pretty(&values[0]).into())),
    Function::new("toRawJson", &[Any], |values| Ok(json::marshal_raw(&values[0]).into())),
    Function::new("mustToRawJson", &[Any], |values| Ok(json::marshal_raw(&values[0]).into())),
    Function::new("fromJson", &[Str], |values| Ok(as_map(json::unmarshal(text(&values[0])), JsonKind::Json))),
    Function::new("fromJsonArray", &[Str], |values| {
        Ok(as_list(json::unmarshal(text(&values[0])), JsonKind::Json))
    }),
    Function::new("mustFromJson", &[Str], must_from_json),
    Function::new("toToml", &[Any], |values| {
        Ok(toml::marshal(&values[0]).unwrap_or_else(|error| error).into())
    }),
    Function::new("mustToToml", &[Any], |values| Ok(toml::marshal(&values[0])?.into())),
    Function::new("fromToml", &[Str], |values| {
        Ok(toml::unmarshal(text(&values[0])).unwrap_or_else(|error| error_map(&error)))
    }),
];

trait TrimEndNewline {
    fn trim_end_newline(&self) -> &str;
}

impl TrimEndNewline for String {
    fn trim_end_newline(&self) -> &str {
        self.strip_suffix('\n').unwrap_or(self)
    }
}

/// Which decoder speaks.
#[derive(Clone, Copy)]
enum JsonKind {
    Json,
    Yaml,
}

impl JsonKind {
    fn mismatch(self, found: &Value, wanted: &str) -> String {
        let kind = match found {
            Value::Str(_) => "string",
            Value::Bool(_) => "bool",
            Value::List(_) => "array",
            Value::Map(_) => "object",
            _ => "number",
        };
        let message = format!("json: cannot unmarshal {kind} into Go value of type {wanted}");
        match self {
            Self::Json => message,
            Self::Yaml => format!("error unmarshaling JSON: while decoding JSON: {message}"),
        }
    }
}

fn error_map(message: &str) -> Value {
    let map = Map::empty();
    map.insert("Error", message.into());
    map.into()
}

/// A map, or one that tells the error.
fn as_map(parsed: Result<Value, String>, kind: JsonKind) -> Value {
    match parsed {
        Ok(Value::Map(map)) => map.into(),
        Ok(Value::Nil | Value::Invalid) => Map::empty().into(),
        Ok(other) => error_map(&kind.mismatch(&other, "map[string]interface {}")),
        Err(message) => error_map(&message),
    }
}

fn as_list(parsed: Result<Value, String>, kind: JsonKind) -> Value {
    match parsed {
        Ok(Value::List(list)) => Value::List(list),
        Ok(Value::Nil | Value::Invalid) => Value::list(Vec::new()),
        Ok(other) => Value::list(vec![kind.mismatch(&other, "[]interface {}").into()]),
        Err(message) => Value::list(vec![message.into()]),
    }
}

fn must_from_json(values: &[Value]) -> Outcome {
    Ok(json::unmarshal(text(&values[0]))?)
}
