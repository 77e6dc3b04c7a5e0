//! What stands between the appliance and its users, as the assessment tells it.

use appliance_status_model::{Blocker as Assessed, StatusDocument};
use serde_json::Value;

/// A blocker as the command tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blocker {
    pub(crate) layer: String,
    pub(crate) component: String,
    pub(crate) reason: String,
    pub(crate) next_action: String,
}

impl Blocker {
    /// What makes it the same blocker when its words differ, as those of a resolver do at every try.
    pub(crate) fn identity(&self) -> (String, String) {
        (self.layer.clone(), self.component.clone())
    }
}

/// Blockers that keep people from logging in, root first, of a document as bytes tell it: whatever service wrote it.
pub(crate) fn of_page(document: &Value) -> Vec<Blocker> {
    let text = |blocker: &Value, key: &str| blocker[key].as_str().unwrap_or_default().to_owned();
    let blockers = document["topBlockers"].as_array().map_or(&[][..], Vec::as_slice);
    blockers
        .iter()
        .filter(|it| it["loginBlocking"] == true)
        .map(|it| Blocker {
            layer: text(it, "layer"),
            component: text(it, "component"),
            reason: text(it, "reason"),
            next_action: text(it, "nextAction"),
        })
        .collect()
}

/// The same of a document that was assessed here.
pub(crate) fn of_assessment(document: &StatusDocument) -> Vec<Blocker> {
    let told = |it: &Assessed| Blocker {
        layer: it.layer.clone(),
        component: it.component.clone(),
        reason: it.reason.clone(),
        next_action: it.next_action.clone(),
    };
    document.top_blockers.iter().filter(|it| it.login_blocking).map(told).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of_page;

    #[test]
    fn only_what_keeps_people_from_logging_in_is_told() {
        let document = json!({ "topBlockers": [
            { "layer": "Image tag availability", "component": "db", "reason": "r", "nextAction": "n", "loginBlocking": true },
            { "layer": "Image tag availability", "component": "email-service", "loginBlocking": false },
        ] });
        let told: Vec<String> = of_page(&document).into_iter().map(|it| it.component).collect();
        assert_eq!(told, ["db"]);
    }

    #[test]
    fn a_document_without_blockers_has_none() {
        assert!(of_page(&json!({ "topBlockers": null })).is_empty());
    }
}
