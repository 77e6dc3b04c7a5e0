//! What the store promises to its users.

use std::net::Ipv4Addr;

use cluster_api::{ApiError, Conflicts, Outcome, Propagation, Store, Subresource, Verb, kinds, object};
use field_clock::Clock;
use serde_json::{Value, json};

fn store() -> Store {
    Store::new(Clock::wall()).with_service_range(Ipv4Addr::new(127, 9, 8, 0))
}

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [{"name": "main", "image": "db:1"}]}})
}

fn map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data})
}

#[test]
fn a_new_pod_has_identity_defaults_and_a_pending_status() {
    let created = store().create(&kinds::PODS, pod("a")).unwrap();
    assert_eq!(created["kind"], "Pod");
    assert_eq!(created["status"]["phase"], "Pending");
    assert_eq!(created["spec"]["containers"][0]["imagePullPolicy"], "IfNotPresent");
    assert_eq!(created["metadata"]["generation"], 1);
    assert_eq!(object::uid(&created).len(), 36);
}

#[test]
fn an_unknown_namespace_and_a_missing_name_are_refused() {
    let store = store();
    let mut lost = pod("a");
    lost["metadata"]["namespace"] = json!("nowhere");
    assert_eq!(store.create(&kinds::PODS, lost).unwrap_err().to_string(), "namespaces \"nowhere\" not found");
    assert_eq!(store.create(&kinds::CONFIG_MAPS, json!({"metadata": {}})).unwrap_err().code, 422);
    store.create(&kinds::PODS, pod("a")).unwrap();
    assert!(store.create(&kinds::PODS, pod("a")).unwrap_err().is_already_exists());
}

#[test]
fn the_generation_grows_with_the_specification_and_not_with_the_status() {
    let store = store();
    store.create(&kinds::PODS, pod("a")).unwrap();
    let bound =
        store.modify(&kinds::PODS, "default", "a", |pod| pod["spec"]["nodeName"] = json!("n")).unwrap();
    assert_eq!(object::generation(&bound), 1);
    let same = store.modify(&kinds::PODS, "default", "a", |_| {}).unwrap();
    assert_eq!(object::resource_version(&same), object::resource_version(&bound));
    let changed = store
        .modify(&kinds::PODS, "default", "a", |pod| pod["spec"]["containers"][0]["image"] = json!("db:2"))
        .unwrap();
    assert_eq!(object::generation(&changed), 2);
}

#[test]
fn an_outdated_update_is_a_conflict_and_a_status_update_leaves_the_rest() {
    let store = store();
    let first = store.create(&kinds::PODS, pod("a")).unwrap();
    store.modify(&kinds::PODS, "default", "a", |pod| pod["status"]["podIP"] = json!("127.0.0.2")).unwrap();
    let late = store.update(&kinds::PODS, Value::clone(&first), Subresource::Main).unwrap_err();
    assert!(late.is_conflict(), "{late}");
    let mut status = pod("a");
    status["spec"] = json!({"containers": []});
    status["status"] = json!({"phase": "Running"});
    let updated = store.update(&kinds::PODS, status, Subresource::Status).unwrap();
    assert_eq!(updated["status"], json!({"phase": "Running"}));
    assert_eq!(updated["spec"], first["spec"]);
}

#[tokio::test]
async fn a_watch_tells_what_exists_and_then_every_change_once() {
    let store = store();
    store.create(&kinds::CONFIG_MAPS, map("a", json!({}))).unwrap();
    let mut watch = store.watch(&kinds::CONFIG_MAPS, Some("default"));
    store.modify(&kinds::CONFIG_MAPS, "default", "a", |map| map["data"] = json!({"x": "1"})).unwrap();
    store.delete(&kinds::CONFIG_MAPS, "default", "a", Propagation::Background).unwrap();
    let mut verbs = Vec::new();
    while let Some(event) = watch.try_next() {
        verbs.push(event.verb);
    }
    assert_eq!(verbs, [Verb::Added, Verb::Modified, Verb::Deleted]);
}

#[test]
fn a_pod_on_a_node_waits_for_its_node_and_an_unbound_one_does_not() {
    let store = store();
    store.create(&kinds::PODS, pod("loose")).unwrap();
    store.delete(&kinds::PODS, "default", "loose", Propagation::Background).unwrap();
    assert!(store.get(&kinds::PODS, "default", "loose").is_none());

    store.create(&kinds::PODS, pod("bound")).unwrap();
    store.modify(&kinds::PODS, "default", "bound", |pod| pod["spec"]["nodeName"] = json!("n")).unwrap();
    store.delete(&kinds::PODS, "default", "bound", Propagation::Background).unwrap();
    let dying = store.get(&kinds::PODS, "default", "bound").unwrap();
    assert!(object::is_deleting(&dying));
    assert_eq!(dying["metadata"]["deletionGracePeriodSeconds"], 30);
    store.remove(&kinds::PODS, "default", "bound");
    assert!(store.get(&kinds::PODS, "default", "bound").is_none());
}

