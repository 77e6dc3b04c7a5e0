//! Follows the logs of Flux' controllers.

use std::time::Duration;

use futures::StreamExt as _;

use super::api::Api;
use super::notes::Notes;

/// The controllers; their images' entrypoints have the same names.
pub(crate) const CONTROLLERS: [&str; 3] = ["source-controller", "kustomize-controller", "helm-controller"];

/// How long the recorder waits before it looks for a controller's log again.
const AGAIN: Duration = Duration::from_millis(200);
/// How long before it looks again for a controller that nobody has installed yet.
const UNTIL_INSTALLED: Duration = Duration::from_secs(1);

/// Follows the log of a controller, whichever pod it is in, and keeps what names the case's namespaces.
pub(crate) async fn follow(api: Api, notes: Notes, controller: &'static str) {
    let mut known: Option<String> = None;
    loop {
        if let Some(name) = pod(&api, controller).await {
            // Of a pod that nobody has heard of before, everything is news.
            let since = if known.as_ref() == Some(&name) { "&sinceSeconds=1" } else { "" };
            let log = format!("/api/v1/namespaces/flux-system/pods/{name}/log?follow=true{since}");
            if let Ok(response) = api.watch(&log).await {
                known = Some(name);
                let (mut rest, mut parts) = (Vec::new(), response.bytes_stream());
                while let Some(Ok(part)) = parts.next().await {
                    rest.extend_from_slice(&part);
                    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                        let line: Vec<u8> = rest.drain(..=end).collect();
                        notes.controller(controller, &line);
                    }
                }
            }
        }
        let wait = if known.is_some() { AGAIN } else { UNTIL_INSTALLED };
        notes.clock().sleep(wait).await;
    }
}

/// The name of the controller's pod, while one runs.
async fn pod(api: &Api, controller: &str) -> Option<String> {
    let pods = format!("/api/v1/namespaces/flux-system/pods?labelSelector=app%3D{controller}");
    let list = api.get(&pods).await.ok()?;
    let live = list["items"]
        .as_array()?
        .iter()
        .find(|pod| pod["metadata"]["deletionTimestamp"].is_null() && pod["status"]["phase"] == "Running")?;
    live["metadata"]["name"].as_str().map(str::to_owned)
}
