//! Node lifecycle: a kubelet whose Lease stands still is gone, and so are its pods before long.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cluster_api::events::Recorder;
use cluster_api::{Propagation, Store, kinds, object};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::control::{Controller, Next, Reconcile, moment, note, own};
use crate::pods;
use crate::queue::Key;

/// A Lease that was not renewed for so long means that the node is gone.
const GRACE: Duration = Duration::from_secs(40);
/// Nodes are looked at so often, so that the grace ends at one of these looks.
const PERIOD: Duration = Duration::from_secs(5);
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// A node on which somebody put `unschedulable`; it is no condition.
const CORDONED: &str = "";
/// Conditions, and the taints that follow from them.
const BY_STATE: [(&str, &str); 4] = [
    ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "node.kubernetes.io/pid-pressure"),
    (CORDONED, "node.kubernetes.io/unschedulable"),
];

/// The newest renewal of a node's Lease, and when it was seen here.
struct Sign {
    renewal: String,
    seen: Timestamp,
}

struct Nodes {
    store: Store,
    nodes: Recorder,
    evictions: Recorder,
    started: Timestamp,
    signs: HashMap<String, Sign>,
    /// Pods that are deleted when their patience is over.
    planned: HashSet<Key>,
    /// When each taint that says no time of its own was first seen, by node, key and value.
    tainted: HashMap<[String; 3], Timestamp>,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    Controller::new(store, stop)
        .watch(&kinds::NODES, own)
        .watch(&kinds::LEASES, |lease| {
            let of_node = object::namespace(lease) == "kube-node-lease";
            of_node.then(|| Key::new("", object::name(lease))).into_iter().collect()
        })
        .run(Nodes {
            store: store.clone(),
            nodes: Recorder::new(store, "node-controller"),
            evictions: Recorder::new(store, "taint-eviction-controller"),
            started: store.clock().now(),
            signs: HashMap::new(),
            planned: HashSet::new(),
            tainted: HashMap::new(),
        });
}

impl Reconcile for Nodes {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(node) = self.store.get(&kinds::NODES, "", &key.name) else {
            self.signs.remove(&key.name);
            return Next::Change;
        };
        let now = self.store.clock().now();
        let deadline = self.deadline(&node, now);
        match ready_status(&node) {
            "Unknown" => self.set_taints(&node, &[(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]),
            "False" => self.set_taints(&node, &[(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]),
            _ => {
                // Pods are let run again at the next look only.
                let look = self.next_look(&node, now);
                let kept = [(UNREACHABLE, "NoExecute"), (NOT_READY, "NoExecute")];
                let kept = kept.iter().filter(|pair| look > now && has_taint(&node, **pair)).copied();
                self.set_taints(&node, &kept.collect::<Vec<_>>());
                if look > now {
                    let evictions = self.evict(&node, now);
                    return Next::At(look).or(Next::At(deadline)).or(evictions);
                }
            }
        }
        let node = self.store.get(&kinds::NODES, "", &key.name).unwrap_or(node);
        if ready_status(&node) != "Unknown" {
            if deadline > now {
                return Next::At(deadline).or(self.evict(&node, now));
            }
            self.lose(&node, now);
            return Next::Change;
        }
        self.mark_pods(&node, now);
        self.evict(&node, now)
    }
}

fn ready_status(node: &Value) -> &str {
    object::condition(node, "Ready").and_then(|ready| ready["status"].as_str()).unwrap_or("")
}

fn has_taint(node: &Value, (key, effect): (&str, &str)) -> bool {
    let listed = node["spec"]["taints"].as_array().map_or(&[][..], Vec::as_slice);
    listed.iter().any(|taint| taint["key"] == key && taint["effect"] == effect)
}

/// The taints that follow from what is known of a node: nothing new is put on it.
fn by_state(node: &Value) -> impl Iterator<Item = (&'static str, &'static str)> {
    let holds = |kind: &str| match object::condition(node, kind) {
        Some(condition) => condition["status"] == "True",
        None => kind == CORDONED && node["spec"]["unschedulable"] == true,
    };
    BY_STATE.iter().filter(move |(kind, _)| holds(kind)).map(|(_, key)| (*key, "NoSchedule"))
}

impl Nodes {
    /// The look at which a node that is back is let have its pods again; now when there is nothing to let go.
    fn next_look(&self, node: &Value, now: Timestamp) -> Timestamp {
        let tainted = [UNREACHABLE, NOT_READY].iter().any(|key| has_taint(node, (key, "NoExecute")));
        let came_back =
            object::condition(node, "Ready").and_then(|ready| moment(&ready["lastTransitionTime"]));
        let Some(back) = came_back.filter(|_| tainted) else { return now };
        let period = PERIOD.as_secs();
        let since = u64::try_from(back.duration_since(self.started).as_secs()).unwrap_or(0);
        (self.started + Duration::from_secs((since / period + 1) * period)).max(now)
    }

