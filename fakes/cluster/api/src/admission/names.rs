//! Names of objects.

use serde_json::{Value, json};

use crate::error::Cause;
use crate::kind::KindInfo;
use crate::{kinds, object};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
    must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
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
    let good = |part: &str| {
        let bytes = part.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        bytes.first().is_some_and(plain)
            && bytes.last().is_some_and(plain)
            && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
    };
    let fine = if label { good(name) } else { name.split('.').all(good) };
    if !fine {
        causes.push(Cause::invalid("metadata.name", &json!(name), rule));
    }
    causes
}
