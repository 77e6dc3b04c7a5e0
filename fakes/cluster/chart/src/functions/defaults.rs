//! Choosing between values, and the functions that end rendering.

use super::Param::{Any, Bool, Str};
use super::{Function, Outcome, Run, text};
use crate::template::failure::warning;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::open("default", &[Any], Any, default),
    Function::new("empty", &[Any], |values| Ok(Value::Bool(!is_set(&values[0])))),
    Function::open("coalesce", &[], Any, |values| {
        Ok(values.iter().find(|value| is_set(value)).cloned().unwrap_or(Value::Nil))
    }),
    Function::open("all", &[], Any, |values| Ok(Value::Bool(values.iter().all(is_set)))),
    Function::open("any", &[], Any, |values| Ok(Value::Bool(values.iter().any(is_set)))),
    Function::new("ternary", &[Any, Any, Bool], |values| Ok(values[usize::from(!values[2].truth())].clone())),
    Function::new("fail", &[Str], |values| Err(warning(text(&values[0])))),
    Function::new("required", &[Str, Any], required),
    Function { name: "include", params: &[Str, Any], rest: None, run: Run::Include },
    Function { name: "tpl", params: &[Str, Any], rest: None, run: Run::Tpl },
    Function::world("lookup", &[Str, Str, Str, Str], |world, values| {
        let [version, kind, namespace, name] = values else {
            return Err("lookup wants a version, a kind, a namespace and a name".into());
        };
        match world.lookup.lookup(text(version), text(kind), text(namespace), text(name)) {
            Ok(found) => Ok(crate::values::from_object(&found)),
            Err(error) => Err(error.to_string().into()),
        }
    }),
    Function::new("getHostByName", &[Str], |_| Ok(Value::from(""))),
];

/// Whether Sprig takes it for set, which is what `if` takes for true.
pub(super) fn is_set(value: &Value) -> bool {
    value.truth()
}

fn default(values: &[Value]) -> Outcome {
    let given = values.get(1).filter(|value| is_set(value));
    Ok(given.unwrap_or(&values[0]).clone())
}

fn required(values: &[Value]) -> Outcome {
    match &values[1] {
        Value::Nil | Value::Invalid => Err(warning(text(&values[0]))),
        Value::Str(given) if given.is_empty() => Err(warning(text(&values[0]))),
        given => Ok(given.clone()),
    }
}
