//! What the API adds to objects and what it refuses.

mod check;
mod containers;
mod names;
mod pods;
mod workloads;

use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) use check::{check_create, check_update};

use crate::kind::KindInfo;
use crate::object::{self, child, default, items_mut};
use crate::{crd, kinds};

/// Drops empty lists and maps of the metadata, as the real one omits them.
pub(crate) fn tidy_metadata(meta: &mut Value) {
    let Some(meta) = meta.as_object_mut() else { return };
    meta.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    });
}

/// Defaults of a new object, and its first status.
pub(crate) fn default_create(info: &KindInfo, value: &mut Value, now: Timestamp) {
    default_spec(info, value);
    if info.res == kinds::PODS {
        pods::first_status(value);
    } else if info.res == kinds::NAMESPACES {
        let name = object::name(value).to_owned();
        object::set_label(value, "kubernetes.io/metadata.name", &name);
        child(value, "spec")["finalizers"] = json!(["kubernetes"]);
        default(child(value, "status"), "phase", || json!("Active"));
    } else if info.res == kinds::PERSISTENT_VOLUME_CLAIMS || info.res == kinds::PERSISTENT_VOLUMES {
        default(child(value, "status"), "phase", || json!("Pending"));
    } else if info.res == kinds::JOBS {
        workloads::claim_job(value);
    } else if info.res == kinds::CRDS {
        crd::establish(value, now);
    } else if info.res == kinds::SERVICES {
        default(value, "status", || json!({"loadBalancer": {}}));
    } else if [kinds::DEPLOYMENTS, kinds::STATEFUL_SETS, kinds::REPLICA_SETS, kinds::DAEMON_SETS]
        .contains(&info.res)
    {
        default(value, "status", || json!({}));
    }
}

/// Defaults of a changed object.
pub(crate) fn default_update(info: &KindInfo, old: &Value, value: &mut Value) {
    if info.res == kinds::SERVICES {
        keep_allocated(old, value);
    }
    default_spec(info, value);
    if info.res == kinds::CRDS && old["spec"] != value["spec"] {
        crd::establish(value, Timestamp::UNIX_EPOCH);
        if let Some(conditions) = old["status"].get("conditions") {
            value["status"]["conditions"] = conditions.clone();
        }
    }
}

fn default_spec(info: &KindInfo, value: &mut Value) {
    let res = &info.res;
    if *res == kinds::PODS {
        pods::default_spec(child(value, "spec"));
    } else if *res == kinds::DEPLOYMENTS {
        workloads::deployment(value);
    } else if *res == kinds::REPLICA_SETS {
        workloads::replica_set(value);
    } else if *res == kinds::STATEFUL_SETS {
        workloads::stateful_set(value);
    } else if *res == kinds::DAEMON_SETS {
        workloads::daemon_set(value);
    } else if *res == kinds::JOBS {
        workloads::job(value);
    } else if *res == kinds::CRON_JOBS {
        workloads::cron_job(value);
    } else if *res == kinds::SERVICES {
        service(value);
    } else if *res == kinds::PERSISTENT_VOLUME_CLAIMS {
        default(child(value, "spec"), "volumeMode", || json!("Filesystem"));
    } else if *res == kinds::PERSISTENT_VOLUMES {
        let spec = child(value, "spec");
        default(spec, "volumeMode", || json!("Filesystem"));
        default(spec, "persistentVolumeReclaimPolicy", || json!("Retain"));
    } else if *res == kinds::STORAGE_CLASSES {
        default(value, "reclaimPolicy", || json!("Delete"));
        default(value, "volumeBindingMode", || json!("Immediate"));
    } else if *res == kinds::SECRETS {
        secret(value);
    } else if *res == kinds::ROLE_BINDINGS || *res == kinds::CLUSTER_ROLE_BINDINGS {
        role_binding(value);
    } else if *res == kinds::CRDS {
        crd::default_spec(value);
    } else if info.custom
        && let Some(schema) = info.served(&info.version).and_then(|served| served.schema.as_deref())
    {
        crate::schema::admit(value, schema);
    }
}

/// `stringData` becomes `data`; the type defaults to `Opaque`.
fn secret(value: &mut Value) {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    if let Some(Value::Object(plain)) = value.as_object_mut().and_then(|map| map.shift_remove("stringData")) {
        let data = child(value, "data");
        for (key, text) in plain {
            data[key.as_str()] = json!(STANDARD.encode(text.as_str().unwrap_or("")));
        }
    }
    default(value, "type", || json!("Opaque"));
}

fn role_binding(value: &mut Value) {
    default(child(value, "roleRef"), "apiGroup", || json!("rbac.authorization.k8s.io"));
    for subject in items_mut(value, &["subjects"]) {
        if subject["kind"] != "ServiceAccount" {
            default(subject, "apiGroup", || json!("rbac.authorization.k8s.io"));
        }
    }
}

fn service(value: &mut Value) {
    let spec = child(value, "spec");
    default(spec, "type", || json!("ClusterIP"));
    default(spec, "sessionAffinity", || json!("None"));
    let kind = spec["type"].as_str().unwrap_or("").to_owned();
    if kind != "ExternalName" {
        default(spec, "internalTrafficPolicy", || json!("Cluster"));
        default(spec, "ipFamilies", || json!(["IPv4"]));
        default(spec, "ipFamilyPolicy", || json!("SingleStack"));
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        default(spec, "externalTrafficPolicy", || json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        default(spec, "allocateLoadBalancerNodePorts", || json!(true));
    }
    for port in items_mut(spec, &["ports"]) {
        default(port, "protocol", || json!("TCP"));
        let number = port["port"].clone();
        default(port, "targetPort", || number);
    }
}

/// A service keeps the address and node ports it was given when an update leaves them out.
fn keep_allocated(old: &Value, value: &mut Value) {
    if value["spec"]["type"] == "ExternalName" {
        return;
    }
    let spec = child(value, "spec");
    for field in ["clusterIP", "clusterIPs"] {
        if let Some(known) = old["spec"].get(field) {
            default(spec, field, || known.clone());
        }
    }
    let before = old["spec"]["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    for port in items_mut(spec, &["ports"]) {
        let same = before.iter().find(|known| known["port"] == port["port"] && known["name"] == port["name"]);
        if let Some(known) = same.and_then(|known| known.get("nodePort")) {
            default(port, "nodePort", || known.clone());
        }
    }
}
