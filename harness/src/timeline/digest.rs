//! When two status documents are the same.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Clocks: fields that change by themselves.
const CLOCKS: &[&str] =
    &["timestamp", "elapsedSeconds", "ageSeconds", "uptimeSeconds", "checkedAt", "observedAt", "now"];
/// Parts that periodic work changes although nothing else has happened.
const PERIODIC: &[&str] = &["recentEvents", "logs", "collector", "loginProbe", "message", "progressReason"];

/// A document's fingerprints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// Of all that is not a clock.
    pub content: String,
    /// Of all that is neither a clock nor periodic.
    pub substance: String,
}

/// The fingerprints of a status document.
pub fn digests(document: &Value) -> Digests {
    let mut content = Sha256::new();
    feed(document, &mut content, CLOCKS, &[]);
    let mut substance = Sha256::new();
    feed(document, &mut substance, CLOCKS, PERIODIC);
    Digests { content: hex(content), substance: hex(substance) }
}

fn feed(value: &Value, hasher: &mut Sha256, clocks: &[&str], periodic: &[&str]) {
    match value {
        Value::Null => hasher.update(b"n"),
        Value::Bool(true) => hasher.update(b"t"),
        Value::Bool(false) => hasher.update(b"f"),
        Value::Number(number) => hasher.update(number.to_string().as_bytes()),
        Value::String(text) => part(text, b's', hasher),
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                feed(item, hasher, clocks, periodic);
            }
            hasher.update(b"]");
        }
        Value::Object(entries) => {
            let keep = |key: &str| !clocks.contains(&key) && !periodic.contains(&key);
            let mut sorted: Vec<(&String, &Value)> = entries.iter().filter(|(key, _)| keep(key)).collect();
            sorted.sort_by_key(|(key, _)| *key);
            hasher.update(b"{");
            for (key, value) in sorted {
                part(key, b'k', hasher);
                feed(value, hasher, clocks, periodic);
            }
            hasher.update(b"}");
        }
    }
}

fn part(text: &str, tag: u8, hasher: &mut Sha256) {
    hasher.update([tag]);
    hasher.update(text.len().to_le_bytes());
    hasher.update(text.as_bytes());
}

fn hex(hasher: Sha256) -> String {
    let mut text = String::with_capacity(16);
    for byte in hasher.finalize().iter().take(8) {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn clocks_do_not_make_another_document() {
        let a = json!({ "timestamp": "1", "activeOperations": [{ "component": "db", "elapsedSeconds": 1 }] });
        let b = json!({ "activeOperations": [{ "elapsedSeconds": 9, "component": "db" }], "timestamp": "2" });
        assert_eq!(digests(&a), digests(&b));
    }

    #[test]
    fn events_make_another_document_of_the_same_substance() {
        let a = json!({ "rollup": { "state": "installing" }, "recentEvents": [] });
        let b = json!({ "rollup": { "state": "installing" }, "recentEvents": [{ "reason": "Pulled" }] });
        assert_ne!(digests(&a).content, digests(&b).content);
        assert_eq!(digests(&a).substance, digests(&b).substance);
    }

    #[test]
    fn another_rollup_is_another_substance() {
        let a = json!({ "rollup": { "state": "installing" } });
        let b = json!({ "rollup": { "state": "fully_healthy" } });
        assert_ne!(digests(&a).substance, digests(&b).substance);
    }
}
