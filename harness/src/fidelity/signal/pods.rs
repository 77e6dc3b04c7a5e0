//! What a pod's status says besides its conditions.

use serde_json::Value;

use super::{Class, Slot};

pub(super) fn slots(pod: &Value) -> Vec<Slot> {
    let status = &pod["status"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let phase =
        format!("{} {} «{}»", text(&status["phase"]), text(&status["reason"]), text(&status["message"]));
    let mut slots = vec![Slot::new(Class::Status, "phase", phase)];
    for group in ["initContainerStatuses", "containerStatuses"] {
        for container in status[group].as_array().into_iter().flatten() {
            let name = text(&container["name"]);
            slots.push(Slot::new(Class::Container, format!("container {name}"), state(&container["state"])));
        }
    }
    slots
}

fn state(state: &Value) -> String {
    let Some((kind, detail)) = state.as_object().and_then(|state| state.iter().next()) else {
        return "without state".to_owned();
    };
    let mut words = kind.clone();
    if let Some(reason) = detail["reason"].as_str() {
        words.push_str(&format!(" {reason}"));
    }
    if let Some(code) = detail["exitCode"].as_i64() {
        words.push_str(&format!(" exit {code}"));
    }
    if let Some(signal) = detail["signal"].as_i64().filter(|signal| *signal != 0) {
        words.push_str(&format!(" signal {signal}"));
    }
    if let Some(message) = detail["message"].as_str() {
        words.push_str(&format!(" «{}»", message.trim()));
    }
    words
}
