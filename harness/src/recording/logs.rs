//! Looks at the logs of every container.

use std::time::Duration;

use serde_json::Value;

use super::api::Api;
use super::notes::Notes;
use super::stream::{Instance, LogLook};

/// A look at logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Its second, since the case began.
    pub(crate) second: u32,
    /// How long each question takes.
    pub(crate) takes: Duration,
}

/// Asks for the logs of every container of a namespace, and of the instance before it.
pub(crate) async fn look_at(api: &Api, notes: &Notes, namespace: &str, look: Look) {
    let Ok(list) = api.get(&format!("/api/v1/namespaces/{namespace}/pods")).await else { return };
    for pod in list["items"].as_array().into_iter().flatten() {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        for container in containers(pod) {
            for instance in [Instance::Current, Instance::Previous] {
                let previous = if instance == Instance::Previous { "&previous=true" } else { "" };
                let path = format!(
                    "/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}&timestamps=true&tailLines=400{previous}"
                );
                notes.clock().sleep(look.takes).await;
                let text = match api.text(&path).await {
                    Ok(text) => text,
                    Err(_) if instance == Instance::Previous => continue,
                    Err(words) => format!("[rc 1] {words}\n"),
                };
                let seen = LogLook {
                    pod: name.to_owned(),
                    container: container.clone(),
                    instance,
                    at: look.second,
                    text,
                };
                notes.with(|stream| stream.logs.push(seen));
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
