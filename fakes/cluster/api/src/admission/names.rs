//! Names of objects.

use serde_json::{Value, json};

use crate::error::Cause;
use crate::kind::KindInfo;
use crate::{kinds, object};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
    must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
pub(super) const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
    and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/// What is wrong with an object's name.
pub(super) fn check(info: &KindInfo, value: &Value) -> Vec<Cause> {
    let name = object::name(value);
    let free = [
        kinds::ROLES,
        kinds::ROLE_BINDINGS,
        kinds::CLUSTER_ROLES,
        kinds::CLUSTER_ROLE_BINDINGS,
        kinds::EVENTS,
    ];
    if free.contains(&info.res) {
        return Vec::new();
    }
    let label = info.res == kinds::NAMESPACES || info.res == kinds::SERVICES;
    let (longest, rule) = if label { (63, LABEL) } else { (253, SUBDOMAIN) };
    let mut causes = Vec::new();
    if name.len() > longest {
        let message = format!("must be no more than {longest} characters");
        causes.push(Cause::invalid("metadata.name", &json!(name), &message));
    }
    let fine = if label { is_label(name) } else { name.split('.').all(is_label) };
    if !fine {
        causes.push(Cause::invalid("metadata.name", &json!(name), rule));
    }
    causes
}

/// Whether a text is a lowercase label.
pub(super) fn is_label(part: &str) -> bool {
    let bytes = part.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
}

const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// What is wrong with an object's labels.
pub(super) fn labels(value: &Value, causes: &mut Vec<Cause>) {
    let good = |text: &str| {
        let bytes = text.as_bytes();
        bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    for (key, label) in object::labels(value).as_object().into_iter().flatten() {
        let part = key.rsplit('/').next().unwrap_or(key);
        if !good(part) {
            causes.push(Cause::invalid("metadata.labels", &json!(key), QUALIFIED));
        }
        let text = label.as_str().unwrap_or("");
        if text.len() > 63 {
            causes.push(Cause::invalid("metadata.labels", label, "must be no more than 63 bytes"));
        }
        if !text.is_empty() && !good(text) {
            causes.push(Cause::invalid("metadata.labels", label, LABEL_VALUE));
        }
    }
}
