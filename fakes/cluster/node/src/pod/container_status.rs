//! The status of one container.

use cluster_api::object::timestamp;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::instance::{Life, Record, Terminated};
use super::spec;

/// What the pod adds to the picture.
pub(super) struct Frame<'a> {
    pub(super) container: &'a Value,
    /// The reason for waiting when nothing is known yet.
    pub(super) waits_for: &'static str,
    /// Whether its next run is due once this one has ended.
    pub(super) restarts: bool,
    /// Whether it is an init container that has to end.
    pub(super) has_to_end: bool,
}

/// The status of a container.
pub(super) fn container_status(frame: &Frame<'_>, record: Option<&Record>) -> Value {
    let mut status = Map::new();
    let current = record.and_then(|r| r.current.as_ref());
    if let Some(run) = current {
        status.insert("containerID".into(), json!(format!("containerd://{}", run.id)));
    }
    let image = current.map_or(frame.container["image"].as_str().unwrap_or(""), |run| &run.image.name);
    status.insert("image".into(), json!(image));
    status.insert("imageID".into(), json!(current.map_or("", |run| &run.image.id)));
    let (state, last) = states(frame, record);
    status.insert("lastState".into(), last);
    status.insert("name".into(), frame.container["name"].clone());
    let running = record.is_some_and(Record::is_running);
    let started = running && record.is_some_and(|r| r.started);
    status.insert("ready".into(), json!(is_ready(frame, record)));
    if current.is_some() {
        status.insert("resources".into(), frame.container.get("resources").cloned().unwrap_or(json!({})));
        if let Some(requests) = frame.container["resources"].get("requests") {
            status.insert("allocatedResources".into(), requests.clone());
        }
    }
    status.insert("restartCount".into(), json!(record.map_or(0, |r| r.restarts)));
    status.insert("started".into(), json!(started));
    status.insert("state".into(), state);
    if running {
        status.insert("user".into(), json!({"linux": {"gid": 0, "supplementalGroups": [0], "uid": 0}}));
    }
    let mounts = volume_mounts(frame.container);
    if !mounts.is_empty() {
        status.insert("volumeMounts".into(), Value::Array(mounts));
    }
    Value::Object(status)
}

fn is_ready(frame: &Frame<'_>, record: Option<&Record>) -> bool {
    if frame.has_to_end {
        return record.and_then(Record::ended).is_some_and(|ended| ended.code == 0);
    }
    record.is_some_and(Record::is_ready)
}

/// State and last state.
fn states(frame: &Frame<'_>, record: Option<&Record>) -> (Value, Value) {
    let last = record.and_then(|r| r.last.as_ref()).map_or(json!({}), terminated);
    let waiting = record.and_then(|r| r.waiting.as_ref()).map(|(reason, message)| match message.as_str() {
        "" => json!({"waiting": {"reason": reason}}),
        message => json!({"waiting": {"message": message, "reason": reason}}),
    });
    match record.and_then(|r| r.current.as_ref()).map(|run| &run.life) {
        None => (waiting.unwrap_or_else(|| json!({"waiting": {"reason": frame.waits_for}})), last),
        Some(Life::Running { since }) => (json!({"running": {"startedAt": timestamp(*since)}}), last),
        Some(Life::Ended(ended)) => match waiting {
            Some(waiting) if frame.restarts => (waiting, terminated(ended)),
            _ => (terminated(ended), last),
        },
    }
}

fn terminated(ended: &Terminated) -> Value {
    let mut inner = json!({
        "containerID": format!("containerd://{}", ended.id), "exitCode": ended.code,
        "finishedAt": timestamp(ended.finished), "reason": ended.reason, "startedAt": started(ended),
    });
    if !ended.message.is_empty() {
        inner["message"] = json!(ended.message);
    }
    json!({ "terminated": inner })
}

/// A process that never ran started at the beginning of time.
fn started(ended: &Terminated) -> String {
    timestamp(if ended.reason == "StartError" { Timestamp::UNIX_EPOCH } else { ended.started })
}

fn volume_mounts(container: &Value) -> Vec<Value> {
    let mounts = container["volumeMounts"].as_array().into_iter().flatten();
    mounts
        .map(|mount| {
            let mut shown = json!({"mountPath": mount["mountPath"], "name": mount["name"]});
            if mount["readOnly"] == true {
                shown["readOnly"] = json!(true);
                shown["recursiveReadOnly"] = json!("Disabled");
            }
            shown
        })
        .collect()
}

impl<'a> Frame<'a> {
    /// A main container of a pod.
    pub(super) fn main(pod: &Value, container: &'a Value, record: Option<&Record>) -> Self {
        let restarts = record.and_then(Record::ended).is_some_and(|ended| spec::restarts(pod, ended.code));
        let waits_for =
            if spec::init_containers(pod).is_empty() { "ContainerCreating" } else { "PodInitializing" };
        Self { container, waits_for, restarts, has_to_end: false }
    }

    /// An init container of a pod.
    pub(super) fn init(pod: &Value, container: &'a Value, record: Option<&Record>) -> Self {
        let restarts = record
            .and_then(Record::ended)
            .is_some_and(|ended| spec::init_restarts(pod, container, ended.code));
        Self { container, waits_for: "PodInitializing", restarts, has_to_end: !spec::is_sidecar(container) }
    }
}
