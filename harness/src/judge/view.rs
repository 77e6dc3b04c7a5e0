//! A status document, read as the contract says.

use serde_json::Value;

use crate::scenario::{Component, Tier, codes_of};

/// A status document of either generation.
#[derive(Debug, Clone, Copy)]
pub struct View<'d>(pub &'d Value);

/// A top blocker in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenBlocker<'d> {
    /// Its code, or the codes that an earlier generation's layer and next action stand for.
    pub codes: Vec<&'d str>,
    /// Whose.
    pub component: &'d str,
    /// Its layer.
    pub layer: &'d str,
    /// Its reason.
    pub reason: &'d str,
    /// What it says to do.
    pub next_action: &'d str,
    /// Whether it stands between people and the login.
    pub login_blocking: Option<bool>,
    /// Code and component of what follows from it; nothing is known of it where a service has none.
    pub consequences: Option<Vec<(&'d str, &'d str)>>,
}

impl<'d> View<'d> {
    /// The rollup's state, as it stands there.
    pub fn rollup(self) -> Option<&'d str> {
        self.0.pointer("/rollup/state").and_then(Value::as_str)
    }

    /// Whether a tier is ready, if the document says so.
    pub fn tier(self, tier: Tier) -> Option<bool> {
        self.0.get("tiers")?.get(tier.name())?.get("ready")?.as_bool()
    }

    /// Whether a component is ready, if the document says so.
    pub fn component(self, component: Component) -> Option<bool> {
        let components = self.0.get("components")?.as_array()?;
        components.iter().find(|entry| text(entry, "name") == component.name())?.get("ready")?.as_bool()
    }

    /// What goes on for a component.
    pub fn operation(self, component: Component) -> Option<&'d str> {
        let operations = self.0.get("activeOperations")?.as_array()?;
        operations
            .iter()
            .find(|entry| text(entry, "component") == component.name())?
            .get("operation")?
            .as_str()
    }

    /// Whether the service says that it cannot read something.
    pub fn fails_to_read(self, what: &str) -> bool {
        let failures = self.0.pointer("/collector/failures").and_then(Value::as_array);
        failures.into_iter().flatten().any(|failure| text(failure, "kind") == what)
    }

    /// Top blockers, in the document's order.
    pub fn blockers(self) -> Vec<SeenBlocker<'d>> {
        let entries = self.0.get("topBlockers").and_then(Value::as_array);
        entries.into_iter().flatten().map(seen).collect()
    }
}

impl SeenBlocker<'_> {
    /// Whether this may be called by `code`.
    pub fn is(&self, code: &str) -> bool {
        self.codes.contains(&code)
    }

    /// What to call it in a message.
    pub fn title(&self) -> String {
        let name = if self.codes.is_empty() { format!("`{}`", self.layer) } else { self.codes.join(" or ") };
        if self.component.is_empty() { name } else { format!("{name} of {}", self.component) }
    }
}

fn seen(entry: &Value) -> SeenBlocker<'_> {
    let layer = text(entry, "layer");
    let next_action = text(entry, "nextAction");
    let codes = match entry.get("code").and_then(Value::as_str) {
        Some(code) => vec![code],
        None => codes_of(layer, next_action),
    };
    let consequences = entry.get("consequences").and_then(Value::as_array);
    SeenBlocker {
        codes,
        component: text(entry, "component"),
        layer,
        reason: text(entry, "reason"),
        next_action,
        login_blocking: entry.get("loginBlocking").and_then(Value::as_bool),
        consequences: consequences
            .map(|list| list.iter().map(|entry| (text(entry, "code"), text(entry, "component"))).collect()),
    }
}

fn text<'d>(value: &'d Value, field: &str) -> &'d str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_blocker_without_a_code_is_known_by_its_layer() {
        let document = json!({ "topBlockers": [{ "layer": "Image tag availability", "component": "db", "nextAction": "" }] });
        let blockers = View(&document).blockers();
        assert!(blockers[0].is("image-not-found"));
        assert_eq!(blockers[0].title(), "image-not-found of db");
    }

    #[test]
    fn what_a_document_does_not_say_is_not_false() {
        let document = json!({});
        assert_eq!(View(&document).tier(Tier::Login), None);
        assert_eq!(View(&document).rollup(), None);
    }
}
