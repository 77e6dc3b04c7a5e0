//! Writing objects through the API of a real cluster.

use std::sync::Arc;

use cluster_api::{Res, Subresource, kinds, object};
use kube::api::{Api, DeleteParams, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Error};
use serde_json::{Value, json};

use super::WorldError;

/// How often a change is tried where somebody else is faster each time.
const TRIES: usize = 5;
/// What the API answers then.
const CONFLICT: u16 = 409;

/// What is written and what is followed, by which version and under which name of its kind. A cause sees no other kind in a real cluster.
const KINDS: [(&Res, &str, &str); 26] = [
    (&kinds::NAMESPACES, "v1", "Namespace"),
    (&kinds::NODES, "v1", "Node"),
    (&kinds::PODS, "v1", "Pod"),
    (&kinds::EVENTS, "v1", "Event"),
    (&kinds::SECRETS, "v1", "Secret"),
    (&kinds::CONFIG_MAPS, "v1", "ConfigMap"),
    (&kinds::SERVICES, "v1", "Service"),
    (&kinds::ENDPOINT_SLICES, "v1", "EndpointSlice"),
    (&kinds::SERVICE_ACCOUNTS, "v1", "ServiceAccount"),
    (&kinds::PERSISTENT_VOLUME_CLAIMS, "v1", "PersistentVolumeClaim"),
    (&kinds::PERSISTENT_VOLUMES, "v1", "PersistentVolume"),
    (&kinds::DEPLOYMENTS, "v1", "Deployment"),
    (&kinds::STATEFUL_SETS, "v1", "StatefulSet"),
    (&kinds::REPLICA_SETS, "v1", "ReplicaSet"),
    (&kinds::JOBS, "v1", "Job"),
    (&kinds::STORAGE_CLASSES, "v1", "StorageClass"),
    (&kinds::ROLES, "v1", "Role"),
    (&kinds::ROLE_BINDINGS, "v1", "RoleBinding"),
    (&kinds::CLUSTER_ROLES, "v1", "ClusterRole"),
    (&kinds::CLUSTER_ROLE_BINDINGS, "v1", "ClusterRoleBinding"),
    (&kinds::HELM_RELEASES, "v2", "HelmRelease"),
    (&kinds::KUSTOMIZATIONS, "v1", "Kustomization"),
    (&kinds::OCI_REPOSITORIES, "v1", "OCIRepository"),
    (&kinds::GIT_REPOSITORIES, "v1", "GitRepository"),
    (&kinds::HELM_REPOSITORIES, "v1", "HelmRepository"),
    (&kinds::HELM_CHARTS, "v1", "HelmChart"),
];

/// An object, and what of it is written.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) res: &'a Res,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) part: Subresource,
}

pub(super) async fn create(client: &Client, res: &Res, mut object: Value) -> Result<Arc<Value>, WorldError> {
    let kind = kind(res)?;
    object["apiVersion"] = json!(kind.api_version);
    object["kind"] = json!(kind.kind);
    let api = api(client, &kind, object::namespace(&object));
    let object: DynamicObject = serde_json::from_value(object)?;
    given(&api.create(&PostParams::default(), &object).await?)
}

/// Asks for the object, changes it and writes it, all again while somebody else is faster.
pub(super) async fn modify(
    client: &Client,
    place: Place<'_>,
    change: &mut impl FnMut(&mut Value),
) -> Result<Arc<Value>, WorldError> {
    let api = api(client, &kind(place.res)?, place.namespace);
    for _ in 0..TRIES {
        let mut object = serde_json::to_value(api.get(place.name).await?)?;
        change(&mut object);
        let object: DynamicObject = serde_json::from_value(object)?;
        let options = PostParams::default();
        let written = match place.part {
            Subresource::Main => api.replace(place.name, &options, &object).await,
            Subresource::Status => api.replace_status(place.name, &options, &object).await,
        };
        match written {
            Err(Error::Api(refusal)) if refusal.code == CONFLICT => {}
            written => return given(&written?),
        }
    }
    Err(format!("{} {} was changed by others all the time", place.res, place.name).into())
}

pub(super) async fn delete(
    client: &Client,
    res: &Res,
    namespace: &str,
    name: &str,
) -> Result<(), WorldError> {
    api(client, &kind(res)?, namespace).delete(name, &DeleteParams::background()).await?;
    Ok(())
}

/// The resource that is watched and written; nothing where nobody writes it.
pub(in crate::world) fn resource_of(res: &Res) -> Option<ApiResource> {
    kind(res).ok()
}

