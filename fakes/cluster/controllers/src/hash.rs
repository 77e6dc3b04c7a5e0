//! Short names for pod templates.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Letters that spell no words, as Kubernetes encodes its hashes.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A name for a template, the same whatever order its fields stand in.
pub(crate) fn of(template: &Value) -> String {
    let mut digest = Sha256::new();
    feed(&mut digest, template);
    let bytes = digest.finalize();
    bytes[..10].iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

fn feed(digest: &mut Sha256, value: &Value) {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().filter(|(_, value)| !value.is_null()).collect();
            fields.sort_by_key(|(key, _)| *key);
            digest.update(b"{");
            for (key, value) in fields {
                digest.update(key.as_bytes());
                digest.update(b":");
                feed(digest, value);
            }
            digest.update(b"}");
        }
        Value::Array(items) => {
            digest.update(b"[");
            for item in items {
                feed(digest, item);
                digest.update(b",");
            }
            digest.update(b"]");
        }
        other => digest.update(other.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;

    #[test]
    fn the_order_of_fields_does_not_change_the_hash_but_a_value_does() {
        assert_eq!(
            of(&json!({"a": 1, "b": [2, {"c": "d", "e": null}]})),
            of(&json!({"b": [2, {"c": "d"}], "a": 1}))
        );
        assert_ne!(of(&json!({"a": 1})), of(&json!({"a": 2})));
    }
}
