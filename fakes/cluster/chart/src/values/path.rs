//! Paths with dots into values.

use crate::value::{Map, Value};

/// The table at a path.
pub(crate) fn table(values: &Map, path: &str) -> Option<Map> {
    let mut found = values.clone();
    for part in path.split('.') {
        match found.get(part) {
            Some(Value::Map(inner)) => found = inner,
            _ => return None,
        }
    }
    Some(found)
}

/// What is at a path, if it is no table.
pub(crate) fn leaf(values: &Map, path: &str) -> Option<Value> {
    let (parent, key) = match path.rsplit_once('.') {
        Some((parent, key)) => (table(values, parent)?, key),
        None => (values.clone(), path),
    };
    parent.get(key).filter(|value| !matches!(value, Value::Map(_)))
}

/// Tables within each other, the innermost with the entries of a map; `.` is the map itself.
pub(crate) fn nested(path: &str, entries: &Map) -> Map {
    if path == "." {
        return entries.clone();
    }
    path.rsplit('.').fold(entries.clone(), |inner, part| {
        let outer = Map::empty();
        outer.insert(part, inner.into());
        outer
    })
}
