//! Defaults of pods and pod templates.

use serde_json::{Value, json};

use crate::object::{child, default, items_mut};

/// Defaults of a `PodSpec`.
pub(super) fn default_spec(spec: &mut Value) {
    default(spec, "restartPolicy", || json!("Always"));
    default(spec, "terminationGracePeriodSeconds", || json!(30));
    default(spec, "dnsPolicy", || json!("ClusterFirst"));
    default(spec, "schedulerName", || json!("default-scheduler"));
    default(spec, "securityContext", || json!({}));
    if let Some(account) = spec.get("serviceAccountName").filter(|name| name.is_string()).cloned() {
        default(spec, "serviceAccount", || account);
    } else if let Some(account) = spec.get("serviceAccount").filter(|name| name.is_string()).cloned() {
        default(spec, "serviceAccountName", || account);
    }
    let host_network = spec["hostNetwork"] == true;
    for field in ["containers", "initContainers"] {
        for container in items_mut(spec, &[field]) {
            self::container(container, host_network);
        }
    }
    for volume in items_mut(spec, &["volumes"]) {
        self::volume(volume);
    }
    for spread in items_mut(spec, &["topologySpreadConstraints"]) {
        default(spread, "whenUnsatisfiable", || json!("DoNotSchedule"));
    }
}

fn container(container: &mut Value, host_network: bool) {
    let image = container["image"].as_str().unwrap_or("").to_owned();
    default(container, "imagePullPolicy", || json!(pull_policy(&image)));
    default(container, "terminationMessagePath", || json!("/dev/termination-log"));
    default(container, "terminationMessagePolicy", || json!("File"));
    default(container, "resources", || json!({}));
    for port in items_mut(container, &["ports"]) {
        default(port, "protocol", || json!("TCP"));
        if host_network {
            let number = port["containerPort"].clone();
            default(port, "hostPort", || number);
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container[probe].is_object() {
            self::probe(&mut container[probe]);
        }
    }
    for hook in ["postStart", "preStop"] {
        if container["lifecycle"][hook]["httpGet"].is_object() {
            http_get(&mut container["lifecycle"][hook]["httpGet"]);
        }
    }
    for variable in items_mut(container, &["env"]) {
        if variable["valueFrom"]["fieldRef"].is_object() {
            default(&mut variable["valueFrom"]["fieldRef"], "apiVersion", || json!("v1"));
        }
    }
    requests_follow_limits(&mut container["resources"]);
}

/// A limit without a request is the request too.
fn requests_follow_limits(resources: &mut Value) {
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    let requests = child(resources, "requests");
    for (name, quantity) in limits {
        default(requests, &name, || quantity);
    }
}

fn probe(probe: &mut Value) {
    default(probe, "timeoutSeconds", || json!(1));
    default(probe, "periodSeconds", || json!(10));
    default(probe, "successThreshold", || json!(1));
    default(probe, "failureThreshold", || json!(3));
    if probe["httpGet"].is_object() {
        http_get(&mut probe["httpGet"]);
    }
    if probe["grpc"].is_object() {
        default(&mut probe["grpc"], "service", || json!(""));
    }
}

fn http_get(get: &mut Value) {
    default(get, "path", || json!("/"));
    default(get, "scheme", || json!("HTTP"));
}

/// `Always` for `latest` and for no tag at all, else `IfNotPresent`.
fn pull_policy(image: &str) -> &'static str {
    if image.contains('@') {
        return "IfNotPresent";
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

fn volume(volume: &mut Value) {
    for field in ["configMap", "secret", "downwardAPI", "projected"] {
        if volume[field].is_object() {
            default(&mut volume[field], "defaultMode", || json!(420));
        }
    }
    for item in items_mut(volume, &["downwardAPI", "items"]) {
        if item["fieldRef"].is_object() {
            default(&mut item["fieldRef"], "apiVersion", || json!("v1"));
        }
    }
    for source in items_mut(volume, &["projected", "sources"]) {
        if source["serviceAccountToken"].is_object() {
            default(&mut source["serviceAccountToken"], "expirationSeconds", || json!(3600));
        }
    }
    if volume["hostPath"].is_object() {
        default(&mut volume["hostPath"], "type", || json!(""));
    }
    // A volume without a source is an empty directory.
    if volume.as_object().is_some_and(|map| map.values().filter(|value| !value.is_null()).count() == 1) {
        volume["emptyDir"] = json!({});
    }
    if let Some(map) = volume.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
}

/// What only real pods get, not templates.
pub(super) fn first_status(pod: &mut Value) {
    let spec = child(pod, "spec");
    default(spec, "enableServiceLinks", || json!(true));
    default(spec, "preemptionPolicy", || json!("PreemptLowerPriority"));
    default(spec, "priority", || json!(0));
    default(spec, "serviceAccountName", || json!("default"));
    default(spec, "serviceAccount", || json!("default"));
    default(spec, "tolerations", || json!([]));
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        tolerate(spec, key);
    }
    let class = quality(spec);
    let status = child(pod, "status");
    default(status, "phase", || json!("Pending"));
    default(status, "qosClass", || json!(class));
}

fn tolerate(spec: &mut Value, key: &str) {
    let Some(list) = spec["tolerations"].as_array_mut() else { return };
    let covers = |toleration: &Value| {
        let about = toleration["key"].as_str().unwrap_or("");
        let effect = toleration["effect"].as_str().unwrap_or("");
        (about.is_empty() || about == key) && (effect.is_empty() || effect == "NoExecute")
    };
    if !list.iter().any(covers) {
        list.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
    }
}

/// The quality-of-service class.
fn quality(spec: &Value) -> &'static str {
    let containers = || {
        ["containers", "initContainers"].into_iter().flat_map(|f| spec[f].as_array().into_iter().flatten())
    };
    let set = |container: &Value, what: &str, name: &str| container["resources"][what].get(name).cloned();
    let any = containers().any(|container| {
        ["requests", "limits"].iter().any(|what| {
            container["resources"][what]
                .as_object()
                .is_some_and(|map| map.contains_key("cpu") || map.contains_key("memory"))
        })
    });
    let all = containers().all(|container| {
        ["cpu", "memory"].iter().all(|name| {
            let limit = set(container, "limits", name);
            limit.is_some() && limit == set(container, "requests", name)
        })
    });
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_untagged_and_latest_images_are_pulled_always() {
        for (image, policy) in [
            ("db", "Always"),
            ("reg:5000/db", "Always"),
            ("db:latest", "Always"),
            ("reg:5000/db:1", "IfNotPresent"),
            ("db@sha256:00", "IfNotPresent"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }

    #[test]
    fn equal_limits_and_requests_are_guaranteed() {
        let mut spec =
            json!({"containers": [{"image": "a", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]});
        default_spec(&mut spec);
        assert_eq!(quality(&spec), "Guaranteed");
        assert_eq!(quality(&json!({"containers": [{}]})), "BestEffort");
    }
}