    /// When the node counts as lost unless its Lease is renewed before.
    fn deadline(&mut self, node: &Value, now: Timestamp) -> Timestamp {
        let name = object::name(node);
        let lease = self.store.get(&kinds::LEASES, "kube-node-lease", name);
        let renewal = lease.as_ref().and_then(|lease| lease["spec"]["renewTime"].as_str()).unwrap_or("");
        let sign = self
            .signs
            .entry(name.to_owned())
            .or_insert_with(|| Sign { renewal: renewal.to_owned(), seen: now });
        if sign.renewal != renewal {
            *sign = Sign { renewal: renewal.to_owned(), seen: now };
        }
        let after_start = (sign.seen + GRACE).duration_since(self.started).as_secs();
        let period = i64::try_from(PERIOD.as_secs()).unwrap_or(5);
        let looks = u64::try_from(after_start / period + 1).unwrap_or(0);
        self.started + Duration::from_secs(looks * PERIOD.as_secs())
    }

    /// Writes that nothing is known of the node any more.
    fn lose(&self, node: &Value, now: Timestamp) {
        let stamp = object::timestamp(now);
        let outcome = self.store.modify(&kinds::NODES, "", object::name(node), |node| {
            let status = object::child(node, "status");
            let mut conditions = status["conditions"].as_array().cloned().unwrap_or_default();
            for kind in ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"] {
                if !conditions.iter().any(|condition| condition["type"] == kind) {
                    conditions.push(json!({"type": kind, "lastHeartbeatTime": stamp}));
                }
            }
            for condition in &mut conditions {
                if condition["status"] != "Unknown" {
                    condition["lastTransitionTime"] = json!(stamp);
                }
                condition["status"] = json!("Unknown");
                condition["reason"] = json!("NodeStatusUnknown");
                condition["message"] = json!("Kubelet stopped posting node status.");
            }
            status["conditions"] = json!(conditions);
        });
        note("write a lost node", outcome);
        let message = format!("Node {} status is now: NodeNotReady", object::name(node));
        self.nodes.normal(node, "NodeNotReady", &message);
    }

    /// Taints the node with these and no others of this controller's, one write each.
    fn set_taints(&self, node: &Value, wanted: &[(&'static str, &'static str)]) {
        let listed = node["spec"]["taints"].as_array().map_or(&[][..], Vec::as_slice);
        let is =
            |taint: &Value, (key, effect): (&str, &str)| taint["key"] == key && taint["effect"] == effect;
        let states = by_state(node);
        let wanted: Vec<(&str, &str)> = wanted.iter().copied().chain(states).collect();
        let ours = |taint: &Value| {
            taint["key"] == UNREACHABLE
                || taint["key"] == NOT_READY
                || BY_STATE.iter().any(|(_, key)| taint["key"] == *key && taint["effect"] == "NoSchedule")
        };
        let stale = |taint: &Value| ours(taint) && !wanted.iter().any(|pair| is(taint, *pair));
        if listed.iter().any(stale) {
            let outcome = self.store.modify(&kinds::NODES, "", object::name(node), |node| {
                let Some(taints) = node["spec"]["taints"].as_array_mut() else { return };
                taints.retain(|taint| !stale(taint));
                if taints.is_empty() {
                    node["spec"].as_object_mut().map(|spec| spec.shift_remove("taints"));
                }
            });
            note("take a taint away", outcome);
        }
        let now = object::timestamp(self.store.clock().now());
        for pair in wanted.iter().filter(|pair| !listed.iter().any(|taint| is(taint, **pair))) {
            let outcome = self.store.modify(&kinds::NODES, "", object::name(node), |node| {
                let taint = json!({"key": pair.0, "effect": pair.1, "timeAdded": now});
                match object::child(node, "spec").get_mut("taints").and_then(Value::as_array_mut) {
                    Some(taints) => taints.push(taint),
                    None => node["spec"]["taints"] = json!([taint]),
                }
            });
            note("taint a node", outcome);
        }
    }

    fn pods_on(&self, node: &Value) -> Vec<std::sync::Arc<Value>> {
        let mut pods = self.store.list(&kinds::PODS, None);
        pods.retain(|pod| pod["spec"]["nodeName"] == node["metadata"]["name"]);
        pods
    }

