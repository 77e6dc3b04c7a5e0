//! What every cluster has before anybody installs anything: cluster DNS, the service of the API, a few roles.

use std::net::Ipv4Addr;

use cluster_api::{ApiError, Res, Store, kinds};
use serde_json::{Value, json};

use crate::system::COREDNS_IMAGE;

/// Makes them.
pub(crate) fn create(store: &Store, node: Ipv4Addr, api_port: u16) -> Result<(), ApiError> {
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        ensure(
            store,
            &kinds::NAMESPACES,
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        )?;
    }
    for (kind, object) in roles().into_iter().chain(dns(node)).chain([api_service(api_port)]) {
        ensure(store, &kind, object)?;
    }
    let [endpoints, slice] = api_endpoints(node, api_port);
    ensure(store, &kinds::ENDPOINTS, endpoints)?;
    ensure(store, &kinds::ENDPOINT_SLICES, slice)
}

fn ensure(store: &Store, kind: &Res, object: Value) -> Result<(), ApiError> {
    match store.create(kind, object) {
        Err(error) if !error.is_already_exists() => Err(error),
        _ => Ok(()),
    }
}

fn api_service(port: u16) -> (Res, Value) {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"type": "ClusterIP", "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}]}
    });
    (kinds::SERVICES, service)
}

fn api_endpoints(node: Ipv4Addr, port: u16) -> [Value; 2] {
    let metadata = json!({"name": "kubernetes", "namespace": "default",
        "labels": {"kubernetes.io/service-name": "kubernetes"}});
    [
        json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata,
            "subsets": [{"addresses": [{"ip": node}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}]}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
            "endpoints": [{"addresses": [node], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}),
    ]
}

fn roles() -> Vec<(Res, Value)> {
    let role = |name: &str, rules: Value| {
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}, "rules": rules});
        (kinds::CLUSTER_ROLES, role)
    };
    let binding = |name: &str, group: &str| {
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}]});
        (kinds::CLUSTER_ROLE_BINDINGS, binding)
    };
    let everything = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}]);
    let read = json!([{"apiGroups": ["", "apps", "batch", "discovery.k8s.io"], "resources": ["*"],
        "verbs": ["get", "list", "watch"]}]);
    let discovery = json!([{"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
        "/openapi/*", "/readyz", "/version", "/version/"], "verbs": ["get"]}]);
    vec![
        role("cluster-admin", everything),
        role("view", read),
        role("system:discovery", discovery),
        binding("cluster-admin", "system:masters"),
        binding("system:discovery", "system:authenticated"),
    ]
}

fn dns(node: Ipv4Addr) -> Vec<(Res, Value)> {
    let labels = json!({"k8s-app": "kube-dns"});
    let corefile = ".:53 {\n    errors\n    health\n    ready\n    kubernetes cluster.local in-addr.arpa ip6.arpa\n    \
        forward . /etc/resolv.conf\n    cache 30\n    loop\n    reload\n}\n";
    let probe = |path: &str, port: u16| json!({"httpGet": {"path": path, "port": port, "scheme": "HTTP"}});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": "kube-system", "labels": labels},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "serviceAccountName": "coredns", "dnsPolicy": "Default", "priorityClassName": "system-cluster-critical",
                "tolerations": [{"operator": "Exists"}],
                "containers": [{
                    "name": "coredns", "image": COREDNS_IMAGE, "imagePullPolicy": "IfNotPresent",
                    "args": ["-conf", "/etc/coredns/Corefile"],
                    "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"},
                        {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
                        {"name": "metrics", "containerPort": 9153, "protocol": "TCP"}],
                    "livenessProbe": probe("/health", 8080), "readinessProbe": probe("/ready", 8181),
                    "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": true}]
                }],
                "volumes": [{"name": "config-volume", "configMap": {"name": "coredns",
                    "items": [{"key": "Corefile", "path": "Corefile"}]}}]
            }}
        }
    });
    let _ = node;
    vec![
        (
            kinds::SERVICE_ACCOUNTS,
            json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "coredns", "namespace": "kube-system"}}),
        ),
        (
            kinds::CONFIG_MAPS,
            json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "coredns", "namespace": "kube-system"}, "data": {"Corefile": corefile}}),
        ),
        (
            kinds::SERVICES,
            json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": labels},
            "spec": {"selector": labels, "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53}]}}),
        ),
        (kinds::DEPLOYMENTS, deployment),
    ]
}
