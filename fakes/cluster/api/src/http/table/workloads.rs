//! Deployments, their kin and jobs as kubectl prints them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Column, age, age::between, name, number, text};
use crate::object;

pub(super) const DEPLOYMENT: &[Column] = &[
    ("Name", "string", 0),
    ("Ready", "string", 0),
    ("Up-to-date", "integer", 0),
    ("Available", "integer", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
    ("Selector", "string", 1),
];

pub(super) const REPLICA_SET: &[Column] = &[
    ("Name", "string", 0),
    ("Desired", "integer", 0),
    ("Current", "integer", 0),
    ("Ready", "integer", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
    ("Selector", "string", 1),
];

pub(super) const STATEFUL_SET: &[Column] = &[
    ("Name", "string", 0),
    ("Ready", "string", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
];

pub(super) const DAEMON_SET: &[Column] = &[
    ("Name", "string", 0),
    ("Desired", "integer", 0),
    ("Current", "integer", 0),
    ("Ready", "integer", 0),
    ("Up-to-date", "integer", 0),
    ("Available", "integer", 0),
    ("Node Selector", "string", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
    ("Selector", "string", 1),
];

pub(super) const JOB: &[Column] = &[
    ("Name", "string", 0),
    ("Status", "string", 0),
    ("Completions", "string", 0),
    ("Duration", "string", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
    ("Selector", "string", 1),
];

fn containers(value: &Value, field: &str) -> Value {
    let all = value["spec"]["template"]["spec"]["containers"].as_array();
    let texts: Vec<&str> = all.into_iter().flatten().map(|container| text(&container[field])).collect();
    json!(texts.join(","))
}

fn map_text(map: &Value) -> String {
    let pairs: Vec<String> =
        map.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={}", text(value))).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

fn selector(value: &Value) -> Value {
    json!(map_text(&value["spec"]["selector"]["matchLabels"]))
}

fn ready_of(value: &Value) -> Value {
    json!(format!("{}/{}", number(&value["status"]["readyReplicas"]), number(&value["spec"]["replicas"])))
}

pub(super) fn deployment(value: &Value, now: Timestamp) -> Vec<Value> {
    let status = &value["status"];
    vec![
        name(value),
        ready_of(value),
        json!(number(&status["updatedReplicas"])),
        json!(number(&status["availableReplicas"])),
        age(value, now),
        containers(value, "name"),
        containers(value, "image"),
        selector(value),
    ]
}

pub(super) fn replica_set(value: &Value, now: Timestamp) -> Vec<Value> {
    let status = &value["status"];
    vec![
        name(value),
        json!(number(&value["spec"]["replicas"])),
        json!(number(&status["replicas"])),
        json!(number(&status["readyReplicas"])),
        age(value, now),
        containers(value, "name"),
        containers(value, "image"),
        selector(value),
    ]
}

pub(super) fn stateful_set(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(value), ready_of(value), age(value, now), containers(value, "name"), containers(value, "image")]
}

pub(super) fn daemon_set(value: &Value, now: Timestamp) -> Vec<Value> {
    let status = &value["status"];
    let mut cells = vec![name(value)];
    for field in [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ] {
        cells.push(json!(number(&status[field])));
    }
    cells.push(json!(map_text(&value["spec"]["template"]["spec"]["nodeSelector"])));
    cells.extend([age(value, now), containers(value, "name"), containers(value, "image"), selector(value)]);
    cells
}

pub(super) fn job(value: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&value["spec"], &value["status"]);
    let done = number(&status["succeeded"]);
    let completions = match (spec["completions"].as_i64(), number(&spec["parallelism"])) {
        (Some(wanted), _) => format!("{done}/{wanted}"),
        (None, many) if many > 1 => format!("{done}/1 of {many}"),
        (None, _) => format!("{done}/1"),
    };
    let holds =
        |kind: &str| object::condition(value, kind).is_some_and(|condition| condition["status"] == "True");
    let state = if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if object::is_deleting(value) {
        "Terminating"
    } else if holds("Suspended") {
        "Suspended"
    } else if holds("FailureTarget") {
        "FailureTarget"
    } else if holds("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    };
    vec![
        name(value),
        json!(state),
        json!(completions),
        json!(between(&status["startTime"], status.get("completionTime"), now)),
        age(value, now),
        containers(value, "name"),
        containers(value, "image"),
        selector(value),
    ]
}
