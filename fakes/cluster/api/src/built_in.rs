//! The kinds every cluster has, and the objects a fresh API server makes.

use serde_json::{Value, json};

use crate::Res;
use crate::kind::{Generation, KindInfo, Scope};

const SPEC: u8 = 1;
const STATUS: u8 = 2;
const SCALE: u8 = 4;
const ALL: u8 = 8;
const CLUSTER: u8 = 16;

type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], u8);

const ROWS: &[Row] = &[
    ("", "v1", "pods", "Pod", &["po"], SPEC | STATUS | ALL),
    ("", "v1", "nodes", "Node", &["no"], STATUS | CLUSTER),
    ("", "v1", "services", "Service", &["svc"], STATUS | ALL),
    ("", "v1", "endpoints", "Endpoints", &["ep"], 0),
    ("", "v1", "configmaps", "ConfigMap", &["cm"], 0),
    ("", "v1", "secrets", "Secret", &[], 0),
    ("", "v1", "serviceaccounts", "ServiceAccount", &["sa"], 0),
    ("", "v1", "namespaces", "Namespace", &["ns"], STATUS | CLUSTER),
    ("", "v1", "events", "Event", &["ev"], 0),
    ("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", &["pvc"], STATUS),
    ("", "v1", "persistentvolumes", "PersistentVolume", &["pv"], STATUS | CLUSTER),
    ("", "v1", "limitranges", "LimitRange", &["limits"], 0),
    ("", "v1", "resourcequotas", "ResourceQuota", &["quota"], STATUS),
    ("", "v1", "podtemplates", "PodTemplate", &[], SPEC),
    ("", "v1", "replicationcontrollers", "ReplicationController", &["rc"], SPEC | STATUS | SCALE | ALL),
    ("apps", "v1", "deployments", "Deployment", &["deploy"], SPEC | STATUS | SCALE | ALL),
    ("apps", "v1", "replicasets", "ReplicaSet", &["rs"], SPEC | STATUS | SCALE | ALL),
    ("apps", "v1", "statefulsets", "StatefulSet", &["sts"], SPEC | STATUS | SCALE | ALL),
    ("apps", "v1", "daemonsets", "DaemonSet", &["ds"], SPEC | STATUS | ALL),
    ("apps", "v1", "controllerrevisions", "ControllerRevision", &[], 0),
    ("batch", "v1", "jobs", "Job", &[], SPEC | STATUS | ALL),
    ("batch", "v1", "cronjobs", "CronJob", &["cj"], SPEC | STATUS | ALL),
    ("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", &[], SPEC),
    ("storage.k8s.io", "v1", "storageclasses", "StorageClass", &["sc"], CLUSTER),
    ("coordination.k8s.io", "v1", "leases", "Lease", &[], 0),
    ("rbac.authorization.k8s.io", "v1", "roles", "Role", &[], 0),
    ("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", &[], 0),
    ("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", &[], CLUSTER),
    ("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", &[], CLUSTER),
    ("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", &["netpol"], SPEC),
    ("networking.k8s.io", "v1", "ingresses", "Ingress", &["ing"], SPEC | STATUS),
    ("networking.k8s.io", "v1", "ingressclasses", "IngressClass", &[], SPEC | CLUSTER),
    ("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", &["pdb"], SPEC | STATUS),
    ("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", &["hpa"], STATUS | ALL),
    ("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", &["pc"], SPEC | CLUSTER),
    (
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        &[],
        SPEC | CLUSTER,
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        &[],
        SPEC | CLUSTER,
    ),
    (
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        &["crd", "crds"],
        SPEC | STATUS | CLUSTER,
    ),
];

/// The built-in kinds.
pub(crate) fn kinds() -> impl Iterator<Item = KindInfo> {
    ROWS.iter().map(|(group, version, plural, kind, short, traits)| {
        let has = |what: u8| traits & what != 0;
        let scope = if has(CLUSTER) { Scope::Cluster } else { Scope::Namespaced };
        let mut info = KindInfo::new(Res::new(group, plural), version, kind, scope);
        info.short_names = short.iter().map(|s| (*s).to_owned()).collect();
        info.categories = if has(ALL) { vec!["all".to_owned()] } else { Vec::new() };
        info.status = has(STATUS);
        info.generation = if has(SPEC) { Generation::Spec } else { Generation::None };
        info.scale = has(SCALE).then(|| {
            [".spec.replicas".to_owned(), ".status.replicas".to_owned(), ".status.selector".to_owned()]
        });
        info
    })
}

/// Objects that an API server makes before it serves: namespaces, default roles and their bindings.
pub(crate) fn objects() -> Vec<(Res, Value)> {
    let mut objects = Vec::new();
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        objects.push((crate::kinds::NAMESPACES, json!({"metadata": {"name": name}})));
    }
    for (name, value) in [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)]
    {
        let class =
            json!({"metadata": {"name": name}, "value": value, "preemptionPolicy": "PreemptLowerPriority"});
        objects.push((crate::kinds::PRIORITY_CLASSES, class));
    }
    let everything = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]}]);
    let discovery = json!([{"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
        "/openapi/*", "/readyz", "/version", "/version/"], "verbs": ["get"]}]);
    let basic = json!([{"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews",
        "selfsubjectrulesreviews"], "verbs": ["create"]}]);
    let view = json!([{"apiGroups": ["", "apps", "batch", "discovery.k8s.io", "networking.k8s.io", "policy"],
        "resources": ["configmaps", "endpoints", "persistentvolumeclaims", "pods", "pods/log", "pods/status", "services",
        "serviceaccounts", "events", "namespaces", "deployments", "replicasets", "statefulsets", "daemonsets", "jobs",
        "cronjobs", "endpointslices", "ingresses", "networkpolicies", "poddisruptionbudgets"],
        "verbs": ["get", "list", "watch"]}]);
    let edit = json!([{"apiGroups": ["", "apps", "batch", "networking.k8s.io", "policy"], "resources": ["*"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]}]);
    for (name, rules) in [
        ("cluster-admin", everything),
        ("system:discovery", discovery),
        ("system:basic-user", basic),
        ("view", view),
        ("edit", edit.clone()),
        ("admin", edit),
    ] {
        objects.push((
            crate::kinds::CLUSTER_ROLES,
            json!({"metadata": {"name": name, "labels": labels()}, "rules": rules}),
        ));
    }
    for (name, group) in [
        ("cluster-admin", "system:masters"),
        ("system:discovery", "system:authenticated"),
        ("system:basic-user", "system:authenticated"),
    ] {
        objects.push((
            crate::kinds::CLUSTER_ROLE_BINDINGS,
            json!({
                "metadata": {"name": name, "labels": labels()},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
            }),
        ));
    }
    objects
}

fn labels() -> Value {
    json!({"kubernetes.io/bootstrapping": "rbac-defaults"})
}
