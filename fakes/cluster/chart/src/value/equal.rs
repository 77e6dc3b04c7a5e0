//! `reflect.DeepEqual`.

use super::{MapKind, Value};

/// Whether both are of the same type and alike in all their parts.
pub(crate) fn deep_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Invalid | Value::Nil, Value::Invalid | Value::Nil)
        | (Value::HelmVersion, Value::HelmVersion) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right))
        | (Value::Int64(left), Value::Int64(right))
        | (Value::Duration(left), Value::Duration(right)) => left == right,
        (Value::Uint8(left), Value::Uint8(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Str(left), Value::Str(right)) => left == right,
        (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::Time(left), Value::Time(right)) => left == right,
        (Value::Version(left), Value::Version(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            left.element == right.element
                && left.items.is_some() == right.items.is_some()
                && left.as_slice().len() == right.as_slice().len()
                && left.as_slice().iter().zip(right.as_slice()).all(|(left, right)| deep_equal(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.kind() == right.kind()
                && (left.kind() == MapKind::Nil) == (right.kind() == MapKind::Nil)
                && left.len() == right.len()
                && left
                    .entries()
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| deep_equal(value, &other)))
        }
        _ => false,
    }
}
