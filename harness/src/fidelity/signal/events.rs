//! Events.

use serde_json::Value;

/// One Event object as it was written.
pub(super) struct Read {
    /// Kind of what it is about.
    pub(super) kind: String,
    /// Name of what it is about.
    pub(super) name: String,
    /// Who wrote it.
    pub(super) component: String,
    /// Type, reason, field, component and message.
    pub(super) words: String,
}

pub(super) fn read(event: &Value) -> Option<Read> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let involved = &event["involvedObject"];
    let component = match event["reportingComponent"].as_str() {
        Some(component) if !component.is_empty() => component.to_owned(),
        _ => text(&event["source"]["component"]),
    };
    let field = text(&involved["fieldPath"]);
    let space = if field.is_empty() { "" } else { " " };
    Some(Read {
        kind: involved["kind"].as_str()?.to_owned(),
        name: text(&involved["name"]),
        words: format!(
            "{} {}{space}{field} by {component}: {}",
            text(&event["type"]),
            text(&event["reason"]),
            text(&event["message"])
        ),
        component,
    })
}
