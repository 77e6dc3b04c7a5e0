//! Volumes, garbage, namespaces, nodes.

mod cluster;

use cluster::{World, condition, template};
use cluster_api::{Propagation, Store, kinds, object};
use serde_json::{Value, json};

fn claim(class: Value) -> Value {
    let mut claim = json!({"metadata": {"name": "data", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    if !class.is_null() {
        claim["spec"]["storageClassName"] = class;
    }
    claim
}

fn class(name: &str) -> Value {
    json!({"metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer"})
}

fn has_event(world: &World, kind: &str, name: &str, reason: &str) -> Option<String> {
    world.events(kind, name).into_iter().find(|(known, _)| known == reason).map(|(_, message)| message)
}

#[test]
fn a_claim_of_the_default_class_waits_for_its_consumer_then_for_its_provisioner_and_is_bound() {
    let world = World::start();
    world.create(&kinds::STORAGE_CLASSES, class("local-path"));
    world.create(&kinds::PERSISTENT_VOLUME_CLAIMS, claim(Value::Null));
    world.pass(1);
    assert_eq!(
        has_event(&world, "PersistentVolumeClaim", "data", "WaitForFirstConsumer").as_deref(),
        Some("waiting for first consumer to be created before binding")
    );
    let found = world.get(&kinds::PERSISTENT_VOLUME_CLAIMS, "data");
    assert_eq!(
        (&found["spec"]["storageClassName"], &found["status"]["phase"]),
        (&json!("local-path"), &json!("Pending"))
    );
    let select =
        |claim: &mut Value| object::set_annotation(claim, "volume.kubernetes.io/selected-node", "node");
    world.store.modify(&kinds::PERSISTENT_VOLUME_CLAIMS, "default", "data", select).expect("it is there");
    world.until("the provisioner is asked", |store| {
        store.get(&kinds::PERSISTENT_VOLUME_CLAIMS, "default", "data").is_some_and(|claim| {
            object::annotation(&claim, "volume.kubernetes.io/storage-provisioner")
                == Some("rancher.io/local-path")
        })
    });
    world.pass(1);
    let told =
        has_event(&world, "PersistentVolumeClaim", "data", "ExternalProvisioning").expect("it is told");
    assert!(told.starts_with(
        "Waiting for a volume to be created either by the external provisioner 'rancher.io/local-path' or"
    ));
    let uid = object::uid(&world.get(&kinds::PERSISTENT_VOLUME_CLAIMS, "data")).to_owned();
    world.create(&kinds::PERSISTENT_VOLUMES, json!({
        "metadata": {"name": format!("pvc-{uid}")},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "local-path",
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": "default", "name": "data", "uid": uid}},
    }));
    let bound = |store: &Store| {
        store
            .get(&kinds::PERSISTENT_VOLUME_CLAIMS, "default", "data")
            .is_some_and(|claim| claim["status"]["phase"] == "Bound")
    };
    world.until("the claim is bound", bound);
    let found = world.get(&kinds::PERSISTENT_VOLUME_CLAIMS, "data");
    assert_eq!(object::annotation(&found, "pv.kubernetes.io/bind-completed"), Some("yes"));
    assert_eq!(found["spec"]["volumeName"], format!("pvc-{uid}"));
    world
        .store
        .delete(&kinds::PERSISTENT_VOLUME_CLAIMS, "default", "data", Propagation::Background)
        .expect("it goes");
    world.until("the retained volume is released", |store| {
        store.list(&kinds::PERSISTENT_VOLUMES, None)[0]["status"]["phase"] == "Released"
    });
}

#[test]
fn a_claim_in_use_goes_only_with_its_pod() {
    let world = World::start();
    world.create(&kinds::STORAGE_CLASSES, class("local-path"));
    world.create(&kinds::PERSISTENT_VOLUME_CLAIMS, claim(Value::Null));
    let mut pod = template("runs");
    pod["metadata"] = json!({"name": "user", "namespace": "default"});
    pod["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
    world.create(&kinds::PODS, pod);
    world.pass(5);
    world
        .store
        .delete(&kinds::PERSISTENT_VOLUME_CLAIMS, "default", "data", Propagation::Background)
        .expect("it goes");
    world.pass(60);
    assert!(object::is_deleting(&world.get(&kinds::PERSISTENT_VOLUME_CLAIMS, "data")));
    world.store.delete(&kinds::PODS, "default", "user", Propagation::Background).expect("it goes");
    world.until("the claim is gone", |store| {
        store.get(&kinds::PERSISTENT_VOLUME_CLAIMS, "default", "data").is_none()
    });
}

#[test]
fn claims_without_a_class_or_with_a_missing_one_say_why_they_stay_open() {
    let world = World::start();
    world.create(&kinds::PERSISTENT_VOLUME_CLAIMS, claim(Value::Null));
    world.pass(1);
    assert_eq!(
        has_event(&world, "PersistentVolumeClaim", "data", "FailedBinding").as_deref(),
        Some("no persistent volumes available for this claim and no storage class is set")
    );
    let set = |claim: &mut Value| claim["spec"]["storageClassName"] = json!("gone");
    world.store.modify(&kinds::PERSISTENT_VOLUME_CLAIMS, "default", "data", set).expect("it is there");
    world.pass(1);
    assert_eq!(
        has_event(&world, "PersistentVolumeClaim", "data", "ProvisioningFailed").as_deref(),
        Some("storageclass.storage.k8s.io \"gone\" not found")
    );
}

fn deployment() -> Value {
    json!({"metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template("runs")}})
}

#[test]
fn what_a_deleted_deployment_owns_goes_with_it() {
    for propagation in [Propagation::Background, Propagation::Foreground] {
        let world = World::start();
        world.create(&kinds::DEPLOYMENTS, deployment());
        world.until("a pod is there", |store| !store.list(&kinds::PODS, None).is_empty());
        world.store.delete(&kinds::DEPLOYMENTS, "default", "web", propagation).expect("it goes");
        world.until("all is gone", |store| {
            [kinds::DEPLOYMENTS, kinds::REPLICA_SETS, kinds::PODS]
                .iter()
                .all(|res| store.list(res, None).is_empty())
        });
    }
}

#[test]
fn orphans_stay() {
    let world = World::start();
    world.create(&kinds::DEPLOYMENTS, deployment());
    world.until("a pod is there", |store| !store.list(&kinds::PODS, None).is_empty());
    world.store.delete(&kinds::DEPLOYMENTS, "default", "web", Propagation::Orphan).expect("it goes");
    world.until("the Deployment is gone", |store| store.list(&kinds::DEPLOYMENTS, None).is_empty());
    world.pass(10);
    let sets = world.store.list(&kinds::REPLICA_SETS, None);
    assert!(object::owner(&sets[0]).is_none());
    assert_eq!(world.pods().len(), 1);
}

#[test]
fn a_deleted_namespace_takes_its_contents_along_and_says_what_holds_it() {
    let world = World::start();
    world.create(&kinds::NAMESPACES, json!({"metadata": {"name": "msp"}}));
    world.until("it is furnished", |store| {
        store.get(&kinds::SERVICE_ACCOUNTS, "msp", "default").is_some()
            && store
                .get(&kinds::CONFIG_MAPS, "msp", "kube-root-ca.crt")
                .is_some_and(|map| map["data"]["ca.crt"] == "CA")
    });
    let mut held = json!({"metadata": {"name": "held", "namespace": "msp"}});
    object::add_finalizer(&mut held, "example.com/hold");
    world.create(&kinds::CONFIG_MAPS, held);
    let mut web = deployment();
    web["metadata"]["namespace"] = json!("msp");
    world.create(&kinds::DEPLOYMENTS, web);
    world.pass(5);
    world.store.delete(&kinds::NAMESPACES, "", "msp", Propagation::Background).expect("it goes");
    world.pass(60);
    let namespace = world.store.get(&kinds::NAMESPACES, "", "msp").expect("it is held");
    assert_eq!(namespace["status"]["phase"], "Terminating");
    assert_eq!(condition(&namespace, "NamespaceFinalizersRemaining").0, "True");
    assert!(world.store.list(&kinds::PODS, Some("msp")).is_empty());
    world
        .store
        .modify(&kinds::CONFIG_MAPS, "msp", "held", |map| object::remove_finalizer(map, "example.com/hold"))
        .expect("it is there");
    world.until("the namespace is gone", |store| store.get(&kinds::NAMESPACES, "", "msp").is_none());
}

#[test]
fn a_node_whose_lease_stands_still_is_lost_after_forty_odd_seconds_and_its_pods_lose_their_readiness() {
    let world = World::start();
    let now = object::timestamp(world.clock.now());
    world.create(
        &kinds::NODES,
        json!({"metadata": {"name": "node"}, "status": {"conditions": [
        {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}]}}),
    );
    let renew = |store: &Store| object::micro_timestamp(store.clock().now());
    world.create(
        &kinds::LEASES,
        json!({"metadata": {"name": "node", "namespace": "kube-node-lease"},
        "spec": {"renewTime": renew(&world.store)}}),
    );
    world.create(&kinds::DEPLOYMENTS, deployment());
    for _ in 0..12 {
        world.pass(10);
        let time = renew(&world.store);
        world
            .store
            .modify(&kinds::LEASES, "kube-node-lease", "node", |lease| {
                lease["spec"]["renewTime"] = json!(time)
            })
            .expect("it is there");
    }
    let ready = |store: &Store| {
        let node = store.get(&kinds::NODES, "", "node").expect("it is there");
        condition(&node, "Ready").0
    };
    assert_eq!(ready(&world.store), "True");
    let last = world.clock.now();
    world.until("the node is lost", |store| ready(store) == "Unknown");
    let took = world.clock.now().duration_since(last).as_secs_f64();
    assert!((40.0..=48.0).contains(&took), "{took}");
    world.pass(1);
    let node = world.store.get(&kinds::NODES, "", "node").expect("it is there");
    assert_eq!(
        object::condition(&node, "Ready").expect("it is there")["message"],
        "Kubelet stopped posting node status."
    );
    let effects: Vec<&Value> =
        node["spec"]["taints"].as_array().into_iter().flatten().map(|taint| &taint["effect"]).collect();
    assert_eq!(effects, [&json!("NoSchedule"), &json!("NoExecute")]);
    let pod = world.pods().remove(0);
    assert_eq!(condition(&pod, "Ready").0, "False");
    assert_eq!(
        has_event(&world, "Pod", object::name(&pod), "NodeNotReady").as_deref(),
        Some("Node is not ready")
    );
    world
        .store
        .modify(&kinds::NODES, "", "node", |node| {
            node["status"]["conditions"] =
                json!([{"type": "Ready", "status": "True", "reason": "KubeletReady"}]);
        })
        .expect("it is there");
    let time = renew(&world.store);
    world
        .store
        .modify(&kinds::LEASES, "kube-node-lease", "node", |lease| lease["spec"]["renewTime"] = json!(time))
        .expect("it is there");
    world.until("the taints are gone", |store| {
        store.get(&kinds::NODES, "", "node").is_some_and(|node| node["spec"]["taints"].is_null())
    });
}
