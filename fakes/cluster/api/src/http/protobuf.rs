//! Just enough protobuf for what `kubectl` sends in it: reviews and the objects that `kubectl create` makes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::ApiError;

/// What a field holds.
enum Shape {
    Text,
    Number,
    Flag,
    Message(&'static Message),
    Texts,
    TextMap,
    BytesMap,
}

/// Fields by number and name.
type Message = [(u64, &'static str, Shape)];

const META: &Message = &[
    (1, "name", Shape::Text),
    (2, "generateName", Shape::Text),
    (3, "namespace", Shape::Text),
    (6, "resourceVersion", Shape::Text),
    (11, "labels", Shape::TextMap),
    (12, "annotations", Shape::TextMap),
    (14, "finalizers", Shape::Texts),
];

const RESOURCE: &Message = &[
    (1, "namespace", Shape::Text),
    (2, "verb", Shape::Text),
    (3, "group", Shape::Text),
    (4, "version", Shape::Text),
    (5, "resource", Shape::Text),
    (6, "subresource", Shape::Text),
    (7, "name", Shape::Text),
];

const PATH: &Message = &[(1, "path", Shape::Text), (2, "verb", Shape::Text)];

const ACCESS: &Message = &[
    (1, "resourceAttributes", Shape::Message(RESOURCE)),
    (2, "nonResourceAttributes", Shape::Message(PATH)),
];

const REFERENCE: &Message = &[
    (1, "kind", Shape::Text),
    (2, "apiVersion", Shape::Text),
    (3, "name", Shape::Text),
    (4, "uid", Shape::Text),
];

const TOKEN: &Message = &[
    (1, "audiences", Shape::Texts),
    (3, "boundObjectRef", Shape::Message(REFERENCE)),
    (4, "expirationSeconds", Shape::Number),
];

const EVICTION: &Message = &[(1, "gracePeriodSeconds", Shape::Number)];

/// The kinds that are understood.
fn kind_fields(kind: &str) -> Option<&'static Message> {
    Some(match kind {
        "SelfSubjectAccessReview" => {
            &[(1, "metadata", Shape::Message(META)), (2, "spec", Shape::Message(ACCESS))]
        }
        "SelfSubjectRulesReview" => &[
            (1, "metadata", Shape::Message(META)),
            (2, "spec", Shape::Message(&[(1, "namespace", Shape::Text)])),
        ],
        "SelfSubjectReview" | "Namespace" | "ServiceAccount" => &[(1, "metadata", Shape::Message(META))],
        "ConfigMap" => &[
            (1, "metadata", Shape::Message(META)),
            (2, "data", Shape::TextMap),
            (3, "binaryData", Shape::BytesMap),
            (4, "immutable", Shape::Flag),
        ],
        "Secret" => &[
            (1, "metadata", Shape::Message(META)),
            (2, "data", Shape::BytesMap),
            (3, "type", Shape::Text),
            (4, "stringData", Shape::TextMap),
            (5, "immutable", Shape::Flag),
        ],
        "TokenRequest" => &[(1, "metadata", Shape::Message(META)), (2, "spec", Shape::Message(TOKEN))],
        "Eviction" => {
            &[(1, "metadata", Shape::Message(META)), (2, "deleteOptions", Shape::Message(EVICTION))]
        }
        _ => return None,
    })
}

/// Reads an object from its envelope: `k8s\0`, then `runtime.Unknown`.
pub(super) fn decode(body: &[u8]) -> Result<Value, ApiError> {
    let envelope = fields(body.strip_prefix(b"k8s\0").ok_or_else(malformed)?)?;
    let part = |number: u64| {
        envelope.iter().rev().find(|(known, _)| *known == number).map(|(_, value)| value.bytes())
    };
    let names: &Message = &[(1, "apiVersion", Shape::Text), (2, "kind", Shape::Text)];
    let names = message(part(1).unwrap_or_default(), names)?;
    let kind = names["kind"].as_str().unwrap_or("");
    let known = kind_fields(kind).ok_or_else(|| {
        ApiError::unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: application/json, \
             application/yaml",
        )
    })?;
    let mut object = message(part(2).unwrap_or_default(), known)?;
    object["apiVersion"] = names["apiVersion"].clone();
    object["kind"] = json!(kind);
    Ok(object)
}

fn message(bytes: &[u8], shape: &Message) -> Result<Value, ApiError> {
    let mut map = Map::new();
    for (number, wire) in fields(bytes)? {
        let Some((_, name, shape)) = shape.iter().find(|(known, ..)| *known == number) else { continue };
        let value = wire.bytes();
        match shape {
            // Empty texts are how absent ones are written.
            Shape::Text if value.is_empty() => {}
            Shape::Text => {
                map.insert((*name).to_owned(), text(value));
            }
            Shape::Number => {
                map.insert((*name).to_owned(), json!(wire.number()));
            }
            Shape::Flag => {
                map.insert((*name).to_owned(), json!(wire.number() != 0));
            }
            Shape::Message(inner) => {
                map.insert((*name).to_owned(), message(value, inner)?);
            }
            Shape::Texts => {
                let list = map.entry(*name).or_insert_with(|| json!([]));
                list.as_array_mut().into_iter().for_each(|list| list.push(text(value)));
            }
            Shape::TextMap | Shape::BytesMap => {
                let entry = fields(value)?;
                let part =
                    |number: u64| entry.iter().find(|(known, _)| *known == number).map(|(_, v)| v.bytes());
                let (key, value) = (part(1).unwrap_or_default(), part(2).unwrap_or_default());
                let value = match shape {
                    Shape::BytesMap => json!(STANDARD.encode(value)),
                    _ => text(value),
                };
                let holder = map.entry(*name).or_insert_with(|| json!({}));
                holder[String::from_utf8_lossy(key).as_ref()] = value;
            }
        }
    }
    Ok(Value::Object(map))
}

fn text(bytes: &[u8]) -> Value {
    json!(String::from_utf8_lossy(bytes))
}

/// A field's value on the wire.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(_) => &[],
        }
    }

    fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(_) => 0,
        }
    }
}

