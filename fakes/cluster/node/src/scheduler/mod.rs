//! The scheduler: finds a node for each pod, or says why there is none.

mod fit;
mod load;
mod texts;
mod volumes;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use cluster_api::events::Recorder;
use cluster_api::kinds::{NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES};
use cluster_api::{Store, Verb, WatchEvent, object};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use load::Load;
use volumes::Claims;

/// What a pod without a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Its turn.
    Try,
    /// A change that may help.
    Change,
}

struct Scheduler {
    store: Store,
    recorder: Recorder,
    waiting: BTreeMap<(String, String), Next>,
    /// What of each node matters here.
    nodes: HashMap<String, Value>,
    load: Load,
}

/// The most that a decision takes.
const TAKES: Duration = Duration::from_millis(8);

/// Schedules until it is stopped.
pub(crate) async fn run(store: Store, stop: CancellationToken) {
    let mut pods = store.watch(&PODS, None);
    let mut nodes = store.watch(&NODES, None);
    let mut claims = store.watch(&PERSISTENT_VOLUME_CLAIMS, None);
    let mut volumes = store.watch(&PERSISTENT_VOLUMES, None);
    let mut classes = store.watch(&STORAGE_CLASSES, None);
    let recorder = Recorder::new(&store, "default-scheduler");
    let mut scheduler =
        Scheduler { store, recorder, waiting: BTreeMap::new(), nodes: HashMap::new(), load: Load::default() };
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Some(event) = nodes.next() => scheduler.see_node(&event),
            Some(event) = pods.next() => scheduler.see_pod(&event),
            Some(_) = claims.next() => scheduler.stir(),
            Some(_) = volumes.next() => scheduler.stir(),
            Some(_) = classes.next() => scheduler.stir(),
        }
        while let Some(event) = nodes.try_next() {
            scheduler.see_node(&event);
        }
        while let Some(event) = pods.try_next() {
            scheduler.see_pod(&event);
        }
        while claims.try_next().is_some() || volumes.try_next().is_some() || classes.try_next().is_some() {}
        if scheduler.has_work() {
            let moment = scheduler.store.chance().moment(TAKES);
            scheduler.store.clock().sleep(moment).await;
        }
        scheduler.work();
    }
}

impl Scheduler {
    /// Something changed that may help pods without a node.
    fn stir(&mut self) {
        self.waiting.values_mut().for_each(|next| *next = Next::Try);
    }

    /// Heartbeats change nothing here; labels, taints and capacity do.
    fn see_node(&mut self, event: &WatchEvent) {
        let node = &event.object;
        let name = object::name(node).to_owned();
        if event.verb == Verb::Deleted {
            self.nodes.remove(&name);
            return;
        }
        let matters = json!([node["metadata"]["labels"], node["spec"], node["status"]["allocatable"]]);
        if self.nodes.insert(name, matters.clone()).is_none_or(|before| before != matters) {
            self.stir();
        }
    }

    fn see_pod(&mut self, event: &WatchEvent) {
        let pod = &event.object;
        let key = (object::namespace(pod).to_owned(), object::name(pod).to_owned());
        let bound = pod["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty());
        let over = event.verb == Verb::Deleted
            || matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        if bound && !over {
            self.load.occupy(pod);
        } else {
            self.load.vacate(pod);
        }
        let ours = pod["spec"]["schedulerName"].as_str().is_none_or(|name| name == "default-scheduler");
        if bound || over || !ours || object::is_deleting(pod) {
            self.waiting.remove(&key);
            if over && bound {
                self.stir();
            }
        } else {
            self.waiting.entry(key).or_insert(Next::Try);
        }
    }

    fn has_work(&self) -> bool {
        self.waiting.values().any(|next| *next == Next::Try)
    }

    fn work(&mut self) {
        let due: Vec<_> =
            self.waiting.iter().filter(|(_, next)| **next == Next::Try).map(|(key, _)| key.clone()).collect();
        for key in due {
            self.waiting.insert(key.clone(), Next::Change);
            if let Some(pod) = self.store.get(&PODS, &key.0, &key.1) {
                self.schedule(&pod);
            }
        }
    }

    fn schedule(&mut self, pod: &Arc<Value>) {
        let nodes = self.store.list(&NODES, None);
        if nodes.is_empty() {
            return self.refuse(pod, texts::NO_NODES.to_owned());
        }
        let claims = match volumes::claims(&self.store, pod) {
            Ok(claims) => claims,
            Err(why) => return self.refuse(pod, texts::before_nodes(nodes.len(), &why)),
        };
        let mut misfits = Vec::new();
        for node in &nodes {
            match fit::fit(pod, node, self.load.of(object::name(node)), &claims) {
                Ok(()) => return self.place(pod, node, &claims),
                Err(misfit) => misfits.push(misfit),
            }
        }
        self.refuse(pod, texts::misfits(nodes.len(), &misfits));
    }

    /// Claims that waited for their first consumer learn of the node; the pod is bound when all of them are.
    fn place(&mut self, pod: &Value, node: &Value, claims: &Claims) {
        if !claims.unbound.is_empty() {
            for claim in &claims.unbound {
                volumes::select_node(&self.store, claim, object::name(node));
            }
            return;
        }
        let stamp = object::timestamp(self.store.clock().now());
        let bound = self.store.modify(&PODS, object::namespace(pod), object::name(pod), |pod| {
            pod["spec"]["nodeName"] = json!(object::name(node));
            set_scheduled(pod, &stamp, None);
        });
        match bound {
            Ok(pod) => {
                self.load.occupy(&pod);
                let (namespace, name) = (object::namespace(&pod), object::name(&pod));
                let text = format!("Successfully assigned {namespace}/{name} to {}", object::name(node));
                self.recorder.normal(&pod, "Scheduled", &text);
            }
            Err(error) => tracing::debug!(%error, "cannot bind a pod"),
        }
    }

    fn refuse(&self, pod: &Value, text: String) {
        self.recorder.warning(pod, "FailedScheduling", &text);
        let stamp = object::timestamp(self.store.clock().now());
        let written = self.store.modify(&PODS, object::namespace(pod), object::name(pod), |pod| {
            set_scheduled(pod, &stamp, Some(&text));
        });
        if let Err(error) = written {
            tracing::debug!(%error, "cannot say why a pod is not scheduled");
        }
    }
}

/// Writes the condition `PodScheduled`, false when there is a reason against it.
fn set_scheduled(pod: &mut Value, stamp: &str, against: Option<&str>) {
    let generation = object::generation(pod).max(1);
    let status = if against.is_some() { "False" } else { "True" };
    let before = object::condition(pod, "PodScheduled").filter(|c| c["status"] == status);
    let since = before.map_or_else(|| json!(stamp), |c| c["lastTransitionTime"].clone());
    let mut condition = json!({"lastProbeTime": null, "lastTransitionTime": since});
    if let Some(text) = against {
        condition["message"] = json!(text);
        condition["reason"] = json!("Unschedulable");
    }
    condition["observedGeneration"] = json!(generation);
    condition["status"] = json!(status);
    condition["type"] = json!("PodScheduled");
    let status = object::child(pod, "status");
    match status.get_mut("conditions").and_then(Value::as_array_mut) {
        Some(list) => {
            list.retain(|c| c["type"] != "PodScheduled");
            list.push(condition);
        }
        None => status["conditions"] = json!([condition]),
    }
}
