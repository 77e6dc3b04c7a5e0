//! What stands between the appliance and its users, as the assessment tells it.

use appliance_assess::is_shared;
use appliance_status_model::{Blocker as Assessed, BlockerCode, StatusDocument};
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
    /// What makes it the same blocker when its words differ, as those of a resolver do at every try. A cause that
    /// all components share is the same whomever it hits first.
    pub(crate) fn identity(&self) -> (String, String) {
        let shared = BlockerCode::ALL.iter().any(|it| is_shared(*it) && it.layer() == self.layer);
        let whom = if shared { String::new() } else { self.component.clone() };
        (self.layer.clone(), whom)
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

    use super::{Blocker, of_page};

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

    fn blocker(layer: &str, component: &str, reason: &str) -> Blocker {
        let own = |it: &str| it.to_owned();
        Blocker {
            layer: own(layer),
            component: own(component),
            reason: own(reason),
            next_action: String::new(),
        }
    }

    #[test]
    fn a_resolver_that_refuses_is_one_cause_whomever_it_hits_and_from_whatever_port() {
        let one =
            blocker("Platform DNS resolution", "alga-core", "read udp 10.0.2.15:41234: connection refused");
        let other =
            blocker("Platform DNS resolution", "source", "read udp 10.0.2.15:41235: connection refused");
        assert_eq!(one.identity(), other.identity());
    }

    #[test]
    fn two_images_that_are_missing_are_two_causes() {
        let of = |component| blocker("Image tag availability", component, "").identity();
        assert_ne!(of("db"), of("redis"));
    }
}
