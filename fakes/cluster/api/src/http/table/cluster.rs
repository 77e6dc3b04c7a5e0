//! Everything that does not run, as kubectl prints it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Column, age, name, number, or_none, since, text};
use crate::object;

pub(super) const NODE: &[Column] = &[
    ("Name", "string", 0),
    ("Status", "string", 0),
    ("Roles", "string", 0),
    ("Age", "string", 0),
    ("Version", "string", 0),
    ("Internal-IP", "string", 1),
    ("External-IP", "string", 1),
    ("OS-Image", "string", 1),
    ("Kernel-Version", "string", 1),
    ("Container-Runtime", "string", 1),
];

pub(super) fn node(value: &Value, now: Timestamp) -> Vec<Value> {
    let ready =
        object::condition(value, "Ready").map_or("Unknown", |condition| match text(&condition["status"]) {
            "True" => "Ready",
            _ => "NotReady",
        });
    let status = if value["spec"]["unschedulable"] == true {
        format!("{ready},SchedulingDisabled")
    } else {
        ready.to_owned()
    };
    let mut roles: Vec<&str> = object::labels(value)
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    roles.sort_unstable();
    let address = |kind: &str| {
        let all = value["status"]["addresses"].as_array();
        let found = all.into_iter().flatten().find(|address| address["type"] == kind);
        or_none(found.map_or("", |address| text(&address["address"])))
    };
    let info = &value["status"]["nodeInfo"];
    vec![
        name(value),
        json!(status),
        or_none(&roles.join(",")),
        age(value, now),
        json!(text(&info["kubeletVersion"])),
        address("InternalIP"),
        address("ExternalIP"),
        json!(text(&info["osImage"])),
        json!(text(&info["kernelVersion"])),
        json!(text(&info["containerRuntimeVersion"])),
    ]
}

pub(super) const SERVICE: &[Column] = &[
    ("Name", "string", 0),
    ("Type", "string", 0),
    ("Cluster-IP", "string", 0),
    ("External-IP", "string", 0),
    ("Port(s)", "string", 0),
    ("Age", "string", 0),
    ("Selector", "string", 1),
];

pub(super) fn service(value: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &value["spec"];
    let ports: Vec<String> = spec["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| match number(&port["nodePort"]) {
            0 => format!("{}/{}", number(&port["port"]), text(&port["protocol"])),
            node => format!("{}:{node}/{}", number(&port["port"]), text(&port["protocol"])),
        })
        .collect();
    let external = match text(&spec["type"]) {
        "ExternalName" => text(&spec["externalName"]),
        "LoadBalancer" => "<pending>",
        _ => "<none>",
    };
    vec![
        name(value),
        json!(text(&spec["type"])),
        or_none(text(&spec["clusterIP"])),
        json!(external),
        or_none(&ports.join(",")),
        age(value, now),
        or_none(&pairs(&spec["selector"])),
    ]
}

fn pairs(map: &Value) -> String {
    let pairs: Vec<String> =
        map.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={}", text(value))).collect();
    pairs.join(",")
}

pub(super) const ENDPOINTS: &[Column] =
    &[("Name", "string", 0), ("Endpoints", "string", 0), ("Age", "string", 0)];

pub(super) fn endpoints(value: &Value, now: Timestamp) -> Vec<Value> {
    let mut all = Vec::new();
    for subset in value["subsets"].as_array().into_iter().flatten() {
        for address in subset["addresses"].as_array().into_iter().flatten() {
            for port in subset["ports"].as_array().into_iter().flatten() {
                all.push(format!("{}:{}", text(&address["ip"]), number(&port["port"])));
            }
        }
    }
    let shown = match all.len() {
        0..=3 => all.join(","),
        more => format!("{} + {} more...", all[..3].join(","), more - 3),
    };
    vec![name(value), or_none(&shown), age(value, now)]
}

pub(super) const CLAIM: &[Column] = &[
    ("Name", "string", 0),
    ("Status", "string", 0),
    ("Volume", "string", 0),
    ("Capacity", "string", 0),
    ("Access Modes", "string", 0),
    ("StorageClass", "string", 0),
    ("VolumeAttributesClass", "string", 0),
    ("Age", "string", 0),
    ("VolumeMode", "string", 1),
];

fn modes(list: &Value) -> String {
    let short = |mode: &Value| match text(mode) {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    list.as_array().into_iter().flatten().map(short).collect::<Vec<_>>().join(",")
}

pub(super) fn claim(value: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&value["spec"], &value["status"]);
    let phase = if object::is_deleting(value) { "Terminating" } else { text(&status["phase"]) };
    let bound = !text(&spec["volumeName"]).is_empty();
    vec![
        name(value),
        json!(phase),
        json!(text(&spec["volumeName"])),
        json!(if bound { text(&status["capacity"]["storage"]) } else { "" }),
        json!(if bound { modes(&status["accessModes"]) } else { String::new() }),
        json!(text(&spec["storageClassName"])),
        json!("<unset>"),
        age(value, now),
        json!(text(&spec["volumeMode"])),
    ]
}

pub(super) const VOLUME: &[Column] = &[
    ("Name", "string", 0),
    ("Capacity", "string", 0),
    ("Access Modes", "string", 0),
    ("Reclaim Policy", "string", 0),
    ("Status", "string", 0),
    ("Claim", "string", 0),
    ("StorageClass", "string", 0),
    ("VolumeAttributesClass", "string", 0),
    ("Reason", "string", 0),
    ("Age", "string", 0),
    ("VolumeMode", "string", 1),
];

