//! Containers that crash, end, wait, and are ended.

use cluster_api::kinds::PODS;
use cluster_api::{LogOptions, NodeAccess, Propagation};
use futures::StreamExt;
use serde_json::json;

use crate::world::{World, in_world, pod};

async fn log(w: &World, pod: &str, options: LogOptions) -> Result<String, String> {
    let stream = w.node.logs("default", pod, options).await.map_err(|error| error.to_string())?;
    let parts: Vec<_> = stream.collect().await;
    Ok(String::from_utf8(parts.concat()).unwrap())
}

#[test]
fn a_crash_loop_shows_all_its_faces() {
    in_world(|w| async move {
        w.pod("crash", "test/fail:1", json!({}));
        w.seconds(1).await;
        assert_eq!(w.container("crash")["state"]["terminated"]["exitCode"], 1, "{}", w.get("crash"));
        w.seconds(3).await;
        let status = w.container("crash");
        assert_eq!(status["restartCount"], 1, "{status}");
        assert_eq!(status["lastState"]["terminated"]["reason"], "Error");
        w.seconds(2).await;
        let uid = w.get("crash")["metadata"]["uid"].as_str().unwrap().to_owned();
        let reasons = [w.waiting("crash").1, format!("back-off 10s restarting failed container=app pod=crash_default({uid})")];
        assert_eq!(reasons[0], reasons[1], "{:#?}", w.container("crash"));
        w.seconds(300).await;
        let status = w.container("crash");
        assert_eq!(status["restartCount"], 5, "{:#?}", w.events("crash"));
        assert_eq!(w.get("crash")["status"]["phase"], "Running");
        assert!(w.has_event("crash", &format!("Back-off restarting failed container app in pod crash_default({uid})")));
        assert_eq!(log(&w, "crash", LogOptions::default()).await.unwrap(), "Error: it does not work\n");
        assert!(log(&w, "crash", LogOptions { previous: true, ..LogOptions::default() }).await.is_ok());
    });
}

#[test]
fn memory_kills_and_good_ends_have_their_reasons() {
    in_world(|w| async move {
        w.pod("oom", "test/oom:1", json!({}));
        w.create(pod("job", "test/done:1", json!({}), json!({"restartPolicy": "Never"})));
        w.create(pod("failed", "test/fail:1", json!({"terminationMessagePolicy": "FallbackToLogsOnError"}), json!({"restartPolicy": "Never"})));
        w.seconds(1).await;
        assert_eq!(w.container("oom")["state"]["terminated"]["reason"], "OOMKilled");
        w.seconds(3).await;
        assert_eq!(w.get("job")["status"]["phase"], "Succeeded");
        assert_eq!(w.condition("job", "Ready")["reason"], "PodCompleted");
        assert_eq!(w.get("failed")["status"]["phase"], "Failed");
        assert_eq!(w.container("failed")["state"]["terminated"]["message"], "Error: it does not work\n");
    });
}

#[test]
fn a_program_that_is_not_there_is_a_start_error() {
    in_world(|w| async move {
        w.pod("bad", "test/sleep:1", json!({"command": ["/usr/local/bin/not-there"]}));
        w.seconds(1).await;
        let (reason, message) = w.waiting("bad");
        assert_eq!(reason, "RunContainerError", "{}", w.get("bad"));
        assert!(message.ends_with("error during container init: exec: \"/usr/local/bin/not-there\": stat /usr/local/bin/not-there: no such file or directory"), "{message}");
        let last = w.container("bad")["lastState"]["terminated"].clone();
        assert_eq!((&last["reason"], &last["exitCode"], &last["startedAt"]), (&json!("StartError"), &json!(128), &json!("1970-01-01T00:00:00Z")));
        assert_eq!(w.get("bad")["status"]["phase"], "Running");
    });
}

