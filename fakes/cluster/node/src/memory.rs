//! The machine's memory: when it runs out, the kubelet says so and takes pods from the node.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cluster_api::kinds::{NODES, PODS};
use cluster_api::object;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::go_time::since;
use crate::kubelet::Kubelet;
use crate::quantity;

/// How often the kubelet looks.
const LOOKS: Duration = Duration::from_secs(10);
/// Less than this is too little (`memory.available<100Mi`).
const THRESHOLD: u64 = 100 << 20;
/// How long it has to be enough until the kubelet says so.
const TRANSITION: Duration = Duration::from_secs(300);
/// What a container takes that asks for nothing.
const UNASKED: u64 = 40 << 20;

/// The machine's memory.
pub(crate) struct Memory {
    /// What programs outside of pods take.
    outside: watch::Sender<u64>,
    /// When it was too little last; nothing when the kubelet says that it is enough.
    pressed: Mutex<Option<Timestamp>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { outside: watch::Sender::new(0), pressed: Mutex::default() }
    }
}

impl Memory {
    /// Has programs outside of pods take all but this much, or nothing.
    pub(crate) fn leave(&self, node: &Kubelet, bytes: Option<u64>) {
        let taken = bytes.map_or(0, |bytes| unused(node).saturating_sub(bytes));
        self.outside.send_replace(taken);
    }

    /// Whether the kubelet says that there is too little.
    pub(crate) fn is_pressed(&self) -> bool {
        self.said().is_some()
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Option<Timestamp>> {
        self.pressed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pod and what it takes.
struct Taker {
    pod: Arc<Value>,
    takes: u64,
    asks: u64,
}

/// Looks after the memory until the node stops.
pub(crate) async fn keep(node: Arc<Kubelet>) {
    let mut outside = node.memory.outside.subscribe();
    loop {
        let idle = *outside.borrow_and_update() == 0 && !node.memory.is_pressed();
        tokio::select! {
            () = node.stop.cancelled() => return,
            // The node has the sender.
            _ = outside.changed() => {}
            () = node.clock.sleep(LOOKS), if !idle => {}
        }
        if node.process.life().running {
            look(&node);
        }
    }
}

fn look(node: &Kubelet) {
    let now = node.clock.now();
    let left = unused(node).saturating_sub(*node.memory.outside.borrow());
    if left < THRESHOLD {
        let before = node.memory.said().replace(now);
        if before.is_none() {
            say(node, true);
        }
        evict_one(node, left);
        return;
    }
    let enough_since = *node.memory.said();
    if enough_since.is_some_and(|last| since(&node.clock, last) >= TRANSITION) {
        *node.memory.said() = None;
        say(node, false);
    }
}

/// What pods leave of the machine's memory.
fn unused(node: &Kubelet) -> u64 {
    let capacity = node.store.get(&NODES, "", &node.name);
    let capacity =
        capacity.as_ref().and_then(|it| it["status"]["allocatable"]["memory"].as_str()).unwrap_or("0");
    bytes(capacity).saturating_sub(takers(node).iter().map(|it| it.takes).sum())
}

fn takers(node: &Kubelet) -> Vec<Taker> {
    let mut pods = node.store.list(&PODS, None);
    pods.retain(|pod| {
        let over = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed" | "Pending") | None);
        pod["spec"]["nodeName"] == node.name.as_str() && !over
    });
    let of = |pod: Arc<Value>| {
        let containers = pod["spec"]["containers"].as_array().map_or(&[][..], Vec::as_slice);
        let asked = |it: &Value| it["resources"]["requests"]["memory"].as_str().map(bytes);
        let asks = containers.iter().filter_map(asked).sum();
        let takes = containers.iter().map(|it| asked(it).map_or(UNASKED, |asked| asked + asked / 10)).sum();
        Taker { pod, takes, asks }
    };
    pods.into_iter().map(of).collect()
}

fn bytes(text: &str) -> u64 {
    u64::try_from(quantity::parse(text) / 1000).unwrap_or(u64::MAX)
}

/// Takes that pod from the node that takes most beyond what it asked for, of the least important ones.
fn evict_one(node: &Kubelet, left: u64) {
    let priority = |it: &Taker| it.pod["spec"]["priority"].as_i64().unwrap_or(0);
    let critical = |it: &Taker| {
        it.pod["spec"]["priorityClassName"].as_str().is_some_and(|name| name.starts_with("system-"))
    };
    let movable = takers(node).into_iter().filter(|it| !critical(it) && !object::is_deleting(&it.pod));
    let first =
        movable.max_by_key(|it| (-priority(it), it.takes - it.asks, object::name(&it.pod).to_owned()));
    let Some(first) = first else { return };
    let list = first.pod["spec"]["containers"].as_array().map_or(&[][..], Vec::as_slice);
    let mut why = format!(
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: {}Ki. ",
        left >> 10
    );
    for container in list {
        let asked = container["resources"]["requests"]["memory"].as_str().unwrap_or("0");
        let takes = if asked == "0" { UNASKED } else { bytes(asked) + bytes(asked) / 10 };
        let name = container["name"].as_str().unwrap_or("");
        why.push_str(&format!(
            "Container {name} was using {}Ki, request is {asked}, has larger consumption of memory. ",
            takes >> 10
        ));
    }
    node.evictions.order(object::uid(&first.pod), why);
}

/// Writes the condition, and the event that goes with it.
fn say(node: &Kubelet, pressed: bool) {
    let stamp = object::timestamp(node.clock.now());
    let (status, reason, message, news) = words(pressed);
    let written = node.store.modify(&NODES, "", &node.name, |object| {
        let conditions = object["status"]["conditions"].as_array_mut();
        for it in conditions.into_iter().flatten().filter(|it| it["type"] == "MemoryPressure") {
            *it = json!({"lastHeartbeatTime": stamp, "lastTransitionTime": stamp, "message": message, "reason": reason,
                "status": status, "type": "MemoryPressure"});
        }
    });
    match written {
        Ok(object) => {
            let text = format!("Node {} status is now: {news}", node.name);
            node.recorder.normal(&object, news, &text);
            if pressed {
                node.recorder.warning(&object, "EvictionThresholdMet", "Attempting to reclaim memory");
            }
        }
        Err(error) => tracing::warn!(%error, "cannot write the node's memory pressure"),
    }
}

/// Status, reason and message of the condition, and the reason of the event.
pub(crate) fn words(pressed: bool) -> (&'static str, &'static str, &'static str, &'static str) {
    if pressed {
        let message = "kubelet has insufficient memory available";
        ("True", "KubeletHasInsufficientMemory", message, "NodeHasInsufficientMemory")
    } else {
        let message = "kubelet has sufficient memory available";
        ("False", "KubeletHasSufficientMemory", message, "NodeHasSufficientMemory")
    }
}
