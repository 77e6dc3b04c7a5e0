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
        w.until(3, "its end is seen", |w| w.container("crash")["state"]["terminated"]["exitCode"] == 1).await;
        w.until(3, "it runs again at once", |w| w.container("crash")["restartCount"] == 1).await;
        assert_eq!(w.container("crash")["lastState"]["terminated"]["reason"], "Error");
        w.until(3, "it waits", |w| !w.waiting("crash").0.is_empty()).await;
        let uid = w.get("crash")["metadata"]["uid"].as_str().unwrap().to_owned();
        let waits = |time: &str| {
            (
                "CrashLoopBackOff".to_owned(),
                format!("back-off {time} restarting failed container=app pod=crash_default({uid})"),
            )
        };
        assert_eq!(w.waiting("crash"), waits("10s"));
        let began = w.clock.now();
        w.until(300, "it has run six times", |w| w.container("crash")["restartCount"] == 5).await;
        assert!(
            w.clock.now().duration_since(began).as_secs() >= 10 + 20 + 40 + 80,
            "{:#?}",
            w.events("crash")
        );
        w.until(30, "it waits longest so far", |w| w.waiting("crash") == waits("2m40s")).await;
        w.seconds(120).await;
        assert_eq!(w.container("crash")["restartCount"], 5, "{:#?}", w.events("crash"));
        assert_eq!(w.get("crash")["status"]["phase"], "Running");
        assert!(w.has_event(
            "crash",
            &format!("Back-off restarting failed container app in pod crash_default({uid})")
        ));
        assert_eq!(log(&w, "crash", LogOptions::default()).await.unwrap(), "Error: it does not work\n");
        assert!(log(&w, "crash", LogOptions { previous: true, ..LogOptions::default() }).await.is_ok());
    });
}

#[test]
fn memory_kills_and_good_ends_have_their_reasons() {
    in_world(|w| async move {
        w.pod("oom", "test/oom:1", json!({}));
        w.create(pod("job", "test/done:1", json!({}), json!({"restartPolicy": "Never"})));
        w.create(pod(
            "failed",
            "test/fail:1",
            json!({"terminationMessagePolicy": "FallbackToLogsOnError"}),
            json!({"restartPolicy": "Never"}),
        ));
        w.until(3, "the memory kill is seen", |w| {
            w.container("oom")["state"]["terminated"]["reason"] == "OOMKilled"
        })
        .await;
        w.until_phase(5, "job", "Succeeded").await;
        assert_eq!(w.condition("job", "Ready")["reason"], "PodCompleted");
        w.until_phase(5, "failed", "Failed").await;
        assert_eq!(w.container("failed")["state"]["terminated"]["message"], "Error: it does not work\n");
    });
}

#[test]
fn a_program_that_is_not_there_is_a_start_error() {
    in_world(|w| async move {
        w.pod("bad", "test/sleep:1", json!({"command": ["/usr/local/bin/not-there"]}));
        w.until(3, "the status says why it waits", |w| w.waiting("bad").0 == "RunContainerError").await;
        let message = w.waiting("bad").1;
        assert!(message.ends_with("error during container init: exec: \"/usr/local/bin/not-there\": stat /usr/local/bin/not-there: no such file or directory"), "{message}");
        let last = w.container("bad")["lastState"]["terminated"].clone();
        assert_eq!(
            (&last["reason"], &last["exitCode"], &last["startedAt"]),
            (&json!("StartError"), &json!(128), &json!("1970-01-01T00:00:00Z"))
        );
        assert_eq!(w.get("bad")["status"]["phase"], "Running");
    });
}

