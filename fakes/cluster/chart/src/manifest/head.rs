//! What Helm reads of an object: kind, name, annotations.

use crate::value::number::format_g;
use crate::value::{Map, Value};
use crate::yaml::unmarshal_whole;

/// The head of an object.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) kind: String,
    pub(super) name: String,
    annotations: Vec<(String, String)>,
}

const DECODING: &str = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal";
const METADATA: &str = "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }";

impl Head {
    /// The head of a document, and the document itself.
    pub(super) fn read(content: &str) -> Result<(Self, Value), String> {
        let value = unmarshal_whole(content)?;
        let head = match &value {
            Value::Nil => Self::default(),
            Value::Map(map) => Self::of(map)?,
            other => {
                return Err(format!("{DECODING} {} into Go value of type util.SimpleHead", json_kind(other)));
            }
        };
        Ok((head, value))
    }

    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn of(map: &Map) -> Result<Self, String> {
        text(map, "apiVersion", "SimpleHead.apiVersion")?;
        let mut head = Self { kind: text(map, "kind", "SimpleHead.kind")?, ..Self::default() };
        let metadata = match field(map, "metadata") {
            None | Some(Value::Nil) => return Ok(head),
            Some(Value::Map(metadata)) => metadata,
            Some(other) => return Err(mismatch(&other, "SimpleHead.metadata", METADATA)),
        };
        head.name = text(&metadata, "name", ".metadata.name")?;
        match field(&metadata, "annotations") {
            None | Some(Value::Nil) => {}
            Some(Value::Map(annotations)) => {
                for (key, value) in annotations.entries() {
                    let Some(value) = as_text(&value) else {
                        return Err(mismatch(&value, ".metadata.annotations", "string"));
                    };
                    head.annotations.push((key.as_ref().into(), value));
                }
            }
            Some(other) => return Err(mismatch(&other, ".metadata.annotations", "map[string]string")),
        }
        Ok(head)
    }
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Str(_) => "string",
        Value::Bool(_) => "bool",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    }
}

fn mismatch(value: &Value, path: &str, wanted: &str) -> String {
    format!("{DECODING} {} into Go struct field {path} of type {wanted}", json_kind(value))
}

/// A field, whatever its case.
fn field(map: &Map, name: &str) -> Option<Value> {
    map.get(name).or_else(|| {
        map.entries().into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

fn text(map: &Map, name: &str, path: &str) -> Result<String, String> {
    match field(map, name) {
        None => Ok(String::new()),
        Some(value) => as_text(&value).ok_or_else(|| mismatch(&value, path, "string")),
    }
}

/// Numbers and truth values become texts where texts are wanted.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Nil => Some(String::new()),
        Value::Str(text) => Some(text.as_ref().into()),
        Value::Int64(number) => Some(number.to_string()),
        Value::Float(number) => Some(format_g(*number)),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
