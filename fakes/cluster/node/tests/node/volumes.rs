//! Volumes and parts of them.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::world::{World, in_world, pod};

fn mount(part: &str) -> Value {
    json!({"volumeMounts": [{"name": "db-data", "mountPath": "/var/lib/postgresql/data", "subPath": part}]})
}

fn volumes() -> Value {
    json!({"volumes": [{"name": "db-data", "persistentVolumeClaim": {"claimName": "data"}}]})
}

/// A claim that is bound to a directory of the node.
fn bound_claim(w: &World) -> std::path::PathBuf {
    w.create(json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/var/local/pv", "type": "DirectoryOrCreate"}}}));
    w.create(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
        "spec": {"volumeName": "pv", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}, "status": {"phase": "Bound"}}));
    w.store
        .modify(&cluster_api::kinds::PERSISTENT_VOLUME_CLAIMS, "default", "data", |claim| {
            claim["status"]["phase"] = json!("Bound")
        })
        .unwrap();
    let dir = w.node.host_path("/var/local/pv");
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn parts_of_volumes_fail_in_the_recorded_words() {
    in_world(|w| async move {
        let dir = bound_claim(&w);
        std::fs::write(dir.join("file"), "x").unwrap();
        symlink("nowhere", dir.join("dangling")).unwrap();
        symlink("/", dir.join("escape")).unwrap();
        for (name, part) in
            [("dangling", "dangling"), ("escapes", "escape/var"), ("under", "file/data"), ("missing", "data")]
        {
            w.create(pod(name, "test/sleep:1", mount(part), volumes()));
        }
        w.until(4, "three wait", |w| {
            ["dangling", "escapes", "under"]
                .iter()
                .all(|pod| w.waiting(pod).0 == "CreateContainerConfigError")
        })
        .await;
        w.until_phase(4, "missing", "Running").await;
        let text = |what: &str| format!("{what} for volumeMount \"db-data\" of container \"app\"");
        for (name, what) in [
            ("dangling", "failed to create subPath directory"),
            ("escapes", "failed to prepare subPath"),
            ("under", "failed to prepare subPath"),
        ] {
            assert_eq!(w.waiting(name), ("CreateContainerConfigError".into(), text(what)), "{name}");
            assert!(w.has_event(name, &format!("Error: {}", text(what))));
        }
        assert!(dir.join("data").is_dir());
        std::fs::remove_file(dir.join("dangling")).unwrap();
        w.until_phase(20, "dangling", "Running").await;
    });
}

#[test]
fn a_volume_without_its_config_map_waits_and_only_events_say_so() {
    in_world(|w| async move {
        let spec = json!({"volumes": [{"name": "c", "configMap": {"name": "absent"}}]});
        w.create(pod(
            "web",
            "test/sleep:1",
            json!({"volumeMounts": [{"name": "c", "mountPath": "/c"}]}),
            spec,
        ));
        w.seconds(30).await;
        assert_eq!(w.waiting("web"), ("ContainerCreating".into(), String::new()));
        assert_eq!(w.condition("web", "PodReadyToStartContainers")["status"], "False");
        assert!(
            w.has_event("web", "MountVolume.SetUp failed for volume \"c\" : configmap \"absent\" not found")
        );
        w.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "absent", "namespace": "default"}, "data": {"key": "value"}}));
        w.until_phase(40, "web", "Running").await;
        let started = w.stub.started.lock().unwrap();
        let file = started[0].host_path(std::path::Path::new("/c/key")).unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), "value");
    });
}

#[test]
fn every_container_finds_its_service_account() {
    in_world(|w| async move {
        w.pod("web", "test/sleep:1", json!({}));
        w.until_phase(4, "web", "Running").await;
        let spec = w.stub.started.lock().unwrap()[0].clone();
        let dir = spec.service_account_dir.clone().unwrap();
        assert_eq!(std::fs::read_to_string(dir.join("namespace")).unwrap(), "default");
        assert!(!std::fs::read_to_string(dir.join("token")).unwrap().is_empty());
        assert!(
            spec.env.iter().any(|(name, value)| name == "KUBERNETES_SERVICE_PORT" && value == "6443"),
            "{:?}",
            spec.env
        );
        assert!(dir.starts_with(w.dir.path().canonicalize().unwrap()));
    });
}

#[test]
fn a_part_that_was_mounted_stays_the_same_directory_until_its_container_is_started_again() {
    in_world(|w| async move {
        let dir = bound_claim(&w);
        w.create(pod("db", "test/sleep:1", mount("data"), volumes()));
        w.until_phase(4, "db", "Running").await;
        std::fs::write(dir.join("data/before"), "x").unwrap();
        std::fs::rename(dir.join("data"), dir.join("elsewhere")).unwrap();
        symlink("/opt", dir.join("data")).unwrap();
        let seen =
            w.stub.started.lock().unwrap()[0].host_path(std::path::Path::new("/var/lib/postgresql/data"));
        assert_eq!(std::fs::read_to_string(seen.unwrap().join("before")).unwrap(), "x");
        let delete = cluster_api::Propagation::Background;
        w.store.delete(&cluster_api::kinds::PODS, "default", "db", delete).unwrap();
        w.until(40, "it is gone", |w| w.store.get(&cluster_api::kinds::PODS, "default", "db").is_none())
            .await;
        w.create(pod("db", "test/sleep:1", mount("data"), volumes()));
        w.until(4, "it is refused", |w| w.waiting("db").0 == "CreateContainerConfigError").await;
    });
}
