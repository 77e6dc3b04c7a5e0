//! The provisioner of local volumes.

use cluster_api::kinds::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES};
use cluster_api::object;
use serde_json::json;

use crate::world::{in_world, pod};

#[test]
fn a_claim_gets_its_volume_once_a_pod_wants_it() {
    in_world(|w| async move {
        w.pod("provisioner", "test/local-path-provisioner:1", json!({}));
        w.create(json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "local-path"},
            "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer", "reclaimPolicy": "Retain"}));
        w.create(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "local-path", "resources": {"requests": {"storage": "1Gi"}}}}));
        w.seconds(10).await;
        assert!(w.store.list(&PERSISTENT_VOLUMES, None).is_empty());
        let spec = json!({"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]});
        w.create(pod(
            "db",
            "test/sleep:1",
            json!({"volumeMounts": [{"name": "d", "mountPath": "/data"}]}),
            spec,
        ));
        w.until_event(8, "data", "ProvisioningSucceeded ×1: Successfully provisioned volume pvc-").await;
        let volumes = w.store.list(&PERSISTENT_VOLUMES, None);
        let claim = w.store.get(&PERSISTENT_VOLUME_CLAIMS, "default", "data").unwrap();
        assert_eq!(object::name(&volumes[0]), format!("pvc-{}", object::uid(&claim)));
        assert_eq!(volumes[0]["spec"]["persistentVolumeReclaimPolicy"], "Retain");
        assert!(w.has_event(
            "data",
            "Provisioning ×1: External provisioner is provisioning volume for claim \"default/data\""
        ));
        assert!(w.node.host_path(volumes[0]["spec"]["hostPath"]["path"].as_str().unwrap()).is_dir());
        let name = object::name(&volumes[0]).to_owned();
        w.store
            .modify(&PERSISTENT_VOLUME_CLAIMS, "default", "data", |claim| {
                claim["spec"]["volumeName"] = json!(name);
                claim["status"]["phase"] = json!("Bound");
            })
            .unwrap();
        w.until_phase(4, "db", "Running").await;
    });
}
