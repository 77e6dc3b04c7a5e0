//! Deployments, StatefulSets and DaemonSets from their objects to their pods.

mod cluster;

use cluster::{World, condition, template};
use cluster_api::{Store, kinds, object};
use serde_json::{Value, json};

fn deployment(image: &str) -> Value {
    json!({"metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template(image)}})
}

fn is_available(store: &Store, name: &str, generation: i64) -> bool {
    let Some(found) = store.get(&kinds::DEPLOYMENTS, "default", name) else { return false };
    found["status"]["observedGeneration"] == generation
        && found["status"]["updatedReplicas"] == 1
        && found["status"]["replicas"] == 1
        && condition(&found, "Progressing").1 == "NewReplicaSetAvailable"
}

#[test]
fn a_deployment_makes_a_replica_set_that_makes_a_pod_and_says_so_in_kubernetes_words() {
    let world = World::start();
    world.create(&kinds::DEPLOYMENTS, deployment("runs"));
    world.until("the Deployment is available", |store| is_available(store, "web", 1));
    let found = world.get(&kinds::DEPLOYMENTS, "web");
    assert_eq!(condition(&found, "Available"), ("True".to_owned(), "MinimumReplicasAvailable".to_owned()));
    assert_eq!(object::annotation(&found, "deployment.kubernetes.io/revision"), Some("1"));
    assert!(found["status"].get("unavailableReplicas").is_none());
    let sets = world.store.list(&kinds::REPLICA_SETS, Some("default"));
    let set = object::name(&sets[0]).to_owned();
    let scaled = format!("Scaled up replica set {set} from 0 to 1");
    assert_eq!(world.events("Deployment", "web"), [("ScalingReplicaSet".to_owned(), scaled)]);
    let pods = world.pods();
    let created = format!("Created pod: {}", object::name(&pods[0]));
    assert_eq!(world.events("ReplicaSet", &set), [("SuccessfulCreate".to_owned(), created)]);
    assert!(object::name(&pods[0]).starts_with(&format!("{set}-")));
    let message = &object::condition(&found, "Progressing").expect("it is there")["message"];
    assert_eq!(*message, format!("ReplicaSet \"{set}\" has successfully progressed."));
}

#[test]
fn a_rolling_update_keeps_the_old_pod_until_the_new_one_is_ready() {
    let world = World::start();
    world.create(&kinds::DEPLOYMENTS, deployment("runs"));
    world.until("the Deployment is available", |store| is_available(store, "web", 1));
    let change = |image: &'static str| {
        let set = |deployment: &mut Value| {
            deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image)
        };
        world.store.modify(&kinds::DEPLOYMENTS, "default", "web", set).expect("it is there");
    };
    change("waits");
    world.pass(30);
    let found = world.get(&kinds::DEPLOYMENTS, "web");
    assert_eq!(world.pods().len(), 2);
    assert_eq!((&found["status"]["replicas"], &found["status"]["availableReplicas"]), (&json!(2), &json!(1)));
    assert_eq!(found["status"]["unavailableReplicas"], 1);
    world.until("the progress deadline is over", |store| {
        store
            .get(&kinds::DEPLOYMENTS, "default", "web")
            .is_some_and(|d| condition(&d, "Progressing").1 == "ProgressDeadlineExceeded")
    });
    change("runs");
    world.until("the Deployment is as before", |store| is_available(store, "web", 3));
    world.until("one pod is left", |store| store.list(&kinds::PODS, Some("default")).len() == 1);
    let revision = world.get(&kinds::DEPLOYMENTS, "web");
    assert_eq!(object::annotation(&revision, "deployment.kubernetes.io/revision"), Some("3"));
}

#[test]
fn recreate_waits_for_the_last_old_pod_to_be_gone() {
    let world = World::start();
    let mut recreated = deployment("runs");
    recreated["spec"]["strategy"] = json!({"type": "Recreate"});
    world.create(&kinds::DEPLOYMENTS, recreated);
    world.until("the Deployment is available", |store| is_available(store, "web", 1));
    let mut watch = world.store.watch(&kinds::PODS, None);
    let set = |deployment: &mut Value| {
        deployment["spec"]["template"]["metadata"]["annotations"] = json!({"a": "b"})
    };
    world.store.modify(&kinds::DEPLOYMENTS, "default", "web", set).expect("it is there");
    world.until("the Deployment is available again", |store| is_available(store, "web", 2));
    let mut there = std::collections::HashSet::new();
    while let Some(event) = watch.try_next() {
        match event.verb {
            cluster_api::Verb::Deleted => there.remove(object::name(&event.object)),
            _ => there.insert(object::name(&event.object).to_owned()),
        };
        assert!(there.len() <= 1, "two pods at once: {there:?}");
    }
}

