//! Kinds that are kept and do little, as kubectl prints them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Column, age, name, number, or_none, since, text};

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(super) const SLICE: &[Column] = &[
    ("Name", "string", 0),
    ("AddressType", "string", 0),
    ("Ports", "string", 0),
    ("Endpoints", "string", 0),
    ("Age", "string", 0),
];

/// The first three, and how many more there are.
fn first_three(all: &[String]) -> String {
    match all {
        [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a},{b},{c} + {} more...", rest.len()),
        few => few.join(","),
    }
}

fn or_unset(text: String) -> Value {
    if text.is_empty() { json!("<unset>") } else { json!(text) }
}

pub(super) fn slice(value: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> = list(&value["ports"]).iter().map(|port| port["port"].to_string()).collect();
    let addresses: Vec<String> = list(&value["endpoints"])
        .iter()
        .flat_map(|endpoint| list(&endpoint["addresses"]))
        .map(|address| text(address).to_owned())
        .collect();
    vec![
        name(value),
        json!(text(&value["addressType"])),
        or_unset(first_three(&ports)),
        or_unset(first_three(&addresses)),
        age(value, now),
    ]
}

pub(super) const BUDGET: &[Column] = &[
    ("Name", "string", 0),
    ("Min Available", "string", 0),
    ("Max Unavailable", "string", 0),
    ("Allowed Disruptions", "integer", 0),
    ("Age", "string", 0),
];

fn amount(value: &Value) -> Value {
    match value {
        Value::Null => json!("N/A"),
        Value::String(text) => json!(text),
        other => json!(other.to_string()),
    }
}

pub(super) fn budget(value: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &value["spec"];
    vec![
        name(value),
        amount(&spec["minAvailable"]),
        amount(&spec["maxUnavailable"]),
        json!(number(&value["status"]["disruptionsAllowed"])),
        age(value, now),
    ]
}

pub(super) const CRON_JOB: &[Column] = &[
    ("Name", "string", 0),
    ("Schedule", "string", 0),
    ("Timezone", "string", 0),
    ("Suspend", "boolean", 0),
    ("Active", "integer", 0),
    ("Last Schedule", "string", 0),
    ("Age", "string", 0),
    ("Containers", "string", 1),
    ("Images", "string", 1),
    ("Selector", "string", 1),
];

pub(super) fn cron_job(value: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&value["spec"], &value["status"]);
    let containers = list(&spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]);
    let all = |field: &str| {
        json!(containers.iter().map(|container| text(&container[field])).collect::<Vec<_>>().join(","))
    };
    let last = &status["lastScheduleTime"];
    let suspended = spec["suspend"] == true;
    vec![
        name(value),
        json!(text(&spec["schedule"])),
        or_none(text(&spec["timeZone"])),
        json!(if suspended { "True" } else { "False" }),
        json!(list(&status["active"]).len()),
        if last.is_string() { json!(since(last, now)) } else { json!("<none>") },
        age(value, now),
        all("name"),
        all("image"),
        json!("<none>"),
    ]
}

pub(super) const INGRESS: &[Column] = &[
    ("Name", "string", 0),
    ("Class", "string", 0),
    ("Hosts", "string", 0),
    ("Address", "string", 0),
    ("Ports", "string", 0),
    ("Age", "string", 0),
];

pub(super) fn ingress(value: &Value, now: Timestamp) -> Vec<Value> {
    let spec = &value["spec"];
    let hosts: Vec<String> = list(&spec["rules"])
        .iter()
        .map(|rule| text(&rule["host"]).to_owned())
        .filter(|host| !host.is_empty())
        .collect();
    let ports = if list(&spec["tls"]).is_empty() { "80" } else { "80, 443" };
    vec![
        name(value),
        or_none(text(&spec["ingressClassName"])),
        if hosts.is_empty() { json!("*") } else { json!(first_three(&hosts)) },
        json!(""),
        json!(ports),
        age(value, now),
    ]
}

pub(super) const PRIORITY: &[Column] = &[
    ("Name", "string", 0),
    ("Value", "integer", 0),
    ("Global-Default", "boolean", 0),
    ("Age", "string", 0),
    ("PreemptionPolicy", "string", 0),
];

pub(super) fn priority(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        name(value),
        json!(number(&value["value"])),
        json!(value["globalDefault"] == true),
        age(value, now),
        json!(text(&value["preemptionPolicy"])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_show_three_addresses_and_count_the_rest() {
        let addresses = json!(["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]);
        let slice = json!({"metadata": {"name": "s"}, "addressType": "IPv4", "ports": [], "endpoints": [{"addresses": addresses}]});
        let cells = self::slice(&slice, Timestamp::UNIX_EPOCH);
        assert_eq!(
            cells[..4],
            [json!("s"), json!("IPv4"), json!("<unset>"), json!("127.0.0.1,127.0.0.2,127.0.0.3 + 1 more...")]
        );
    }

    #[test]
    fn a_budget_shows_what_it_does_not_say_as_not_applicable() {
        let cells =
            budget(&json!({"metadata": {"name": "b"}, "spec": {"minAvailable": 1}}), Timestamp::UNIX_EPOCH);
        assert_eq!(cells[..4], [json!("b"), json!("1"), json!("N/A"), json!(0)]);
    }
}
