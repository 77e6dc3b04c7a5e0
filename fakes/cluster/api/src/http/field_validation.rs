//! `fieldValidation`: what the server says to fields that a kind does not have, and to values of other types.
//!
//! A request that does not say how it wants to be validated is not looked at.

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

fn directive(call: &Call) -> Result<Option<Directive>, ApiError> {
    Ok(Some(match call.query.get("fieldValidation") {
        None => return Ok(None),
        Some("Ignore") => Directive::Ignore,
        Some("Warn") => Directive::Warn,
        Some("Strict") => Directive::Strict,
        Some(other) => {
            let known = ["", "Ignore", "Strict", "Warn"];
            let cause = Cause::unsupported("fieldValidation", &Value::from(other), &known);
            return Err(ApiError::invalid("CreateOptions.meta.k8s.io", "", &[cause]));
        }
    }))
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

/// Checks what a patch made.
pub(super) fn of_patched(call: &Call, value: &mut Value) -> Result<(), ApiError> {
    let strict = |call: &Call, unknown: &[String]| {
        let patch = Value::from(String::from_utf8_lossy(&call.body).into_owned());
        let why = format!("strict decoding error: {}", unknown.join(", "));
        ApiError::invalid("", "", &[Cause::invalid("patch", &patch, &why)])
    };
    check(call, value, strict)
}

/// Checks what is applied on the server's side: there unknown fields are never let through.
pub(super) fn of_applied(call: &Call, value: &Value) -> Result<(), ApiError> {
    if directive(call)?.is_none() || call.info.custom {
        return Ok(());
    }
    let (wrong, unknown) = mistakes(call, value);
    let fields: Vec<String> = unknown
        .iter()
        .filter_map(|text| text.strip_prefix("unknown field \"")?.strip_suffix('"'))
        .map(|field| format!(".{field}: field not declared in schema"))
        .collect();
    let why = match (wrong, fields.as_slice()) {
        (Some(wrong), _) => wrong,
        (None, []) => return Ok(()),
        (None, [one]) => one.clone(),
        (None, many) => format!("errors:\n  {}", many.join("\n  ")),
    };
    let address = &call.address;
    let place = if address.namespace.is_empty() { "/" } else { &format!("{}/", address.namespace) };
    let kind = format!("{}, Kind={}", call.info.res.api_version(&address.version), call.info.kind);
    let message = format!("failed to create typed patch object ({place}{}; {kind}): {why}", address.name);
    Err(ApiError::new(500, "", message))
}

fn check(
    call: &Call,
    value: &mut Value,
    strict: impl Fn(&Call, &[String]) -> ApiError,
) -> Result<(), ApiError> {
    let Some(directive) = directive(call)? else { return Ok(()) };
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
