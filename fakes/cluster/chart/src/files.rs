//! `.Files`: the files of a chart that are no templates.

mod glob;

use std::rc::Rc;

use base64::Engine as _;

use crate::chart::File;
use crate::functions::base_name;
use crate::value::{Map, MapKind, Value, text};
use crate::yaml;

/// The files as templates see them.
pub(crate) fn value(files: &[File]) -> Value {
    let entries = files.iter().map(|file| (file.name.as_str().into(), Value::Bytes(Rc::from(&*file.data))));
    Map::new(MapKind::Files, entries.collect()).into()
}

fn bytes(files: &Value, name: &str) -> Rc<[u8]> {
    match files {
        Value::Map(files) => match files.get(name) {
            Some(Value::Bytes(bytes)) => bytes,
            _ => Rc::from([]),
        },
        _ => Rc::from([]),
    }
}

pub(crate) fn get(files: &Value, name: &str) -> Value {
    text::from_bytes(&bytes(files, name)).into()
}

pub(crate) fn get_bytes(files: &Value, name: &str) -> Value {
    Value::Bytes(bytes(files, name))
}

/// Each line of a file.
pub(crate) fn lines(files: &Value, name: &str) -> Value {
    let content = text::from_bytes(&bytes(files, name));
    if content.is_empty() {
        return Value::strings(Vec::<String>::new());
    }
    Value::strings(content.strip_suffix('\n').unwrap_or(&content).split('\n'))
}

/// The files that a pattern fits.
pub(crate) fn glob(files: &Value, pattern: &str) -> Value {
    let found = Map::new(MapKind::Files, std::collections::BTreeMap::new());
    if let Value::Map(files) = files {
        for (name, data) in files.entries() {
            if glob::fits(pattern, &name) {
                found.insert(name, data);
            }
        }
    }
    found.into()
}

fn flattened(files: &Value, content: fn(&[u8]) -> String) -> Value {
    let entries = Map::empty();
    if let Value::Map(files) = files {
        for (name, data) in files.entries() {
            if let Value::Bytes(data) = data {
                entries.insert(base_name(&name), content(&data).into());
            }
        }
    }
    let written = yaml::marshal(&entries.into());
    written.strip_suffix('\n').unwrap_or(&written).into()
}

/// The files as the data of a ConfigMap.
pub(crate) fn as_config(files: &Value) -> Value {
    flattened(files, text::from_bytes)
}

/// The files as the data of a Secret.
pub(crate) fn as_secrets(files: &Value) -> Value {
    flattened(files, |data| base64::engine::general_purpose::STANDARD.encode(data))
}