#[test]
fn init_containers_run_in_order_and_hold_the_others_back() {
    in_world(|w| async move {
        let init =
            json!([{"name": "first", "image": "test/done:1"}, {"name": "second", "image": "test/fail:1"}]);
        w.create(pod("init", "test/sleep:1", json!({}), json!({"initContainers": init})));
        let second = |w: &World| w.get("init")["status"]["initContainerStatuses"][1].clone();
        w.until(10, "the second is run again", |w| {
            second(w)["restartCount"].as_u64().is_some_and(|count| count >= 1)
        })
        .await;
        let status = w.get("init")["status"].clone();
        assert_eq!(status["phase"], "Pending");
        assert_eq!(status["containerStatuses"][0]["state"]["waiting"]["reason"], "PodInitializing");
        assert_eq!(status["initContainerStatuses"][0]["state"]["terminated"]["reason"], "Completed");
        assert_eq!(
            w.condition("init", "Initialized")["message"],
            "containers with incomplete status: [second]"
        );
        let options = LogOptions { container: Some("app".into()), ..LogOptions::default() };
        assert_eq!(
            log(&w, "init", options).await.unwrap_err(),
            "container \"app\" in pod \"init\" is waiting to start: PodInitializing"
        );
    });
}

#[test]
fn missing_keys_and_objects_keep_a_container_from_its_config() {
    in_world(|w| async move {
        w.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "present", "namespace": "default"}, "data": {"b": "2"}}));
        let key = |name: &str, key: &str| json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": name, "key": key}}}]});
        w.pod("absent", "test/sleep:1", key("absent", "a"));
        w.pod("key", "test/sleep:1", key("present", "a"));
        w.until(4, "both wait", |w| {
            ["absent", "key"].iter().all(|pod| w.waiting(pod).0 == "CreateContainerConfigError")
        })
        .await;
        assert_eq!(
            w.waiting("absent"),
            ("CreateContainerConfigError".into(), "configmap \"absent\" not found".into())
        );
        assert_eq!(w.waiting("key").1, "couldn't find key a in ConfigMap default/present");
        assert_eq!(
            log(&w, "key", LogOptions::default()).await.unwrap_err(),
            "container \"app\" in pod \"key\" is waiting to start: CreateContainerConfigError"
        );
        w.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "absent", "namespace": "default"}, "data": {"a": "1"}}));
        w.until_phase(20, "absent", "Running").await;
        let started = w.stub.started.lock().unwrap();
        assert!(started[0].env.contains(&("A".to_owned(), "1".to_owned())), "{:?}", started[0].env);
    });
}

#[test]
fn a_deleted_pod_is_stopped_and_then_gone() {
    in_world(|w| async move {
        w.pod("web", "test/sleep:1", json!({}));
        w.until_phase(4, "web", "Running").await;
        w.store.delete(&PODS, "default", "web", Propagation::Background).unwrap();
        w.until(3, "it is gone", |w| w.store.get(&PODS, "default", "web").is_none()).await;
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
        w.pod(
            "deaf",
            "test/sleep:1",
            json!({"livenessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 3}}),
        );
        w.until(6, "the good one is ready", |w| w.container("good")["ready"] == true).await;
        w.until_event(6, "bad", "Readiness probe failed: HTTP probe failed with statuscode: 404").await;
        assert_eq!(w.container("bad")["ready"], false);
        assert_eq!(w.condition("bad", "Ready")["message"], "containers with unready status: [app]");
        w.until_event(6, "deaf", ":8080: connect: connection refused").await;
        w.until_event(10, "deaf", "Killing ×1: Container app failed liveness probe, will be restarted").await;
        assert!(w.has_event("deaf", "Unhealthy ×3: Liveness probe failed"), "{:#?}", w.events("deaf"));
        w.until(4, "the deaf one runs again", |w| w.container("deaf")["restartCount"] == 1).await;
    });
}

#[test]
fn a_liveness_loop_is_restarted_at_once_twice_before_it_waits() {
    in_world(|w| async move {
        let probe = json!({"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 2, "periodSeconds": 3, "failureThreshold": 2});
        w.pod("loop", "test/sleep:1", json!({"livenessProbe": probe}));
        w.until_event(20, "loop", "Started ×3").await;
        assert!(w.has_event("loop", "Killing ×2"), "{:#?}", w.events("loop"));
        assert!(!w.has_event("loop", "BackOff"), "{:#?}", w.events("loop"));
        w.until_event(10, "loop", "Killing ×3").await;
        w.until_event(1, "loop", "BackOff ×1: Back-off restarting failed container app").await;
        w.until_event(30, "loop", "Started ×4").await;
    });
}
