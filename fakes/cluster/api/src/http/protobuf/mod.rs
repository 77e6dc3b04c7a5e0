//! The protobuf that typed clients such as `kubectl create` send, read into what JSON says.

mod table;

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::ApiError;
use table::{Field, Scalar, Shape, Zero};

/// Reads an object from its envelope: `k8s\0`, then `runtime.Unknown`.
pub(super) fn decode(body: &[u8]) -> Result<Value, ApiError> {
    let envelope = fields(body.strip_prefix(b"k8s\0").ok_or_else(malformed)?)?;
    let part = |number: u64| {
        envelope.iter().rev().find(|(known, _)| *known == number).map_or(&[][..], |(_, value)| value.bytes())
    };
    let names = fields(part(1))?;
    let name = |number: u64| {
        let bytes =
            names.iter().find(|(known, _)| *known == number).map_or(&[][..], |(_, value)| value.bytes());
        String::from_utf8_lossy(bytes).into_owned()
    };
    let (api_version, kind) = (name(1), name(2));
    let known = table::root(&api_version, &kind).ok_or_else(|| {
        ApiError::unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: application/json, \
             application/yaml",
        )
    })?;
    let mut object = Map::new();
    object.insert("kind".to_owned(), json!(kind));
    object.insert("apiVersion".to_owned(), json!(api_version));
    read(part(2), known, &mut object)?;
    Ok(Value::Object(object))
}

/// Reads a message's fields into its holder.
fn read(bytes: &[u8], shape: &HashMap<u64, Field>, holder: &mut Map<String, Value>) -> Result<(), ApiError> {
    for (number, wire) in fields(bytes)? {
        let Some(field) = shape.get(&number) else { continue };
        let name = || field.name.to_owned();
        match &field.shape {
            Shape::One(scalar) => {
                if let Some(value) = single(&wire, scalar, field.zero)? {
                    holder.insert(name(), value);
                }
            }
            Shape::List(scalar) => {
                let value = single(&wire, scalar, Zero::Kept)?.unwrap_or_default();
                let list = holder.entry(name()).or_insert_with(|| json!([]));
                list.as_array_mut().into_iter().for_each(|list| list.push(value.clone()));
            }
            Shape::Map(scalar) => {
                let entry = fields(wire.bytes())?;
                let part =
                    |number: u64| entry.iter().find(|(known, _)| *known == number).map(|(_, wire)| wire);
                let key = part(1).map_or(&[][..], Wire::bytes);
                let value = match part(2) {
                    Some(wire) => single(wire, scalar, Zero::Kept)?.unwrap_or_default(),
                    None => json!(""),
                };
                holder.entry(name()).or_insert_with(|| json!({}))[String::from_utf8_lossy(key).as_ref()] =
                    value;
            }
            Shape::Inline(message) => {
                if let Some(inner) = table::message(message) {
                    read(wire.bytes(), inner, holder)?;
                }
            }
        }
    }
    Ok(())
}

/// One value; nothing where zero means that nothing was said.
fn single(wire: &Wire<'_>, scalar: &Scalar, zero: Zero) -> Result<Option<Value>, ApiError> {
    let kept = |is_zero: bool, value: Value| (zero == Zero::Kept || !is_zero).then_some(value);
    Ok(match scalar {
        Scalar::Text => kept(wire.bytes().is_empty(), text(wire.bytes())),
        Scalar::Flag => kept(wire.number() == 0, json!(wire.number() != 0)),
        Scalar::Integer => kept(wire.number() == 0, json!(wire.number().cast_signed())),
        Scalar::Double => {
            let number = f64::from_bits(wire.number());
            kept(number == 0.0, json!(number))
        }
        Scalar::Bytes => Some(json!(STANDARD.encode(wire.bytes()))),
        Scalar::Time => time(wire.bytes())?,
        Scalar::Quantity => {
            let quantity = fields(wire.bytes())?;
            quantity.first().map(|(_, value)| value.bytes()).filter(|text| !text.is_empty()).map(text)
        }
        Scalar::NumberOrText => Some(number_or_text(wire.bytes())?),
        Scalar::Json => {
            let raw = fields(wire.bytes())?;
            raw.first().and_then(|(_, value)| serde_json::from_slice(value.bytes()).ok())
        }
        Scalar::Message(name) => {
            let mut inner = Map::new();
            if let Some(shape) = table::message(name) {
                read(wire.bytes(), shape, &mut inner)?;
            }
            Some(Value::Object(inner))
        }
    })
}

fn number(message: &[(u64, Wire<'_>)], number: u64) -> u64 {
    message.iter().find(|(known, _)| *known == number).map_or(0, |(_, value)| value.number())
}

fn time(bytes: &[u8]) -> Result<Option<Value>, ApiError> {
    let message = fields(bytes)?;
    if message.is_empty() {
        return Ok(None);
    }
    let nanoseconds = i32::try_from(number(&message, 2)).unwrap_or(0);
    let moment = Timestamp::new(number(&message, 1).cast_signed(), nanoseconds).map_err(|_| malformed())?;
    Ok(Some(json!(moment.to_string())))
}

fn number_or_text(bytes: &[u8]) -> Result<Value, ApiError> {
    let message = fields(bytes)?;
    let texts = message.iter().find(|(known, _)| *known == 3).map_or(&[][..], |(_, value)| value.bytes());
    Ok(if number(&message, 1) == 0 { json!(number(&message, 2).cast_signed()) } else { text(texts) })
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
            1 => {
                let (value, tail) = rest.split_first_chunk().ok_or_else(malformed)?;
                rest = tail;
                Wire::Number(u64::from_le_bytes(*value))
            }
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
        of_group(b"v1", kind, raw)
    }

    fn of_group(group: &[u8], kind: &[u8], raw: &[u8]) -> Vec<u8> {
        let names = [part(1, group), part(2, kind)].concat();
        [b"k8s\0".to_vec(), part(1, &names), part(2, raw)].concat()
    }

    #[test]
    fn a_question_of_kubectl_is_understood() {
        let attributes = [part(1, b"default"), part(2, b"list"), part(3, b""), part(5, b"pods")].concat();
        let body =
            of_group(b"authorization.k8s.io/v1", b"SelfSubjectAccessReview", &part(2, &part(1, &attributes)));
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
        assert_eq!(decode(&envelope(b"Pud", b"")).unwrap_err().code, 415);
    }

    #[test]
    fn a_whole_pod_is_read_as_its_json_says_it() {
        let limits = [part(1, b"cpu"), part(2, &part(1, b"200m"))].concat();
        let probe =
            [part(1, &part(2, &part(2, &[8, 1, 26, 4, b'h', b't', b't', b'p']))), vec![16, 0]].concat();
        let container = [part(1, b"a"), part(8, &part(1, &limits)), part(11, &probe)].concat();
        let volume = [part(1, b"v"), part(2, &part(2, b""))].concat();
        let spec = [part(1, &volume), part(2, &container), vec![32, 0], vec![88, 0]].concat();
        let pod = decode(&envelope(b"Pod", &part(2, &spec))).unwrap();
        assert_eq!(
            pod["spec"],
            json!({"volumes": [{"name": "v", "emptyDir": {}}], "terminationGracePeriodSeconds": 0, "containers": [
                {"name": "a", "resources": {"limits": {"cpu": "200m"}}, "readinessProbe": {"httpGet": {"port": "http"}}}]})
        );
    }
}