#[test]
fn finalizers_hold_an_object_until_the_last_is_gone() {
    let store = store();
    let mut held = map("a", json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    store.create(&kinds::CONFIG_MAPS, held).unwrap();
    store.delete(&kinds::CONFIG_MAPS, "default", "a", Propagation::Foreground).unwrap();
    let dying = store.get(&kinds::CONFIG_MAPS, "default", "a").unwrap();
    assert_eq!(dying["metadata"]["finalizers"], json!(["example.com/hold", "foregroundDeletion"]));
    store
        .modify(&kinds::CONFIG_MAPS, "default", "a", |map| {
            object::remove_finalizer(map, "example.com/hold");
            object::remove_finalizer(map, "foregroundDeletion");
        })
        .unwrap();
    assert!(store.get(&kinds::CONFIG_MAPS, "default", "a").is_none());
}

#[test]
fn services_get_different_addresses_and_keep_them() {
    let store = store();
    let service = |name: &str| json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}});
    let one = store.create(&kinds::SERVICES, service("one")).unwrap();
    let two = store.create(&kinds::SERVICES, service("two")).unwrap();
    assert_eq!(one["spec"]["clusterIP"], "127.9.8.120");
    assert_eq!(two["spec"]["clusterIP"], "127.9.8.121");
    assert_eq!(one["spec"]["ports"][0]["targetPort"], 80);
    let updated = store.update(&kinds::SERVICES, service("one"), Subresource::Main).unwrap();
    assert_eq!(updated["spec"]["clusterIP"], "127.9.8.120");
}

#[test]
fn applying_the_same_again_changes_nothing_and_dropped_fields_go() {
    let store = store();
    let apply =
        |data: Value| store.apply(&kinds::CONFIG_MAPS, map("a", data), "kustomize", Conflicts::Fail).unwrap();
    assert_eq!(apply(json!({"x": "1", "y": "2"})).outcome, Outcome::Created);
    assert_eq!(apply(json!({"x": "1", "y": "2"})).outcome, Outcome::Unchanged);
    let applied = apply(json!({"x": "3"}));
    assert_eq!(applied.outcome, Outcome::Changed);
    assert_eq!(applied.object["data"], json!({"x": "3"}));
}

#[test]
fn fields_of_another_manager_conflict_unless_forced() {
    let store = store();
    let apply = |manager: &str, value: &str, conflicts| {
        store.apply(&kinds::CONFIG_MAPS, map("a", json!({"x": value})), manager, conflicts)
    };
    apply("one", "1", Conflicts::Fail).unwrap();
    apply("two", "1", Conflicts::Fail).unwrap();
    let refused: ApiError = apply("two", "2", Conflicts::Fail).unwrap_err();
    assert_eq!(refused.to_string(), "Apply failed with 1 conflict: conflict with \"one\": .data.x");
    assert_eq!(apply("two", "2", Conflicts::Force).unwrap().object["data"]["x"], "2");
}

#[test]
fn a_workload_applied_twice_is_unchanged_in_spite_of_its_defaults() {
    let store = store();
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}],
        "livenessProbe": {"httpGet": {"port": 80}}}]}}}});
    let apply = |value: Value| store.apply(&kinds::DEPLOYMENTS, value, "flux", Conflicts::Force).unwrap();
    let first = apply(deployment.clone());
    assert_eq!(first.object["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
    assert_eq!(apply(deployment.clone()).outcome, Outcome::Unchanged);
    let mut without = deployment;
    without["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("livenessProbe");
    let second = apply(without);
    assert_eq!(second.object["spec"]["template"]["spec"]["containers"][0]["livenessProbe"], Value::Null);
    assert_eq!(object::generation(&second.object), 2);
}

#[test]
fn a_definition_brings_its_kind_and_takes_it_away() {
    let store = store();
    let definition = json!({"metadata": {"name": "things.example.com"}, "spec": {"group": "example.com", "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing"}, "versions": [{"name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
        "subresources": {"status": {}}}]}});
    assert!(store.resolve_kind("example.com/v1", "Thing").is_none());
    let created = store.create(&kinds::CRDS, definition).unwrap();
    assert_eq!(object::condition(&created, "Established").unwrap()["status"], "True");
    let info = store.resolve_kind("example.com/v1", "Thing").unwrap();
    store
        .create(&info.res, json!({"metadata": {"name": "a", "namespace": "default"}, "spec": {"x": 1}}))
        .unwrap();
    let mut watch = store.watch(&info.res, None);
    store.delete(&kinds::CRDS, "", "things.example.com", Propagation::Background).unwrap();
    assert!(store.resolve_kind("example.com/v1", "Thing").is_none());
    assert_eq!(watch.try_next().unwrap().verb, Verb::Added);
    assert_eq!(watch.try_next().unwrap().verb, Verb::Deleted);
}

#[test]
fn a_terminating_namespace_takes_nothing_new() {
    let store = store();
    store.create(&kinds::NAMESPACES, json!({"metadata": {"name": "old"}})).unwrap();
    store.delete(&kinds::NAMESPACES, "", "old", Propagation::Background).unwrap();
    assert_eq!(store.get(&kinds::NAMESPACES, "", "old").unwrap()["status"]["phase"], "Terminating");
    let mut late = pod("a");
    late["metadata"]["namespace"] = json!("old");
    let refused = store.create(&kinds::PODS, late).unwrap_err();
    assert_eq!(refused.code, 403);
    assert!(
        refused
            .message
            .ends_with("unable to create new content in namespace old because it is being terminated")
    );
    store.remove(&kinds::NAMESPACES, "", "old");
    assert!(store.get(&kinds::NAMESPACES, "", "old").is_none());
}

/// Every place where an object holds null.
fn nulls(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(path.to_owned()),
        Value::Object(map) => {
            map.iter().for_each(|(key, inner)| nulls(inner, &format!("{path}.{key}"), found))
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, inner)| nulls(inner, &format!("{path}[{at}]"), found))
        }
        _ => {}
    }
}

