//! Errors of the API, worded and shaped as Kubernetes does.

use serde_json::{Value, json};

use crate::Res;

/// Why the API refused; carries everything a `Status` object says.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason, e.g. `NotFound`.
    pub reason: &'static str,
    /// The sentence clients print.
    pub message: String,
    /// `details` of the Status, when there are any.
    pub details: Option<Box<Value>>,
    /// `metadata.continue` of the Status: where an expired list may go on.
    pub go_on: Option<String>,
}

/// One reason why an object is invalid.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    reason: &'static str,
    field: String,
    message: String,
}

impl Cause {
    /// A field that must be there is not.
    pub fn required(field: impl Into<String>, message: &str) -> Self {
        let message = if message.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {message}")
        };
        Self { reason: "FieldValueRequired", field: field.into(), message }
    }

    /// A value that cannot be.
    pub fn invalid(field: impl Into<String>, value: &Value, message: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            field: field.into(),
            message: format!("Invalid value: {}: {message}", shown(value)),
        }
    }

    /// A value outside the known ones.
    pub fn unsupported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|s| format!("\"{s}\"")).collect();
        Self {
            reason: "FieldValueNotSupported",
            field: field.into(),
            message: format!(
                "Unsupported value: {}: supported values: {}",
                shown(value),
                supported.join(", ")
            ),
        }
    }

    /// A change that is not allowed.
    pub fn forbidden(field: impl Into<String>, message: &str) -> Self {
        Self { reason: "FieldValueForbidden", field: field.into(), message: format!("Forbidden: {message}") }
    }

    /// A value that occurs twice.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self {
            reason: "FieldValueDuplicate",
            field: field.into(),
            message: format!("Duplicate value: {}", shown(value)),
        }
    }

    /// A reference to something that is not there.
    pub fn not_found(field: impl Into<String>, value: &Value) -> Self {
        Self {
            reason: "FieldValueNotFound",
            field: field.into(),
            message: format!("Not found: {}", shown(value)),
        }
    }

    /// A value of the wrong type.
    pub fn type_invalid(field: impl Into<String>, value: &Value, message: &str) -> Self {
        Self {
            reason: "FieldValueTypeInvalid",
            field: field.into(),
            message: format!("Invalid value: {}: {message}", shown(value)),
        }
    }

    fn text(&self) -> String {
        format!("{}: {}", self.field, self.message)
    }
}

/// `conflicts with MANAGER:` and its fields, line by line.
fn grouped(fields: &[(String, String)]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    for (manager, _) in fields {
        if told.contains(&manager.as_str()) {
            continue;
        }
        told.push(manager);
        lines.push(format!("conflicts with {manager}:"));
        lines.extend(
            fields.iter().filter(|(other, _)| other == manager).map(|(_, field)| format!("- {field}")),
        );
    }
    lines.join("\n")
}

fn shown(value: &Value) -> String {
    value.to_string()
}