pub(super) fn volume(value: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&value["spec"], &value["status"]);
    let phase = if object::is_deleting(value) { "Terminating" } else { text(&status["phase"]) };
    let claim = &spec["claimRef"];
    let claimed = if claim.is_object() {
        format!("{}/{}", text(&claim["namespace"]), text(&claim["name"]))
    } else {
        String::new()
    };
    vec![
        name(value),
        json!(text(&spec["capacity"]["storage"])),
        json!(modes(&spec["accessModes"])),
        json!(text(&spec["persistentVolumeReclaimPolicy"])),
        json!(phase),
        json!(claimed),
        json!(text(&spec["storageClassName"])),
        json!("<unset>"),
        json!(text(&status["reason"])),
        age(value, now),
        json!(text(&spec["volumeMode"])),
    ]
}

pub(super) const EVENT: &[Column] = &[
    ("Last Seen", "string", 0),
    ("Type", "string", 0),
    ("Reason", "string", 0),
    ("Object", "string", 0),
    ("Subobject", "string", 1),
    ("Source", "string", 1),
    ("Message", "string", 0),
    ("First Seen", "string", 1),
    ("Count", "integer", 1),
    ("Name", "string", 1),
];

pub(super) fn event(value: &Value, now: Timestamp) -> Vec<Value> {
    let about = &value["involvedObject"];
    let kind = text(&about["kind"]).to_lowercase();
    let subject =
        if text(&about["name"]).is_empty() { kind } else { format!("{kind}/{}", text(&about["name"])) };
    let seen = |field: &str| {
        let time = if value[field].is_string() { &value[field] } else { &value["eventTime"] };
        json!(since(time, now))
    };
    let (component, host) = (text(&value["source"]["component"]), text(&value["source"]["host"]));
    let source = if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") };
    vec![
        seen("lastTimestamp"),
        json!(text(&value["type"])),
        json!(text(&value["reason"])),
        json!(subject),
        json!(text(&about["fieldPath"])),
        json!(source),
        json!(text(&value["message"]).trim()),
        seen("firstTimestamp"),
        json!(number(&value["count"]).max(1)),
        name(value),
    ]
}

fn size(map: &Value) -> usize {
    map.as_object().map_or(0, serde_json::Map::len)
}

pub(super) const CONFIG_MAP: &[Column] =
    &[("Name", "string", 0), ("Data", "integer", 0), ("Age", "string", 0)];

pub(super) fn config_map(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(value), json!(size(&value["data"]) + size(&value["binaryData"])), age(value, now)]
}

pub(super) const SECRET: &[Column] =
    &[("Name", "string", 0), ("Type", "string", 0), ("Data", "integer", 0), ("Age", "string", 0)];

pub(super) fn secret(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(value), json!(text(&value["type"])), json!(size(&value["data"])), age(value, now)]
}

pub(super) const NAMESPACE: &[Column] =
    &[("Name", "string", 0), ("Status", "string", 0), ("Age", "string", 0)];

pub(super) fn namespace(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(value), json!(text(&value["status"]["phase"])), age(value, now)]
}

pub(super) const STORAGE_CLASS: &[Column] = &[
    ("Name", "string", 0),
    ("Provisioner", "string", 0),
    ("ReclaimPolicy", "string", 0),
    ("VolumeBindingMode", "string", 0),
    ("AllowVolumeExpansion", "string", 0),
    ("Age", "string", 0),
];

pub(super) fn storage_class(value: &Value, now: Timestamp) -> Vec<Value> {
    let default = object::annotation(value, "storageclass.kubernetes.io/is-default-class") == Some("true");
    let shown =
        if default { format!("{} (default)", object::name(value)) } else { object::name(value).to_owned() };
    vec![
        json!(shown),
        json!(text(&value["provisioner"])),
        json!(text(&value["reclaimPolicy"])),
        json!(text(&value["volumeBindingMode"])),
        json!(value["allowVolumeExpansion"] == true),
        age(value, now),
    ]
}

pub(super) const SERVICE_ACCOUNT: &[Column] =
    &[("Name", "string", 0), ("Secrets", "string", 0), ("Age", "string", 0)];

pub(super) fn service_account(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(value), json!(value["secrets"].as_array().map_or(0, Vec::len)), age(value, now)]
}

pub(super) const LEASE: &[Column] = &[("Name", "string", 0), ("Holder", "string", 0), ("Age", "string", 0)];

pub(super) fn lease(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name(value), json!(text(&value["spec"]["holderIdentity"])), age(value, now)]
}

pub(super) const BINDING: &[Column] = &[("Name", "string", 0), ("Role", "string", 0), ("Age", "string", 0)];

pub(super) fn binding(value: &Value, now: Timestamp) -> Vec<Value> {
    let role = &value["roleRef"];
    vec![name(value), json!(format!("{}/{}", text(&role["kind"]), text(&role["name"]))), age(value, now)]
}

pub(super) const CREATED: &[Column] = &[("Name", "string", 0), ("Created At", "date", 0)];

pub(super) fn created(value: &Value, _: Timestamp) -> Vec<Value> {
    vec![name(value), value["metadata"]["creationTimestamp"].clone()]
}