#[test]
fn init_containers_run_in_order_and_hold_the_others_back() {
    in_world(|w| async move {
        let init = json!([{"name": "first", "image": "test/done:1"}, {"name": "second", "image": "test/fail:1"}]);
        w.create(pod("init", "test/sleep:1", json!({}), json!({"initContainers": init})));
        w.seconds(4).await;
        let status = w.get("init")["status"].clone();
        assert_eq!(status["phase"], "Pending");
        assert_eq!(status["containerStatuses"][0]["state"]["waiting"]["reason"], "PodInitializing");
        assert_eq!(status["initContainerStatuses"][0]["state"]["terminated"]["reason"], "Completed");
        assert_eq!(w.condition("init", "Initialized")["message"], "containers with incomplete status: [second]");
        assert!(status["initContainerStatuses"][1]["restartCount"].as_u64().unwrap() >= 1);
        let options = LogOptions { container: Some("app".into()), ..LogOptions::default() };
        assert_eq!(log(&w, "init", options).await.unwrap_err(), "container \"app\" in pod \"init\" is waiting to start: PodInitializing");
    });
}

#[test]
fn missing_keys_and_objects_keep_a_container_from_its_config() {
    in_world(|w| async move {
        w.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "present", "namespace": "default"}, "data": {"b": "2"}}));
        let key = |name: &str, key: &str| json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": name, "key": key}}}]});
        w.pod("absent", "test/sleep:1", key("absent", "a"));
        w.pod("key", "test/sleep:1", key("present", "a"));
        w.seconds(2).await;
        assert_eq!(w.waiting("absent"), ("CreateContainerConfigError".into(), "configmap \"absent\" not found".into()));
        assert_eq!(w.waiting("key").1, "couldn't find key a in ConfigMap default/present");
        assert_eq!(log(&w, "key", LogOptions::default()).await.unwrap_err(), "container \"app\" in pod \"key\" is waiting to start: CreateContainerConfigError");
        w.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "absent", "namespace": "default"}, "data": {"a": "1"}}));
        w.seconds(16).await;
        assert_eq!(w.get("absent")["status"]["phase"], "Running");
        let started = w.stub.started.lock().unwrap();
        assert!(started[0].env.contains(&("A".to_owned(), "1".to_owned())), "{:?}", started[0].env);
    });
}

#[test]
fn a_deleted_pod_is_stopped_and_then_gone() {
    in_world(|w| async move {
        w.pod("web", "test/sleep:1", json!({}));
        w.seconds(2).await;
        w.store.delete(&PODS, "default", "web", Propagation::Background).unwrap();
        w.seconds(2).await;
        assert!(w.store.get(&PODS, "default", "web").is_none());
        assert!(w.has_event("web", "Killing ×1: Stopping container app"));
    });
}

#[test]
fn probes_decide_on_ready_and_on_restarts() {
    in_world(|w| async move {
        let ports = json!([{"containerPort": 8080}]);
        let get = |path: &str| json!({"httpGet": {"path": path, "port": 8080}, "periodSeconds": 3});
        w.pod("good", "test/serve:1", json!({"ports": ports, "readinessProbe": get("/")}));
        let bad = json!([{"name": "STATUS", "value": "404"}]);
        w.pod("bad", "test/serve:1", json!({"ports": ports, "env": bad, "readinessProbe": get("/")}));
        w.pod("deaf", "test/sleep:1", json!({"livenessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 3}}));
        w.seconds(5).await;
        assert_eq!(w.container("good")["ready"], true, "{:#?}", w.events("good"));
        assert_eq!(w.container("bad")["ready"], false);
        assert_eq!(w.condition("bad", "Ready")["message"], "containers with unready status: [app]");
        assert!(w.has_event("bad", "Readiness probe failed: HTTP probe failed with statuscode: 404"));
        w.seconds(10).await;
        assert!(w.has_event("deaf", ":8080: connect: connection refused"), "{:#?}", w.events("deaf"));
        assert!(w.has_event("deaf", "Killing ×1: Container app failed liveness probe, will be restarted"));
        assert_eq!(w.container("deaf")["restartCount"], 1);
    });
}
