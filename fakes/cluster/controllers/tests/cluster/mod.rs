//! A store with its controllers, and a stand-in for the node that runs pods by the name of their image.

use std::sync::Arc;
use std::time::Duration;

use cluster_api::events::Recorder;
use cluster_api::{Res, Store, Verb, kinds, object};
use cluster_controllers::Options;
use field_clock::{Clock, FieldRuntime};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A world in field time.
pub(crate) struct World {
    runtime: FieldRuntime,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
}

impl World {
    pub(crate) fn start() -> Self {
        let runtime = FieldRuntime::start(field_clock::Options::default()).expect("a runtime");
        let clock = runtime.clock().clone();
        let store = Store::new(clock.clone());
        runtime.block_on(async {
            cluster_controllers::start(
                &store,
                CancellationToken::new(),
                &Options { ca_pem: "CA".to_owned() },
            );
            tokio::spawn(run_pods(store.clone()));
        });
        Self { runtime, store, clock }
    }

    /// Waits in field time until something holds; tells what is there when it never does.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Store) -> bool) {
        let mut changes = self.store.changes();
        let waited = self.runtime.block_on(self.clock.timeout(Duration::from_secs(1500), async {
            while !holds(&self.store) {
                changes.changed().await.expect("the store lives");
            }
        }));
        if waited.is_err() {
            let events = self.store.list(&kinds::EVENTS, None);
            let told: Vec<String> =
                events.iter().map(|event| format!("{} {}", event["reason"], event["message"])).collect();
            panic!("never happened: {what}\n{}", told.join("\n"));
        }
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.runtime.block_on(self.clock.sleep(Duration::from_secs(seconds)));
    }

    /// Creates an object in its namespace.
    pub(crate) fn create(&self, res: &Res, object: Value) -> Arc<Value> {
        self.store.create(res, object).expect("a valid object")
    }

    pub(crate) fn get(&self, res: &Res, name: &str) -> Arc<Value> {
        self.store.get(res, "default", name).unwrap_or_else(|| panic!("{res} {name} is there"))
    }

    /// Reason and message of the events about an object, in order.
    pub(crate) fn events(&self, kind: &str, name: &str) -> Vec<(String, String)> {
        let mut events = self.store.list(&kinds::EVENTS, None);
        events.retain(|event| {
            event["involvedObject"]["kind"] == kind && event["involvedObject"]["name"] == name
        });
        events.sort_by_key(|event| object::name(event).to_owned());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        events.iter().map(|event| (text(&event["reason"]), text(&event["message"]))).collect()
    }

    pub(crate) fn pods(&self) -> Vec<Arc<Value>> {
        self.store.list(&kinds::PODS, Some("default"))
    }
}

/// A pod template with one container of an image.
pub(crate) fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"terminationGracePeriodSeconds": 1,
        "containers": [{"name": "web", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}]}})
}

/// Status and reason of a condition.
pub(crate) fn condition(object: &Value, kind: &str) -> (String, String) {
    let found = object::condition(object, kind).cloned().unwrap_or_default();
    let text = |field: &str| found[field].as_str().unwrap_or("absent").to_owned();
    (text("status"), text("reason"))
}

/// Gives every pod a node and lives its life: `runs` becomes ready, `fails` ends with an error after a second, `ends`
/// succeeds after a second, `restarts` is started again, anything else waits for ever.
async fn run_pods(store: Store) {
    let mut watch = store.watch(&kinds::PODS, None);
    let mut events = 0;
    let recorder = Recorder::new(&store, "kubelet");
    while let Some(event) = watch.next().await {
        let pod = event.object;
        let (namespace, name) = (object::namespace(&pod).to_owned(), object::name(&pod).to_owned());
        if event.verb == Verb::Deleted {
            continue;
        }
        if object::is_deleting(&pod) {
            let store = store.clone();
            tokio::spawn(async move {
                store.clock().sleep(Duration::from_millis(500)).await;
                store.remove(&kinds::PODS, &namespace, &name);
            });
            continue;
        }
        if pod["spec"]["nodeName"].is_string() {
            continue;
        }
        events += 1;
        recorder.normal(&pod, "Scheduled", "to a node");
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned();
        let ip = format!("127.0.0.{events}");
        let bound = store.modify(&kinds::PODS, &namespace, &name, |pod| {
            pod["spec"]["nodeName"] = json!("node");
            pod["status"]["podIP"] = json!(ip);
        });
        bound.expect("the pod is there");
        tokio::spawn(live(store.clone(), namespace, name, image));
    }
}

async fn live(store: Store, namespace: String, name: String, image: String) {
    let show = |phase: &str, ready: &str, container: Value| {
        let now = store.clock().now();
        // A pod that was deleted in the meantime lives no more.
        let _ = store.modify(&kinds::PODS, &namespace, &name, |pod| {
            pod["status"]["phase"] = json!(phase);
            pod["status"]["containerStatuses"] = json!([container]);
            object::set_condition(pod, "Ready", ready, "", "", now);
        });
    };
    let ended = |code: i64| {
        json!({"restartCount": 0, "state": {"terminated": {"exitCode": code,
            "finishedAt": object::timestamp(store.clock().now())}}})
    };
    store.clock().sleep(Duration::from_secs(1)).await;
    match image.as_str() {
        "runs" => show("Running", "True", json!({"restartCount": 0})),
        "fails" => show("Failed", "False", ended(1)),
        "ends" => show("Succeeded", "False", ended(0)),
        "restarts" => show("Running", "False", json!({"restartCount": 1})),
        _ => {}
    }
}
