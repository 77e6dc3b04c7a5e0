//! `fieldValidation`: what the server says to fields that a kind does not have, and to values of other types.

use serde_json::Value;

use super::call::Call;
use crate::ApiError;
use crate::error::Cause;
use crate::shapes::{self, Mistake};

/// What becomes of unknown fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Ignore,
    Warn,
    Strict,
}

fn directive(call: &Call) -> Result<Directive, ApiError> {
    Ok(match call.query.get("fieldValidation") {
        Some("Ignore") => Directive::Ignore,
        None | Some("Warn") => Directive::Warn,
        Some("Strict") => Directive::Strict,
        Some(other) => {
            let known = ["", "Ignore", "Strict", "Warn"];
            let cause = Cause::unsupported("fieldValidation", &Value::from(other), &known);
            return Err(ApiError::invalid("CreateOptions.meta.k8s.io", "", &[cause]));
        }
    })
}

/// What is wrong: the first type and all unknown fields.
fn mistakes(call: &Call, value: &Value) -> (Option<String>, Vec<String>) {
    let (mut wrong, mut unknown) = (None, Vec::new());
    for mistake in shapes::decode(&call.info, &call.address.version, value) {
        match mistake {
            Mistake::Type(text) => wrong = wrong.or(Some(text)),
            Mistake::Unknown(text) => unknown.push(text),
        }
    }
    (wrong, unknown)
}

fn unreadable(call: &Call, why: &str) -> ApiError {
    let (kind, version) = (&call.info.kind, &call.address.version);
    ApiError::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
}

/// Checks the object of a POST or PUT and drops what nobody knows.
pub(super) fn of_object(call: &Call, value: &mut Value) -> Result<(), ApiError> {
    let strict = |call: &Call, unknown: &[String]| {
        unreadable(call, &format!("strict decoding error: {}", unknown.join(", ")))
    };
    check(call, value, strict)
}

/// A patch as the refusal shows it: strategic ones as the map that they were read into.
fn shown_patch(call: &Call) -> String {
    if call.content_type.starts_with("application/strategic-merge-patch")
        && let Ok(patch) = call.value()
    {
        return go_map(&patch);
    }
    String::from_utf8_lossy(&call.body).into_owned()
}

/// `map[a:1 b:[x y]]`.
fn go_map(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_map).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries: Vec<String> =
                entries.into_iter().map(|(key, inner)| format!("{key}:{}", go_map(inner))).collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
}

/// Checks what a patch made.
pub(super) fn of_patched(call: &Call, value: &mut Value) -> Result<(), ApiError> {
    let strict = |call: &Call, unknown: &[String]| {
        let patch = Value::from(shown_patch(call));
        let why = format!("strict decoding error: {}", unknown.join(", "));
        ApiError::invalid("", "", &[Cause::invalid("patch", &patch, &why)])
    };
    check(call, value, strict)
}

/// Checks what is applied on the server's side: there unknown fields are never let through.
pub(super) fn of_applied(call: &Call, value: &Value) -> Result<(), ApiError> {
    directive(call)?;
    let address = &call.address;
    shapes::typed::check(&call.info, &address.version, &address.namespace, &address.name, value)
}

fn check(
    call: &Call,
    value: &mut Value,
    strict: impl Fn(&Call, &[String]) -> ApiError,
) -> Result<(), ApiError> {
    let directive = directive(call)?;
    let (wrong, unknown) = mistakes(call, value);
    if let Some(wrong) = wrong {
        return Err(unreadable(call, &wrong));
    }
    if unknown.is_empty() {
        return Ok(());
    }
    match directive {
        Directive::Strict => return Err(strict(call, &unknown)),
        Directive::Warn => unknown.iter().for_each(|text| call.warn(text)),
        Directive::Ignore => {}
    }
    if !call.info.custom {
        shapes::prune(value, &shapes::of_kind(&call.info, &call.address.version));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_strategic_patch_is_shown_as_the_map_it_became() {
        assert_eq!(
            go_map(&json!({"spec": {"b": [1, {"x": null}], "a": true}})),
            "map[spec:map[a:true b:[1 map[x:<nil>]]]]"
        );
    }
}