fn fields(message: &[u8]) -> Result<Vec<(u64, Wire<'_>)>, ApiError> {
    let mut rest = message;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            0 => Wire::Number(varint(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).map_err(|_| malformed())?;
                let (value, tail) = rest.split_at_checked(length).ok_or_else(malformed)?;
                rest = tail;
                Wire::Bytes(value)
            }
            _ => return Err(malformed()),
        };
        found.push((tag >> 3, value));
    }
    Ok(found)
}

fn varint(rest: &mut &[u8]) -> Result<u64, ApiError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first().ok_or_else(malformed)?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(malformed())
}

fn malformed() -> ApiError {
    ApiError::bad_request("the request body is not the protobuf of an object")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u8, inner: &[u8]) -> Vec<u8> {
        let length = u8::try_from(inner.len()).unwrap();
        [&[number << 3 | 2, length], inner].concat()
    }

    fn envelope(kind: &[u8], raw: &[u8]) -> Vec<u8> {
        let names = [part(1, b"v1"), part(2, kind)].concat();
        [b"k8s\0".to_vec(), part(1, &names), part(2, raw)].concat()
    }

    #[test]
    fn a_question_of_kubectl_is_understood() {
        let attributes = [part(1, b"default"), part(2, b"list"), part(3, b""), part(5, b"pods")].concat();
        let body = envelope(b"SelfSubjectAccessReview", &part(2, &part(1, &attributes)));
        assert_eq!(
            decode(&body).unwrap()["spec"]["resourceAttributes"],
            json!({"namespace": "default", "verb": "list", "resource": "pods"})
        );
    }

    #[test]
    fn maps_of_bytes_become_base64_and_nonsense_is_refused() {
        let entry = [part(1, b"key"), part(2, b"hello")].concat();
        let body = envelope(b"Secret", &[part(1, &part(1, b"s")), part(2, &entry)].concat());
        let secret = decode(&body).unwrap();
        assert_eq!(secret["data"], json!({"key": "aGVsbG8="}));
        assert_eq!(secret["metadata"]["name"], "s");
        assert_eq!(decode(b"k8s\0\xff").unwrap_err().code, 400);
        assert_eq!(decode(&envelope(b"Pod", b"")).unwrap_err().code, 415);
    }
}
