//! The comparison functions of templates.

use std::cmp::Ordering;

use super::failure::Failure;
use crate::value::printf::sprintf;
use crate::value::{MapKind, Value};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    Bool,
    Int,
    Uint,
    Float,
    Str,
    Other,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(_) | Value::Int64(_) | Value::Duration(_) => Basic::Int,
        Value::Uint8(_) => Basic::Uint,
        Value::Float(_) => Basic::Float,
        Value::Str(_) => Basic::Str,
        _ => Basic::Other,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) | Value::Int64(number) | Value::Duration(number) => Some(*number),
        Value::Uint8(number) => Some(i64::from(*number)),
        _ => None,
    }
}

fn incompatible(left: &Value, right: &Value) -> Failure {
    format!("incompatible types for comparison: {} and {}", left.type_name(), right.type_name()).into()
}

fn equal_pair(left: &Value, right: &Value) -> Result<bool, Failure> {
    if let (Some(left), Some(right)) = (whole(left), whole(right)) {
        return Ok(left == right);
    }
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Float(left), Value::Float(right)) => Ok(left == right),
        (Value::Str(left), Value::Str(right)) => Ok(left == right),
        _ if basic(left) == Basic::Other && basic(right) == Basic::Other => equal_composite(left, right),
        _ if left.is_nil() || right.is_nil() => Ok(false),
        _ => Err(incompatible(left, right)),
    }
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Map(map) => map.kind() == MapKind::Nil,
        Value::List(list) => list.items.is_none(),
        other => other.is_nil(),
    }
}

fn equal_composite(left: &Value, right: &Value) -> Result<bool, Failure> {
    let comparable_kinds = left.is_nil() || right.is_nil() || left.kind_name() == right.kind_name();
    if !comparable_kinds {
        return Err(sprintf(
            "non-comparable types %s: %s, %s: %s",
            &[left.clone(), left.type_name().into(), right.type_name().into(), right.clone()],
        )
        .into());
    }
    if is_nil(left) || is_nil(right) {
        return Ok(is_nil(left) == is_nil(right));
    }
    if matches!(right, Value::Map(_) | Value::List(_) | Value::Bytes(_)) {
        return Err(sprintf("non-comparable type %s: %s", &[right.clone(), right.type_name().into()]).into());
    }
    Ok(crate::value::equal::deep_equal(left, right))
}

/// `eq`: whether the first equals any of the others.
pub(crate) fn eq(values: &[Value]) -> Result<Value, Failure> {
    let Some((first, others)) = values.split_first() else {
        return Ok(Value::Bool(false));
    };
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal_pair(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(crate) fn ne(values: &[Value]) -> Result<Value, Failure> {
    Ok(Value::Bool(!equal_pair(&values[0], &values[1])?))
}

fn less(left: &Value, right: &Value) -> Result<bool, Failure> {
    const BAD: &str = "invalid type for comparison";
    let (left_kind, right_kind) = (basic(left), basic(right));
    if left_kind == Basic::Other || right_kind == Basic::Other {
        return Err(BAD.into());
    }
    if let (Some(left), Some(right)) = (whole(left), whole(right)) {
        return Ok(left < right);
    }
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => Ok(left.partial_cmp(right) == Some(Ordering::Less)),
        (Value::Str(left), Value::Str(right)) => Ok(left < right),
        (Value::Bool(_), Value::Bool(_)) => Err(BAD.into()),
        _ => Err(incompatible(left, right)),
    }
}

fn less_or_equal(left: &Value, right: &Value) -> Result<bool, Failure> {
    Ok(less(left, right)? || equal_pair(left, right)?)
}

pub(crate) fn lt(values: &[Value]) -> Result<Value, Failure> {
    Ok(Value::Bool(less(&values[0], &values[1])?))
}

pub(crate) fn le(values: &[Value]) -> Result<Value, Failure> {
    Ok(Value::Bool(less_or_equal(&values[0], &values[1])?))
}

pub(crate) fn gt(values: &[Value]) -> Result<Value, Failure> {
    Ok(Value::Bool(!less_or_equal(&values[0], &values[1])?))
}

pub(crate) fn ge(values: &[Value]) -> Result<Value, Failure> {
    Ok(Value::Bool(!less(&values[0], &values[1])?))
}
