//! The messages of Kubernetes by name, read once from a list.

use std::collections::HashMap;
use std::sync::LazyLock;

const LIST: &str = include_str!("fields.txt");

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    Text,
    Flag,
    Integer,
    Double,
    Bytes,
    Time,
    Quantity,
    NumberOrText,
    Json,
    /// A message of this name.
    Message(&'static str),
}

/// How a field holds it.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    One(Scalar),
    List(Scalar),
    Map(Scalar),
    /// The message's fields lie among the holder's.
    Inline(&'static str),
}

/// Whether zero says something else than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zero {
    Kept,
    Absent,
}

/// A field of a message.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) zero: Zero,
}

type Messages = HashMap<&'static str, HashMap<u64, Field>>;

static MESSAGES: LazyLock<Messages> = LazyLock::new(|| LIST.lines().filter_map(line).collect());

/// A message of the list, as `core.v1.Pod`.
pub(super) fn message(name: &str) -> Option<&'static HashMap<u64, Field>> {
    MESSAGES.get(name)
}

/// The message of a kind of an API version.
pub(super) fn root(api_version: &str, kind: &str) -> Option<&'static HashMap<u64, Field>> {
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let group = group.split('.').next().unwrap_or(group);
    message(&format!("{group}.{version}.{kind}"))
}

fn line(line: &'static str) -> Option<(&'static str, HashMap<u64, Field>)> {
    let (name, fields) = line.split_once(':').filter(|_| !line.starts_with('#'))?;
    Some((name, fields.split(',').filter_map(field).collect()))
}

fn field(text: &'static str) -> Option<(u64, Field)> {
    let mut words = text.split_whitespace();
    let (number, name, shape) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    let (bare, zero) = match shape.strip_suffix('?') {
        Some(bare) => (bare, Zero::Kept),
        None => (shape, Zero::Absent),
    };
    let shape = if let Some(inner) = bare.strip_prefix('*') {
        Shape::List(scalar(inner))
    } else if let Some(inner) = bare.strip_prefix('%') {
        Shape::Map(scalar(inner))
    } else if let Some(inner) = bare.strip_prefix('^') {
        Shape::Inline(inner)
    } else {
        Shape::One(scalar(bare))
    };
    Some((number, Field { name, shape, zero }))
}

fn scalar(text: &'static str) -> Scalar {
    match text {
        "s" => Scalar::Text,
        "b" => Scalar::Flag,
        "i" => Scalar::Integer,
        "d" => Scalar::Double,
        "y" => Scalar::Bytes,
        "t" => Scalar::Time,
        "q" => Scalar::Quantity,
        "x" => Scalar::NumberOrText,
        "j" => Scalar::Json,
        message => Scalar::Message(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_that_a_field_names_is_in_the_list() {
        for (name, fields) in MESSAGES.iter() {
            for field in fields.values() {
                let (Shape::One(scalar) | Shape::List(scalar) | Shape::Map(scalar)) = &field.shape else {
                    continue;
                };
                if let Scalar::Message(inner) = scalar {
                    assert!(message(inner).is_some(), "{name} {} {inner}", field.name);
                }
            }
        }
        assert!(root("rbac.authorization.k8s.io/v1", "Role").is_some());
    }
}