#[test]
fn a_stateful_set_makes_claims_and_pods_one_after_the_other() {
    let world = World::start();
    world.create(&kinds::STATEFUL_SETS, json!({
        "metadata": {"name": "cache", "namespace": "default"},
        "spec": {"replicas": 2, "serviceName": "cache", "selector": {"matchLabels": {"app": "web"}},
            "template": template("runs"),
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "32Mi"}}}}]},
    }));
    world.until("both members are ready", |store| {
        store
            .get(&kinds::STATEFUL_SETS, "default", "cache")
            .is_some_and(|set| set["status"]["readyReplicas"] == 2)
    });
    let events = world.events("StatefulSet", "cache");
    let messages: Vec<&str> = events.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "create Claim data-cache-0 Pod cache-0 in StatefulSet cache success",
            "create Pod cache-0 in StatefulSet cache successful",
            "create Claim data-cache-1 Pod cache-1 in StatefulSet cache success",
            "create Pod cache-1 in StatefulSet cache successful",
        ]
    );
    let status = &world.get(&kinds::STATEFUL_SETS, "cache")["status"];
    assert_eq!(status["currentRevision"], status["updateRevision"]);
    assert_eq!((&status["updatedReplicas"], &status["availableReplicas"]), (&json!(2), &json!(2)));
}

#[test]
fn a_stateful_set_updates_its_last_member_first() {
    let world = World::start();
    world.create(&kinds::STATEFUL_SETS, json!({
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "web"}}, "template": template("runs")},
    }));
    let current = |store: &Store, generation: i64| {
        store.get(&kinds::STATEFUL_SETS, "default", "db").is_some_and(|set| {
            set["status"]["observedGeneration"] == generation
                && set["status"]["readyReplicas"] == 2
                && set["status"]["currentRevision"] == set["status"]["updateRevision"]
        })
    };
    world.until("both members are ready", |store| current(store, 1));
    let set = |set: &mut Value| set["spec"]["template"]["metadata"]["annotations"] = json!({"a": "b"});
    world.store.modify(&kinds::STATEFUL_SETS, "default", "db", set).expect("it is there");
    world.until("both members are new", |store| current(store, 2));
    let events = world.events("StatefulSet", "db");
    let deleted: Vec<&str> = events
        .iter()
        .filter(|(reason, _)| reason == "SuccessfulDelete")
        .map(|(_, message)| message.as_str())
        .collect();
    assert_eq!(
        deleted,
        ["delete Pod db-1 in StatefulSet db successful", "delete Pod db-0 in StatefulSet db successful"]
    );
}

#[test]
fn endpoints_follow_ready_pods() {
    let world = World::start();
    world.create(
        &kinds::SERVICES,
        json!({"metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}),
    );
    let ready = |store: &Store, count: usize| {
        let slices = store.list(&kinds::ENDPOINT_SLICES, Some("default"));
        let listed = slices.iter().filter_map(|slice| slice["endpoints"].as_array()).flatten();
        listed.filter(|endpoint| endpoint["conditions"]["ready"] == true).count() == count
    };
    world.create(&kinds::DEPLOYMENTS, deployment("runs"));
    world.until("one endpoint is ready", |store| ready(store, 1));
    let slices = world.store.list(&kinds::ENDPOINT_SLICES, Some("default"));
    assert_eq!(slices[0]["ports"], json!([{"name": "http", "port": 8080, "protocol": "TCP"}]));
    assert_eq!(object::label(&slices[0], "kubernetes.io/service-name"), Some("web"));
    let subset = world.get(&kinds::ENDPOINTS, "web")["subsets"][0].clone();
    assert_eq!(subset["addresses"].as_array().map(Vec::len), Some(1));
    world
        .store
        .modify(&kinds::DEPLOYMENTS, "default", "web", |d| d["spec"]["replicas"] = json!(0))
        .expect("it is there");
    world.until("no endpoint is left", |store| ready(store, 0));
}

#[test]
fn a_daemon_set_has_a_pod_on_every_node() {
    let world = World::start();
    world.create(&kinds::NODES, json!({"metadata": {"name": "node"}}));
    world.create(
        &kinds::DAEMON_SETS,
        json!({"metadata": {"name": "agent", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template("runs")}}),
    );
    world.until("the pod is ready", |store| {
        store
            .get(&kinds::DAEMON_SETS, "default", "agent")
            .is_some_and(|set| set["status"]["numberAvailable"] == 1)
    });
    assert_eq!(world.get(&kinds::DAEMON_SETS, "agent")["status"]["desiredNumberScheduled"], 1);
}
