//! Values: from JSON and back, and how those of chart, parent and user come together.

pub(crate) mod coalesce;
pub(crate) mod path;

use serde_json::{Number, Value as Json};

use crate::value::{Map, Value, text};

/// Values as Helm reads them: every number is a float.
pub(crate) fn from_values(json: &Json) -> Value {
    convert(json, |number| Value::Float(number.as_f64().unwrap_or(0.0)))
}

/// An object as the API gives it: whole numbers stay whole.
pub(crate) fn from_object(json: &Json) -> Value {
    convert(json, |number| match number.as_i64() {
        Some(whole) => Value::Int64(whole),
        None => Value::Float(number.as_f64().unwrap_or(0.0)),
    })
}

fn convert(json: &Json, number: fn(&Number) -> Value) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(found) => number(found),
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::list(items.iter().map(|item| convert(item, number)).collect()),
        Json::Object(entries) => {
            let map = Map::empty();
            for (key, value) in entries {
                map.insert(key.as_str(), convert(value, number));
            }
            map.into()
        }
    }
}

/// JSON of what YAML or JSON made.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) | Value::Int64(number) | Value::Duration(number) => Json::from(*number),
        Value::Uint8(number) => Json::from(*number),
        Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Str(text) => Json::String(text.as_ref().into()),
        Value::Bytes(bytes) => Json::String(text::from_bytes(bytes)),
        Value::List(list) => Json::Array(list.as_slice().iter().map(to_json).collect()),
        Value::Map(map) => Json::Object(
            map.entries().iter().map(|(key, value)| (key.as_ref().into(), to_json(value))).collect(),
        ),
        _ => Json::Null,
    }
}

/// A copy that shares nothing with the original.
pub(crate) fn deep_copy(map: &Map) -> Map {
    let copy = Map::empty();
    for (key, value) in map.entries() {
        copy.insert(key, deep_copy_value(&value));
    }
    copy
}

fn deep_copy_value(value: &Value) -> Value {
    match value {
        Value::Map(map) => deep_copy(map).into(),
        Value::List(list) => Value::list(list.as_slice().iter().map(deep_copy_value).collect()),
        other => other.clone(),
    }
}
