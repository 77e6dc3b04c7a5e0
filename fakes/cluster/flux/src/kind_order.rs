//! The order in which kinds are made: what others need comes first.

use serde_json::Value;

const ORDER: [&str; 36] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "Endpoints",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// The place of a kind; unknown ones come after all others.
pub(crate) fn place(object: &Value) -> usize {
    ORDER.iter().position(|kind| object["kind"] == *kind).unwrap_or(ORDER.len())
}

/// Whether others cannot even be named before this exists.
pub(crate) fn is_definition(object: &Value) -> bool {
    matches!(object["kind"].as_str(), Some("CustomResourceDefinition" | "Namespace" | "ClusterRole"))
}
