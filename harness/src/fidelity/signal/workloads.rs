//! What the status of Kubernetes' other objects says besides their conditions.

use serde_json::Value;

use super::{Class, Slot};

pub(super) fn slots(kind: &str, object: &Value) -> Vec<Slot> {
    let status = &object["status"];
    let slot = |name: &str, words: String| vec![Slot::new(Class::Status, name, words)];
    match kind {
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => slot(
            "replicas",
            counts(
                status,
                &["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"],
            ),
        ),
        "Job" => slot("pods", counts(status, &["active", "ready", "terminating", "succeeded", "failed"])),
        "PersistentVolumeClaim" => {
            let bound = object["spec"]["volumeName"].as_str().map_or("no volume", |_| "a volume");
            slot("phase", format!("{} {bound}", status["phase"].as_str().unwrap_or_default()))
        }
        "EndpointSlice" => slot("endpoints", endpoints(object)),
        "Node" => {
            let taints = object["spec"]["taints"].as_array().into_iter().flatten().map(|taint| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                format!("{}:{}", text(&taint["key"]), text(&taint["effect"]))
            });
            slot("taints", taints.collect::<Vec<_>>().join(","))
        }
        _ => Vec::new(),
    }
}

fn counts(status: &Value, fields: &[&str]) -> String {
    let said = fields.iter().map(|field| format!("{field}={}", status[field].as_i64().unwrap_or_default()));
    said.collect::<Vec<_>>().join(" ")
}

fn endpoints(slice: &Value) -> String {
    let said = slice["endpoints"].as_array().into_iter().flatten().map(|endpoint| {
        let flag =
            |name: &str| endpoint["conditions"][name].as_bool().map_or("-".to_owned(), |b| b.to_string());
        format!("ready={} serving={} terminating={}", flag("ready"), flag("serving"), flag("terminating"))
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { "none".to_owned() } else { said.join(", ") }
}
