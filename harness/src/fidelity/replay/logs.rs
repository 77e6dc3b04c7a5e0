//! Asks for the logs of every container at the seconds at which the recorder did.

use std::time::Duration;

use field_clock::Clock;
use jiff::Timestamp;
use serde_json::Value;

use super::api::Api;
use super::watcher::Notes;
use crate::fidelity::case::Case;
use crate::fidelity::stream::{Instance, LogLook};

/// What a snapshot of ten kinds takes.
const SNAPSHOT_TAKES: Duration = Duration::from_millis(2500);
/// What one kubectl takes on a loaded machine.
const KUBECTL_TAKES: Duration = Duration::from_millis(200);

pub(super) async fn look(case: &Case, api: &Api, notes: &Notes, clock: &Clock, began: Timestamp) {
    for second in case.looks() {
        clock.sleep_until(began + Duration::from_secs(u64::from(second))).await;
        // The recorder asks for every kind of object first.
        clock.sleep(SNAPSHOT_TAKES).await;
        for namespace in &case.namespaces {
            look_at(api, notes, clock, namespace, second).await;
        }
    }
}

async fn look_at(api: &Api, notes: &Notes, clock: &Clock, namespace: &str, second: u32) {
    let Ok(list) = api.get(&format!("/api/v1/namespaces/{namespace}/pods")).await else { return };
    for pod in list["items"].as_array().into_iter().flatten() {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        for container in containers(pod) {
            for instance in [Instance::Current, Instance::Previous] {
                let previous = if instance == Instance::Previous { "&previous=true" } else { "" };
                let path = format!(
                    "/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}&timestamps=true&tailLines=400{previous}"
                );
                clock.sleep(KUBECTL_TAKES).await;
                let text = match api.text(&path).await {
                    Ok(text) => text,
                    Err(_) if instance == Instance::Previous => continue,
                    Err(words) => format!("[rc 1] {words}\n"),
                };
                let look = LogLook {
                    pod: name.to_owned(),
                    container: container.clone(),
                    instance,
                    at: second,
                    text,
                };
                notes.with(|stream| stream.logs.push(look));
            }
        }
    }
}

fn containers(pod: &Value) -> Vec<String> {
    ["initContainers", "containers"]
        .iter()
        .flat_map(|group| pod["spec"][group].as_array().into_iter().flatten())
        .filter_map(|container| container["name"].as_str().map(str::to_owned))
        .collect()
}