#[test]
fn defaults_leave_no_nulls_and_applying_a_pod_again_changes_nothing() {
    let store = store();
    let mut wanted = pod("a");
    wanted["apiVersion"] = json!("v1");
    wanted["kind"] = json!("Pod");
    wanted["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}, {"name": "empty"}]);
    let apply = || store.apply(&kinds::PODS, wanted.clone(), "one", Conflicts::Fail).unwrap();
    let mut found = Vec::new();
    nulls(&apply().object, "", &mut found);
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(apply().outcome, Outcome::Unchanged);
    for (res, value) in [
        (kinds::SERVICES, json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 1}]}})),
        (kinds::NAMESPACES, json!({"metadata": {"name": "n"}})),
        (kinds::SECRETS, json!({"metadata": {"name": "s"}, "stringData": {"a": "b"}})),
        (
            kinds::JOBS,
            json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {"restartPolicy": "Never",
            "containers": [{"name": "j", "image": "j"}]}}}}),
        ),
    ] {
        nulls(&store.create(&res, value).unwrap(), &res.to_string(), &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_job_selects_its_pods_by_its_own_identity() {
    let job = json!({"metadata": {"name": "migrate", "namespace": "default"}, "spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "m", "image": "m:1"}]}}}});
    let created = store().create(&kinds::JOBS, job).unwrap();
    let uid = json!(object::uid(&created));
    assert_eq!(created["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"], uid);
    assert_eq!(created["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/job-name"], "migrate");
    assert_eq!(created["spec"]["backoffLimit"], 6);
}

#[test]
fn a_pod_takes_its_priority_from_its_class_and_pull_secrets_from_its_account() {
    let store = store();
    let account = json!({"metadata": {"name": "puller", "namespace": "default"}, "imagePullSecrets": [{"name": "key"}]});
    store.create(&kinds::SERVICE_ACCOUNTS, account).unwrap();
    let mut wanted = pod("a");
    wanted["spec"]["serviceAccountName"] = json!("puller");
    wanted["spec"]["priorityClassName"] = json!("system-node-critical");
    let created = store.create(&kinds::PODS, wanted.clone()).unwrap();
    assert_eq!(created["spec"]["imagePullSecrets"], json!([{"name": "key"}]));
    assert_eq!(created["spec"]["priority"], 2_000_001_000);
    wanted["metadata"]["name"] = json!("b");
    wanted["spec"]["priorityClassName"] = json!("none");
    assert_eq!(store.create(&kinds::PODS, wanted).unwrap_err().code, 403);
}

#[test]
fn invalid_objects_are_refused_with_every_cause() {
    let store = store();
    let mut wrong = pod("a");
    wrong["spec"]["containers"][0] =
        json!({"name": "main", "volumeMounts": [{"name": "gone", "mountPath": "/x"}]});
    let refused = store.create(&kinds::PODS, wrong).unwrap_err();
    assert_eq!(
        refused.message,
        "Pod \"a\" is invalid: [spec.containers[0].image: Required value, spec.containers[0].volumeMounts[0].name: Not \
         found: \"gone\"]"
    );
    store.create(&kinds::PODS, pod("b")).unwrap();
    let mut changed = pod("b");
    changed["spec"]["containers"][0]["args"] = json!(["x"]);
    let refused = store.update(&kinds::PODS, changed, Subresource::Main).unwrap_err();
    assert!(refused.message.contains("pod updates may not change fields other than"), "{refused}");
}

#[test]
fn applying_a_status_leaves_the_rest_and_applying_the_rest_leaves_the_status() {
    let store = store();
    let mut wanted = pod("a");
    wanted["apiVersion"] = json!("v1");
    wanted["kind"] = json!("Pod");
    wanted["status"] = json!({"phase": "Running"});
    let applied = store.apply(&kinds::PODS, wanted, "one", Conflicts::Fail).unwrap();
    assert_eq!(applied.object["status"]["phase"], "Pending");
}

#[test]
fn a_restart_of_the_api_leaves_inside_watches_alone() {
    let store = store();
    let mut watch = store.watch(&kinds::CONFIG_MAPS, None);
    store.forget_history();
    store.create(&kinds::CONFIG_MAPS, map("a", json!({}))).unwrap();
    assert_eq!(watch.try_next().unwrap().verb, Verb::Added);
}
