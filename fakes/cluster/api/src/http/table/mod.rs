//! Tables, as `kubectl get` prints them.

mod age;
mod cluster;
mod jsonpath;
mod pods;
mod rest;
mod workloads;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::kind::KindInfo;
use crate::{kinds, object};

pub(super) use age::since;

/// A column: name, type, priority (0 is always shown).
type Column = (&'static str, &'static str, u8);

const AGE: Column = ("Age", "string", 0);
const NAME_AND_AGE: &[Column] = &[("Name", "string", 0), AGE];

/// How one kind is printed.
struct Printer {
    columns: &'static [Column],
    cells: fn(&Value, Timestamp) -> Vec<Value>,
}

fn printer(info: &KindInfo) -> Printer {
    let make = |columns, cells| Printer { columns, cells };
    match &info.res {
        res if *res == kinds::PODS => make(pods::COLUMNS, pods::cells),
        res if *res == kinds::DEPLOYMENTS => make(workloads::DEPLOYMENT, workloads::deployment),
        res if *res == kinds::REPLICA_SETS => make(workloads::REPLICA_SET, workloads::replica_set),
        res if *res == kinds::STATEFUL_SETS => make(workloads::STATEFUL_SET, workloads::stateful_set),
        res if *res == kinds::DAEMON_SETS => make(workloads::DAEMON_SET, workloads::daemon_set),
        res if *res == kinds::JOBS => make(workloads::JOB, workloads::job),
        res if *res == kinds::NODES => make(cluster::NODE, cluster::node),
        res if *res == kinds::SERVICES => make(cluster::SERVICE, cluster::service),
        res if *res == kinds::ENDPOINTS => make(cluster::ENDPOINTS, cluster::endpoints),
        res if *res == kinds::PERSISTENT_VOLUME_CLAIMS => make(cluster::CLAIM, cluster::claim),
        res if *res == kinds::PERSISTENT_VOLUMES => make(cluster::VOLUME, cluster::volume),
        res if *res == kinds::EVENTS => make(cluster::EVENT, cluster::event),
        res if *res == kinds::CONFIG_MAPS => make(cluster::CONFIG_MAP, cluster::config_map),
        res if *res == kinds::SECRETS => make(cluster::SECRET, cluster::secret),
        res if *res == kinds::NAMESPACES => make(cluster::NAMESPACE, cluster::namespace),
        res if *res == kinds::STORAGE_CLASSES => make(cluster::STORAGE_CLASS, cluster::storage_class),
        res if *res == kinds::SERVICE_ACCOUNTS => make(cluster::SERVICE_ACCOUNT, cluster::service_account),
        res if *res == kinds::LEASES => make(cluster::LEASE, cluster::lease),
        res if *res == kinds::ROLE_BINDINGS || *res == kinds::CLUSTER_ROLE_BINDINGS => {
            make(cluster::BINDING, cluster::binding)
        }
        res if [kinds::ROLES, kinds::CLUSTER_ROLES, kinds::CRDS].contains(res) => {
            make(cluster::CREATED, cluster::created)
        }
        res if *res == kinds::ENDPOINT_SLICES => make(rest::SLICE, rest::slice),
        res if *res == kinds::POD_DISRUPTION_BUDGETS => make(rest::BUDGET, rest::budget),
        res if *res == kinds::CRON_JOBS => make(rest::CRON_JOB, rest::cron_job),
        res if *res == kinds::INGRESSES => make(rest::INGRESS, rest::ingress),
        res if *res == kinds::PRIORITY_CLASSES => make(rest::PRIORITY, rest::priority),
        _ => make(NAME_AND_AGE, |value, now| vec![name(value), age(value, now)]),
    }
}

fn name(value: &Value) -> Value {
    json!(object::name(value))
}

fn age(value: &Value, now: Timestamp) -> Value {
    json!(since(&value["metadata"]["creationTimestamp"], now))
}

/// A text, or what kubectl prints for nothing.
fn or_none(text: &str) -> Value {
    if text.is_empty() { json!("<none>") } else { json!(text) }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// The columns of a custom resource's version.
fn custom_columns<'a>(info: &'a KindInfo, version: &str) -> &'a [Value] {
    info.served(version).map(|served| served.columns.as_slice()).unwrap_or_default()
}

/// One row's cells.
pub(super) fn cells(info: &KindInfo, version: &str, value: &Value, now: Timestamp) -> Vec<Value> {
    if !info.custom {
        return (printer(info).cells)(value, now);
    }
    let columns = custom_columns(info, version);
    let mut cells = vec![name(value)];
    if columns.is_empty() {
        cells.push(age(value, now));
    }
    cells.extend(columns.iter().map(|column| {
        let found = jsonpath::find(value, text(&column["jsonPath"]));
        match (text(&column["type"]), found) {
            (_, None) => Value::Null,
            ("date", Some(found)) => json!(since(&found, now)),
            (_, Some(found)) => found,
        }
    }));
    cells
}

/// A whole table.
pub(super) fn frame(info: &KindInfo, version: &str, rows: Vec<Value>, meta: &Value) -> Value {
    let definition = |name: &str, kind: &str, priority: &Value| {
        let format = if name == "Name" { "name" } else { "" };
        json!({"name": name, "type": kind, "format": format, "description": name, "priority": priority})
    };
    let columns: Vec<Value> = if info.custom {
        let custom = custom_columns(info, version);
        let mut columns = vec![definition("Name", "string", &json!(0))];
        if custom.is_empty() {
            columns.push(definition("Age", "date", &json!(0)));
        }
        columns.extend(custom.iter().map(|column| {
            let priority = if column["priority"].is_null() { json!(0) } else { column["priority"].clone() };
            definition(text(&column["name"]), text(&column["type"]), &priority)
        }));
        columns
    } else {
        printer(info)
            .columns
            .iter()
            .map(|(name, kind, priority)| definition(name, kind, &json!(priority)))
            .collect()
    };
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": columns, "rows": rows})
}
