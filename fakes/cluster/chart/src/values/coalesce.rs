//! Fills what the user says with what charts say, as Helm does it.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::deep_copy;
use crate::chart::active::Active;
use crate::value::{Map, Value};

/// What happens to nulls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// They remove keys.
    Remove,
    /// They stay.
    Keep,
}

/// A value that cannot be a subchart's values.
#[derive(Debug)]
pub(crate) struct TypeMismatch(pub(crate) String);

const GLOBAL: &str = "global";

/// The values of a chart and its subcharts under what the user says.
pub(crate) fn coalesce(chart: &Active, user: &Map, nulls: Nulls) -> Result<Map, TypeMismatch> {
    let values = deep_copy(user);
    fill(chart, &values, nulls)?;
    Ok(values)
}

fn fill(chart: &Active, values: &Map, nulls: Nulls) -> Result<(), TypeMismatch> {
    fill_own(chart, values, nulls);
    for sub in &chart.dependencies {
        let name = sub.name();
        let own = match values.get(name) {
            Some(Value::Map(own)) => own,
            None => {
                let own = Map::empty();
                values.insert(name, own.clone().into());
                own
            }
            Some(other) => {
                let shown = crate::value::printf::sprintf("%t", &[other]);
                return Err(TypeMismatch(format!("type mismatch on {name}: {shown}")));
            }
        };
        pass_globals(&own, values);
        fill(sub, &own, nulls)?;
    }
    Ok(())
}

/// Hands the parent's globals down to a subchart.
fn pass_globals(to: &Map, from: &Map) {
    let Some(to_globals) = globals(to) else {
        return;
    };
    let Some(from_globals) = globals(from) else {
        return;
    };
    for (key, value) in from_globals.entries() {
        let old = to_globals.get(&key);
        match (&value, old) {
            (Value::Map(table), None) => to_globals.insert(key, table.copy(table.kind()).into()),
            (Value::Map(table), Some(Value::Map(old))) => {
                let merged = table.copy(table.kind());
                merge_tables(&merged, &old, Nulls::Keep);
                to_globals.insert(key, merged.into());
            }
            (Value::Map(_), Some(_)) | (_, Some(Value::Map(_))) => {}
            _ => to_globals.insert(key, value),
        }
    }
    to.insert(GLOBAL, to_globals.into());
}

/// The globals, which may be missing but not be anything else than a table.
fn globals(values: &Map) -> Option<Map> {
    match values.get(GLOBAL) {
        None => Some(Map::empty()),
        Some(Value::Map(globals)) => Some(globals),
        Some(_) => None,
    }
}

fn fill_own(chart: &Active, values: &Map, nulls: Nulls) {
    for (key, default) in deep_copy(&chart.values).entries() {
        match (values.get(&key), &default) {
            (None, _) if nulls == Nulls::Remove => {
                if let Value::Map(table) = &default {
                    remove_nulls(table);
                }
                if !default.is_nil() {
                    values.insert(key, default);
                }
            }
            (None, _) => values.insert(key, default),
            (Some(Value::Nil), _) if nulls == Nulls::Remove => values.remove(&key),
            (Some(Value::Map(own)), Value::Map(defaults)) => {
                let is_subchart = chart.dependencies.iter().any(|sub| *sub.name() == *key);
                let nulls = if is_subchart { Nulls::Keep } else { nulls };
                if nulls == Nulls::Remove {
                    remove_nulls(defaults);
                }
                merge_tables(&own, defaults, nulls);
            }
            (Some(_), _) => {}
        }
    }
}

/// Fills a table with what another one has more.
pub(crate) fn merge_tables(into: &Map, from: &Map, nulls: Nulls) {
    let given: BTreeSet<Rc<str>> =
        from.entries().into_iter().filter(|(_, value)| !value.is_nil()).map(|(key, _)| key).collect();
    for (key, value) in into.entries() {
        if value.is_nil() {
            from.insert(key, Value::Nil);
        }
    }
    for (key, value) in from.entries() {
        match into.get(&key) {
            Some(Value::Nil) if nulls == Nulls::Remove && given.contains(&key) => into.remove(&key),
            None => into.insert(key, value),
            Some(Value::Map(inner)) => {
                if let Value::Map(value) = &value {
                    merge_tables(&inner, value, nulls);
                }
            }
            Some(_) => {}
        }
    }
}

fn remove_nulls(table: &Map) {
    for (key, value) in table.entries() {
        match value {
            Value::Nil => table.remove(&key),
            Value::Map(inner) => remove_nulls(&inner),
            _ => {}
        }
    }
}
