//! Just enough protobuf to read the review that `kubectl auth can-i` sends.

use serde_json::{Map, Value, json};

use super::review::malformed;
use crate::ApiError;

/// Reads a review from its envelope (`k8s\0`, then `runtime.Unknown`).
pub(super) fn review(body: &[u8], plural: &str) -> Result<Value, ApiError> {
    let unknown = body.strip_prefix(b"k8s\0").ok_or_else(malformed)?;
    let raw = field(unknown, 2)?.ok_or_else(malformed)?;
    let spec = field(raw, 2)?.unwrap_or_default();
    let spec = match plural {
        "selfsubjectaccessreviews" => access(spec)?,
        "selfsubjectrulesreviews" => Value::Object(texts(spec, &[(1, "namespace")])?),
        _ => json!({}),
    };
    Ok(json!({"spec": spec}))
}

fn access(spec: &[u8]) -> Result<Value, ApiError> {
    if let Some(path) = field(spec, 2)? {
        return Ok(json!({"nonResourceAttributes": texts(path, &[(1, "path"), (2, "verb")])?}));
    }
    let names = [
        (1, "namespace"),
        (2, "verb"),
        (3, "group"),
        (4, "version"),
        (5, "resource"),
        (6, "subresource"),
        (7, "name"),
    ];
    Ok(json!({"resourceAttributes": texts(field(spec, 1)?.unwrap_or_default(), &names)?}))
}

fn texts(message: &[u8], names: &[(u64, &str)]) -> Result<Map<String, Value>, ApiError> {
    let mut map = Map::new();
    for (number, name) in names {
        if let Some(bytes) = field(message, *number)? {
            map.insert((*name).to_owned(), json!(String::from_utf8_lossy(bytes)));
        }
    }
    Ok(map)
}

/// The last length-delimited field with a number.
fn field(message: &[u8], wanted: u64) -> Result<Option<&[u8]>, ApiError> {
    let mut rest = message;
    let mut found = None;
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        match tag & 7 {
            0 => {
                varint(&mut rest)?;
            }
            2 => {
                let length = usize::try_from(varint(&mut rest)?).map_err(|_| malformed())?;
                let (value, tail) = rest.split_at_checked(length).ok_or_else(malformed)?;
                if tag >> 3 == wanted {
                    found = Some(value);
                }
                rest = tail;
            }
            _ => return Err(malformed()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u8, inner: &[u8]) -> Vec<u8> {
        let length = u8::try_from(inner.len()).unwrap();
        [&[number << 3 | 2, length], inner].concat()
    }

    #[test]
    fn a_question_of_kubectl_is_understood() {
        let attributes = [message(1, b"default"), message(2, b"list"), message(5, b"pods")].concat();
        let review_message = message(2, &message(1, &attributes));
        let body = [b"k8s\0".to_vec(), message(1, b""), message(2, &review_message)].concat();
        let asked = review(&body, "selfsubjectaccessreviews").unwrap();
        assert_eq!(
            asked["spec"]["resourceAttributes"],
            json!({"namespace": "default", "verb": "list", "resource": "pods"})
        );
        assert!(review(b"k8s\0\xff", "selfsubjectaccessreviews").is_err());
    }
}
