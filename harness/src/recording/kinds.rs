//! Where the collections are that recordings watch, and where an object of a manifest goes.

/// The path of a collection: `namespace` is left out for the whole cluster.
pub(crate) fn watched(kind: &str, namespace: Option<&str>) -> Option<String> {
    Some(match kind {
        "clusterevents" => "/api/v1/namespaces/default/events".to_owned(),
        "leases" => "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases".to_owned(),
        "nodes" => "/api/v1/nodes".to_owned(),
        "persistentvolumes" => "/api/v1/persistentvolumes".to_owned(),
        "storageclasses" => "/apis/storage.k8s.io/v1/storageclasses".to_owned(),
        _ => {
            let group = group(kind)?;
            match namespace {
                Some(namespace) => format!("{group}/namespaces/{namespace}/{kind}"),
                None => format!("{group}/{kind}"),
            }
        }
    })
}

fn group(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "pods"
        | "events"
        | "services"
        | "configmaps"
        | "secrets"
        | "persistentvolumeclaims"
        | "endpoints"
        | "serviceaccounts"
        | "replicationcontrollers" => "/api/v1",
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" | "controllerrevisions" => {
            "/apis/apps/v1"
        }
        "jobs" | "cronjobs" => "/apis/batch/v1",
        "endpointslices" => "/apis/discovery.k8s.io/v1",
        "ingresses" | "networkpolicies" => "/apis/networking.k8s.io/v1",
        "poddisruptionbudgets" => "/apis/policy/v1",
        "ocirepositories" | "helmrepositories" | "helmcharts" | "gitrepositories" | "buckets" => {
            "/apis/source.toolkit.fluxcd.io/v1"
        }
        "kustomizations" => "/apis/kustomize.toolkit.fluxcd.io/v1",
        "helmreleases" => "/apis/helm.toolkit.fluxcd.io/v2",
        _ => return None,
    })
}
