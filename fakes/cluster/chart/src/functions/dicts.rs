//! Maps.

use std::rc::Rc;

use super::Param::{Any, Map as Dict, Str};
use super::{Function, Outcome, text};
use crate::value::{Element, List, Map, MapKind, Value, convert};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::open("dict", &[], Any, dict),
    Function::new("get", &[Dict, Str], |values| {
        Ok(map(&values[0]).get(text(&values[1])).unwrap_or_else(|| Value::from("")))
    }),
    Function::new("set", &[Dict, Str, Any], |values| {
        let target = map(&values[0]);
        if target.kind() == MapKind::Nil {
            return Err("assignment to entry in nil map".into());
        }
        target.insert(text(&values[1]), values[2].clone());
        Ok(values[0].clone())
    }),
    Function::new("unset", &[Dict, Str], |values| {
        map(&values[0]).remove(text(&values[1]));
        Ok(values[0].clone())
    }),
    Function::new("hasKey", &[Dict, Str], |values| {
        Ok(Value::Bool(map(&values[0]).contains(text(&values[1]))))
    }),
    Function::open("pluck", &[Str], Dict, |values| {
        let found = values[1..].iter().filter_map(|value| map(value).get(text(&values[0])));
        Ok(Value::list(found.collect()))
    }),
    Function::open("keys", &[], Dict, |values| {
        Ok(Value::strings(values.iter().flat_map(|value| map(value).keys())))
    }),
    Function::new("values", &[Dict], |values| {
        Ok(Value::list(map(&values[0]).entries().into_iter().map(|(_, value)| value).collect()))
    }),
    Function::open("pick", &[Dict], Str, |values| {
        let picked = Map::empty();
        for key in &values[1..] {
            if let Some(value) = map(&values[0]).get(text(key)) {
                picked.insert(text(key), value);
            }
        }
        Ok(picked.into())
    }),
    Function::open("omit", &[Dict], Str, |values| {
        let rest = map(&values[0]).copy(MapKind::Any);
        for key in &values[1..] {
            rest.remove(text(key));
        }
        Ok(rest.into())
    }),
    Function::open("merge", &[Dict], Dict, |values| Ok(merge_all(values, Wins::Target))),
    Function::open("mustMerge", &[Dict], Dict, |values| Ok(merge_all(values, Wins::Target))),
    Function::open("mergeOverwrite", &[Dict], Dict, |values| Ok(merge_all(values, Wins::Source))),
    Function::open("mustMergeOverwrite", &[Dict], Dict, |values| Ok(merge_all(values, Wins::Source))),
    Function::new("deepCopy", &[Any], copied),
    Function::new("mustDeepCopy", &[Any], copied),
    Function::open("dig", &[], Any, dig),
];

/// The map of an argument whose parameter is one.
fn map(value: &Value) -> Map {
    match value {
        Value::Map(map) => map.clone(),
        _ => Map::nil(),
    }
}

fn dict(values: &[Value]) -> Outcome {
    let result = Map::empty();
    for pair in values.chunks(2) {
        let value = pair.get(1).cloned().unwrap_or_else(|| Value::from(""));
        result.insert(convert::to_text(&pair[0]), value);
    }
    Ok(result.into())
}

/// Which side of a merge keeps its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wins {
    Target,
    Source,
}

fn merge_all(values: &[Value], wins: Wins) -> Value {
    let target = map(&values[0]);
    let target = if target.kind() == MapKind::Nil { Map::empty() } else { target };
    for source in &values[1..] {
        merge(&target, &map(source), wins);
    }
    target.into()
}

/// As `mergo` merges maps: maps are merged, anything else is replaced if it is empty or the source wins.
fn merge(target: &Map, source: &Map, wins: Wins) {
    for (key, new) in source.entries() {
        let old = target.get(&key);
        if let (Some(Value::Map(inner)), Value::Map(new)) = (&old, &new) {
            merge(inner, new, wins);
            if !inner.is_empty() {
                continue;
            }
        }
        let keeps = if new.is_nil() { true } else { old.is_some_and(|old| old.truth()) };
        if wins == Wins::Source || !keeps {
            target.insert(key, new);
        }
    }
}

fn copied(values: &[Value]) -> Outcome {
    if values[0].is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    Ok(deep_copy(&values[0]))
}

/// A copy that shares nothing that can change.
pub(super) fn deep_copy(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let copies = map.entries().into_iter().map(|(key, value)| (key, deep_copy(&value))).collect();
            Map::new(map.kind(), copies).into()
        }
        Value::List(List { element: element @ (Element::Any | Element::AnyList), items: Some(items) }) => {
            Value::List(List::new(*element, items.iter().map(deep_copy).collect()))
        }
        other => other.clone(),
    }
}

fn dig(values: &[Value]) -> Outcome {
    let [keys @ .., default, last] = values else {
        return Err("dig needs at least three arguments".into());
    };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut step = last.clone();
    for (index, key) in keys.iter().enumerate() {
        let inner = dictionary(&step)?;
        let key: Rc<str> = match key {
            Value::Str(key) => key.clone(),
            other => return Err(conversion(other, "string")),
        };
        match inner.get(&key) {
            None => return Ok(default.clone()),
            Some(found) if index + 1 == keys.len() => return Ok(found),
            Some(found) => step = found,
        }
    }
    Ok(step)
}

fn dictionary(value: &Value) -> Result<Map, crate::template::failure::Failure> {
    match value {
        Value::Map(map) if matches!(map.kind(), MapKind::Any | MapKind::Nil) => Ok(map.clone()),
        other => Err(conversion(other, "map[string]interface {}")),
    }
}

fn conversion(value: &Value, wanted: &str) -> crate::template::failure::Failure {
    let found = if value.is_nil() { "nil" } else { value.type_name() };
    format!("interface conversion: interface {{}} is {found}, not {wanted}").into()
}