    /// The pods of a lost node are not ready, whatever their containers last said.
    fn mark_pods(&self, node: &Value, now: Timestamp) {
        let stamp = object::timestamp(now);
        for pod in self.pods_on(node).iter().filter(|pod| pods::is_ready(pod)) {
            let (namespace, name) = (object::namespace(pod), object::name(pod));
            let outcome = self.store.modify(&kinds::PODS, namespace, name, |pod| {
                let Some(conditions) = pod["status"]["conditions"].as_array_mut() else { return };
                for condition in conditions.iter_mut().filter(|condition| condition["type"] == "Ready") {
                    condition["status"] = json!("False");
                    condition["lastTransitionTime"] = json!(stamp);
                }
            });
            note("mark a pod not ready", outcome);
            self.nodes.warning(pod, "NodeNotReady", "Node is not ready");
        }
    }

    /// From when each taint counts: the time it says, or when it was first seen.
    fn since(&mut self, node: &Value, taints: &[&Value], now: Timestamp) -> Vec<Timestamp> {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let name = object::name(node).to_owned();
        let names: Vec<[String; 3]> =
            taints.iter().map(|taint| [name.clone(), text(&taint["key"]), text(&taint["value"])]).collect();
        self.tainted.retain(|known, _| known[0] != name || names.contains(known));
        let first = |(taint, key): (&&Value, [String; 3])| {
            moment(&taint["timeAdded"]).unwrap_or_else(|| *self.tainted.entry(key).or_insert(now))
        };
        taints.iter().zip(names).map(first).collect()
    }

    /// The node has no taint any more that its pods would have to leave for.
    fn call_off(&mut self, node: &Value) {
        for pod in self.pods_on(node) {
            if self.planned.remove(&Key::of(&pod)) {
                let (namespace, name) = (object::namespace(&pod), object::name(&pod));
                let message = format!("Cancelling deletion of Pod {namespace}/{name}");
                self.evictions.normal(&pod, "TaintManagerEviction", &message);
            }
        }
    }

    /// Deletes pods that have tolerated the node's `NoExecute` taints for as long as they do.
    fn evict(&mut self, node: &Value, now: Timestamp) -> Next {
        let taints = node["spec"]["taints"].as_array().map_or(&[][..], Vec::as_slice);
        let taints: Vec<&Value> = taints.iter().filter(|taint| taint["effect"] == "NoExecute").collect();
        let since = self.since(node, &taints, now);
        let mut next = Next::Change;
        if taints.is_empty() {
            self.call_off(node);
            return next;
        }
        for pod in self.pods_on(node) {
            let ends = taints.iter().zip(&since);
            let ends =
                ends.filter_map(|(taint, since)| patience(&pod, taint).map(|patience| *since + patience));
            let Some(end) = ends.min() else { continue };
            if object::is_deleting(&pod) || pods::is_finished(&pod) {
                continue;
            }
            if end > now {
                next = next.or(Next::At(end));
                self.planned.insert(Key::of(&pod));
                continue;
            }
            let (namespace, name) = (object::namespace(&pod), object::name(&pod));
            let message = format!("Marking for deletion Pod {namespace}/{name}");
            self.evictions.normal(&pod, "TaintManagerEviction", &message);
            note("evict a pod", self.store.delete(&kinds::PODS, namespace, name, Propagation::Background));
        }
        next
    }
}

/// How long a pod stays under a taint; `None` is for ever.
fn patience(pod: &Value, taint: &Value) -> Option<Duration> {
    let tolerations = pod["spec"]["tolerations"].as_array().map_or(&[][..], Vec::as_slice);
    let said = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let fits = |toleration: &&Value| {
        (!said(&toleration["key"]) || toleration["key"] == taint["key"])
            && (!said(&toleration["effect"]) || toleration["effect"] == taint["effect"])
            && (toleration["operator"] == "Exists" || text(&toleration["value"]) == text(&taint["value"]))
    };
    match tolerations.iter().find(fits) {
        Some(toleration) => toleration["tolerationSeconds"].as_u64().map(Duration::from_secs),
        None => Some(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toleration_without_seconds_keeps_the_pod_for_ever() {
        let taint = json!({"key": UNREACHABLE, "effect": "NoExecute"});
        let pod = |toleration: Value| json!({"spec": {"tolerations": [toleration]}});
        assert_eq!(patience(&pod(json!({"operator": "Exists"})), &taint), None);
        let five =
            json!({"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5});
        assert_eq!(patience(&pod(five), &taint), Some(Duration::from_secs(5)));
        assert_eq!(patience(&json!({}), &taint), Some(Duration::ZERO));
        let dedicated = json!({"key": "dedicated", "value": "gpu", "effect": "NoExecute"});
        let tolerates = |value: &str| patience(&pod(json!({"key": "dedicated", "value": value})), &dedicated);
        assert_eq!((tolerates("gpu"), tolerates("cpu")), (None, Some(Duration::ZERO)));
    }
}