/// The resources that anybody looks at.
pub(in crate::world) fn followed() -> impl Iterator<Item = &'static Res> {
    KINDS.iter().map(|(res, ..)| *res)
}

fn kind(res: &Res) -> Result<ApiResource, WorldError> {
    let known = KINDS.iter().find(|(known, ..)| *known == res);
    let (_, version, kind) = known.ok_or_else(|| format!("nobody writes {res} in a real cluster"))?;
    let kind = GroupVersionKind::gvk(&res.group, version, kind);
    Ok(ApiResource::from_gvk_with_plural(&kind, &res.plural))
}

fn api(client: &Client, kind: &ApiResource, namespace: &str) -> Api<DynamicObject> {
    match namespace {
        "" => Api::all_with(client.clone(), kind),
        namespace => Api::namespaced_with(client.clone(), namespace, kind),
    }
}

fn given(object: &DynamicObject) -> Result<Arc<Value>, WorldError> {
    Ok(Arc::new(serde_json::to_value(object)?))
}

#[cfg(test)]
mod tests {
    use fake_cluster::{Cluster, ClusterConfig, FieldRuntime, Options, Programs};
    use kube::Config;
    use kube::config::{KubeConfigOptions, Kubeconfig};

    use cluster_api::Store;

    use super::*;
    use crate::world::objects::Objects;

    async fn client(cluster: &Cluster) -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let kubeconfig = Kubeconfig::from_yaml(&cluster.kubeconfig()).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        Client::try_from(config).unwrap()
    }

    #[test]
    fn objects_are_written_through_the_api_as_they_are_in_the_store_itself() {
        let runtime = FieldRuntime::start(Options::default()).unwrap();
        let config = ClusterConfig::new(runtime.clock()).unwrap();
        runtime.block_on(async {
            let cluster = Cluster::start_with(config, Programs::new()).await.unwrap();
            let store = cluster.store();
            let objects = Objects::real(store.clone(), client(&cluster).await);
            let map = json!({"metadata": {"name": "a", "namespace": "default", "labels": null}, "data": {"x": "1"}});
            let created = objects.create(&kinds::CONFIG_MAPS, map).await.unwrap();
            assert_eq!(created["kind"], "ConfigMap");
            let mut asked = 0;
            let change = |map: &mut Value| {
                asked += 1;
                if asked == 1 {
                    // Somebody else is faster.
                    store.modify(&kinds::CONFIG_MAPS, "default", "a", |it| it["data"]["x"] = json!("2")).unwrap();
                }
                map["data"]["y"] = json!("3");
            };
            let changed = objects.modify(&kinds::CONFIG_MAPS, "default", "a", change).await.unwrap();
            assert_eq!((asked, &changed["data"]), (2, &json!({"x": "2", "y": "3"})));
            let node = store.list(&kinds::NODES, None).remove(0);
            let name = object::name(&node);
            let change = |node: &mut Value| node["status"]["phase"] = json!("Pending");
            let changed = objects.modify_status(&kinds::NODES, "", name, change).await.unwrap();
            assert_eq!(changed["status"]["phase"], "Pending");
            let unseen = Objects::real(Store::new(runtime.clock().clone()), client(&cluster).await);
            let map = json!({"metadata": {"name": "a", "namespace": "default"}, "data": {"x": "9"}});
            let put = unseen.put(&kinds::CONFIG_MAPS, map.clone(), |map| map["data"]["x"] = json!("9")).await.unwrap();
            assert_eq!(put["data"], json!({"x": "9", "y": "3"}), "what is there is changed, though it was not seen");
            objects.delete(&kinds::CONFIG_MAPS, "default", "a").await.unwrap();
            unseen.remove(&kinds::CONFIG_MAPS, "default", "a").await.unwrap();
            let put = unseen.put(&kinds::CONFIG_MAPS, map, |_| {}).await.unwrap();
            assert_eq!(put["data"], json!({"x": "9"}));
            objects.delete(&kinds::CONFIG_MAPS, "default", "a").await.unwrap();
            assert!(objects.get(&kinds::CONFIG_MAPS, "default", "a").is_none());
            assert!(objects.delete(&kinds::CONFIG_MAPS, "default", "a").await.is_err());
            assert!(objects.delete(&kinds::LEASES, "default", "a").await.unwrap_err().to_string().contains("leases"));
            cluster.stop().await;
        });
    }
}
