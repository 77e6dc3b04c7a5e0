//! What others have in the same cluster, and an earlier install left behind.

use serde_json::{Value, json};

use super::KUSTOMIZATIONS;
use super::site::Site;

const NAMESPACE: &str = "monitoring";
const VOLUME: &str = "pvc-neighbour";
const LEFT_BEHIND: &str = "pvc-of-an-earlier-install";
const CLAIM: &str = "/api/v1/namespaces/monitoring/persistentvolumeclaims/data";

/// What others have in the same cluster.
pub(super) struct Neighbours;

impl Neighbours {
    /// A namespace with a claim, its volume and a file in it, and a Kustomization; and a volume that an earlier install of
    /// the appliance left.
    pub(super) async fn move_in(site: &Site<'_>) -> Self {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } });
        site.api.create("/api/v1/namespaces", &namespace).await;
        directory(site, VOLUME);
        directory(site, LEFT_BEHIND);
        let claim = json!({ "namespace": NAMESPACE, "name": "data" });
        site.api.create("/api/v1/persistentvolumes", &volume(VOLUME, &claim)).await;
        let earlier =
            json!({ "namespace": "msp", "name": "old-data", "uid": "8d1cf1e4-0c1f-4b8e-9d52-6a3a0d7c9b11" });
        site.api.create("/api/v1/persistentvolumes", &volume(LEFT_BEHIND, &earlier)).await;
        let claims = format!("/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims");
        site.api.create(&claims, &own_claim()).await;
        site.api.create(KUSTOMIZATIONS, &kustomization()).await;
        site.until("bound claim of the neighbour", async || {
            (site.api.get(CLAIM).await["status"]["phase"] == "Bound").then_some(())
        })
        .await;
        Self
    }

    /// The name of the directory of their volume.
    pub(super) fn volume(&self) -> String {
        VOLUME.to_owned()
    }

    /// Nothing of theirs was touched.
    pub(super) async fn are_well(&self, site: &Site<'_>) {
        let claim = site.api.get(CLAIM).await;
        assert_eq!(claim["status"]["phase"], "Bound", "{claim:#}");
        let volume = site.api.get(&format!("/api/v1/persistentvolumes/{VOLUME}")).await;
        assert_eq!(volume["spec"]["persistentVolumeReclaimPolicy"], "Retain", "{volume:#}");
        let text = std::fs::read_to_string(site.volumes().join(VOLUME).join("diary")).expect("their file");
        assert_eq!(text, "dear diary\n");
        let kustomization = site.api.get(&format!("{KUSTOMIZATIONS}/{NAMESPACE}")).await;
        assert_eq!(kustomization["spec"]["prune"], true, "{kustomization:#}");
        assert!(kustomization["metadata"]["deletionTimestamp"].is_null(), "{kustomization:#}");
    }

    /// Their Kustomization, which has no source, goes: a status page tells of it.
    pub(super) async fn stop_reconciling(&self, site: &Site<'_>) {
        site.api.delete(&format!("{KUSTOMIZATIONS}/{NAMESPACE}")).await;
    }
}

fn directory(site: &Site<'_>, name: &str) {
    let folder = site.volumes().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("diary"), "dear diary\n").expect("a file");
}

/// A volume as the provisioner makes them.
fn volume(name: &str, claim: &Value) -> Value {
    let mut claim = claim.clone();
    claim["apiVersion"] = json!("v1");
    claim["kind"] = json!("PersistentVolumeClaim");
    let annotations = json!({
        "local.path.provisioner/selected-node": "appliance",
        "pv.kubernetes.io/provisioned-by": "rancher.io/local-path",
    });
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": { "name": name, "annotations": annotations },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": { "storage": "1Gi" },
            "claimRef": claim,
            "hostPath": { "path": format!("/var/local-path-provisioner/{name}"), "type": "DirectoryOrCreate" },
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "local-path",
        },
    })
}

fn own_claim() -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": { "name": "data", "namespace": NAMESPACE },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "1Gi" } },
            "storageClassName": "local-path",
            "volumeName": VOLUME,
        },
    })
}

fn kustomization() -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": { "name": NAMESPACE, "namespace": "flux-system" },
        "spec": {
            "interval": "5m", "path": "./", "prune": true,
            "sourceRef": { "kind": "OCIRepository", "name": NAMESPACE },
        },
    })
}