impl ApiError {
    /// An error with a code, a reason and a sentence.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, go_on: None }
    }

    fn with_details(mut self, details: Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    fn about(self, res: &Res, name: &str) -> Self {
        let mut details = json!({"name": name});
        if !res.group.is_empty() {
            details["group"] = json!(res.group);
        }
        details["kind"] = json!(res.plural);
        self.with_details(details)
    }

    /// 404 of an object.
    pub fn not_found(res: &Res, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{res} \"{name}\" not found")).about(res, name)
    }

    /// 404 of a path.
    pub fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").with_details(json!({}))
    }

    /// 409 of a name in use.
    pub fn already_exists(res: &Res, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{res} \"{name}\" already exists")).about(res, name)
    }

    /// 409 of an outdated write.
    pub fn conflict(res: &Res, name: &str, why: &str) -> Self {
        Self::new(409, "Conflict", format!("Operation cannot be fulfilled on {res} \"{name}\": {why}"))
            .about(res, name)
    }

    /// 409 of a write whose `resourceVersion` is no longer the current one.
    pub fn modified(res: &Res, name: &str) -> Self {
        Self::conflict(
            res,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 422 with its causes; `kind` is `Pod` or `Deployment.apps`.
    pub fn invalid(kind: &str, name: &str, causes: &[Cause]) -> Self {
        let texts: Vec<String> = causes.iter().map(Cause::text).collect();
        let list = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let (bare, group) = kind.split_once('.').unwrap_or((kind, ""));
        let mut details = json!({"name": name});
        if !group.is_empty() {
            details["group"] = json!(group);
        }
        details["kind"] = json!(bare);
        details["causes"] = causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        Self::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {list}")).with_details(details)
    }

    /// 403 about an object or a collection.
    pub fn forbidden(res: &Res, name: &str, why: &str) -> Self {
        let subject = if name.is_empty() {
            format!("{res} is forbidden")
        } else {
            format!("{res} \"{name}\" is forbidden")
        };
        Self::new(403, "Forbidden", format!("{subject}: {why}")).about(res, name)
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
            .with_details(json!({}))
    }

    /// 410 of a version that the history no longer holds.
    pub fn expired(asked: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    /// 415.
    pub fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 500.
    pub fn internal(message: &str) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {message}"))
            .with_details(json!({"causes": [{"message": message}]}))
    }

    /// 501.
    pub fn not_implemented(what: &str) -> Self {
        Self::new(501, "NotImplemented", format!("{what} is not supported"))
    }

    /// 409 of server-side apply: who owns which fields; `fields` are `(manager text, field path)`.
    pub fn apply_conflict(fields: &[(String, String)]) -> Self {
        let message = match fields {
            [(manager, field)] => format!("Apply failed with 1 conflict: conflict with {manager}: {field}"),
            many => format!("Apply failed with {} conflicts: {}", many.len(), grouped(many)),
        };
        let causes: Vec<Value> = fields
            .iter()
            .map(|(manager, field)| {
                json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": field})
            })
            .collect();
        Self::new(409, "Conflict", message).with_details(json!({"causes": causes}))
    }

    /// Whether it says that an object is not there.
    pub fn is_not_found(&self) -> bool {
        self.code == 404
    }

    /// Whether it says that a name is in use.
    pub fn is_already_exists(&self) -> bool {
        self.reason == "AlreadyExists"
    }

    /// Whether it says that a write came too late.
    pub fn is_conflict(&self) -> bool {
        self.reason == "Conflict"
    }

    /// The `Status` object of the wire.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason,
        });
        if let Some(details) = &self.details {
            status["details"] = (**details).clone();
        }
        if let Some(token) = &self.go_on {
            status["metadata"]["continue"] = json!(token);
        }
        status["code"] = json!(self.code);
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_kubernetes_says() {
        let error = ApiError::not_found(&Res::new("apps", "deployments"), "db");
        assert_eq!(error.to_string(), "deployments.apps \"db\" not found");
        assert_eq!(error.status()["details"], json!({"name": "db", "group": "apps", "kind": "deployments"}));
    }

    #[test]
    fn several_causes_are_listed_in_brackets() {
        let causes = [Cause::required("spec.a", ""), Cause::invalid("spec.b", &json!(3), "too many")];
        let error = ApiError::invalid("Pod", "x", &causes);
        assert_eq!(
            error.message,
            "Pod \"x\" is invalid: [spec.a: Required value, spec.b: Invalid value: 3: too many]"
        );
        assert_eq!(error.status()["details"]["causes"][1]["field"], "spec.b");
    }

    #[test]
    fn conflicts_of_apply_are_grouped_by_manager() {
        let one = [("\"kubectl\" using apps/v1".to_owned(), ".spec.replicas".to_owned())];
        assert_eq!(
            ApiError::apply_conflict(&one).message,
            "Apply failed with 1 conflict: conflict with \"kubectl\" using apps/v1: .spec.replicas"
        );
    }
}
