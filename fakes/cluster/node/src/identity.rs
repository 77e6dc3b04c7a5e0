//! The node's object and its heartbeat.

use std::sync::Arc;
use std::time::Duration;

use cluster_api::kinds::{LEASES, NODES};
use cluster_api::object;
use serde_json::{Value, json};

use crate::go_time::after;
use crate::kubelet::Kubelet;
use crate::memory;

const LEASES_NAMESPACE: &str = "kube-node-lease";
const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);
const LEASE_SECONDS: u64 = 40;
/// From the start of a kubelet to its first word about the node.
const STARTING_TAKES: Duration = Duration::from_millis(300);

/// Registers the node and renews its lease until the node stops.
pub(crate) async fn run(node: Arc<Kubelet>) {
    let mut process = node.process.subscribe();
    let mut beat = node.clock.now();
    let (mut number, mut boot) = (process.borrow().number, process.borrow().boot);
    let mut told = Doors::Open;
    loop {
        let life = *process.borrow_and_update();
        if life.running {
            if life.number != number {
                number = life.number;
                told = Doors::Open;
                say_started(&node);
                if life.boot != boot {
                    boot = life.boot;
                    say_rebooted(&node);
                }
                node.clock.sleep(STARTING_TAKES).await;
                beat = node.clock.now();
            }
            register(&node);
            told = say_doors(&node, told);
            renew(&node);
        }
        beat = after(beat, HEARTBEAT_EVERY);
        tokio::select! {
            () = node.stop.cancelled() => return,
            () = node.clock.sleep_until(beat) => {}
            // Nobody but this task ends with the process's sender.
            _ = process.changed() => {}
        }
    }
}

/// What a kubelet says of its node when it starts.
fn say_started(node: &Kubelet) {
    if let Some(object) = node.store.get(&NODES, "", &node.name) {
        node.recorder.normal(&object, "Starting", "Starting kubelet.");
    }
}

/// What it says when the machine was started again.
fn say_rebooted(node: &Kubelet) {
    let boot = node.store.chance().uuid();
    let written = node.store.modify(&NODES, "", &node.name, |object| {
        object["status"]["nodeInfo"]["bootID"] = json!(boot);
    });
    match written {
        Ok(object) => {
            let text = format!("Node {} has been rebooted, boot id: {boot}", node.name);
            node.recorder.warning(&object, "Rebooted", &text);
        }
        Err(error) => tracing::warn!(%error, "cannot write the node's boot"),
    }
}

/// Whether new pods may come to a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doors {
    Open,
    Closed,
}

impl Doors {
    fn of(node: &Value) -> Self {
        if node["spec"]["unschedulable"] == true { Self::Closed } else { Self::Open }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Open => "NodeSchedulable",
            Self::Closed => "NodeNotSchedulable",
        }
    }
}

/// A kubelet says at its next beat that somebody has closed its node to new pods, or opened it again. Returns what it has told.
fn say_doors(node: &Kubelet, told: Doors) -> Doors {
    let Some(object) = node.store.get(&NODES, "", &node.name) else { return told };
    let found = Doors::of(&object);
    if found != told {
        let reason = found.reason();
        node.recorder.normal(&object, reason, &format!("Node {} status is now: {reason}", node.name));
    }
    found
}

/// A kubelet says of its node what it finds when that is news.
fn say_found(node: &Kubelet, object: &Value) {
    let status = |kind: &str| object::condition(object, kind).and_then(|c| c["status"].as_str());
    let mut news = Vec::new();
    let (memory, _, _, of_memory) = memory::words(node.memory.is_pressed());
    for (kind, good, reason) in [
        ("MemoryPressure", memory, of_memory),
        ("DiskPressure", "False", "NodeHasNoDiskPressure"),
        ("PIDPressure", "False", "NodeHasSufficientPID"),
        ("Ready", "True", "NodeReady"),
    ] {
        if status(kind) != Some(good) {
            news.push(reason);
        }
    }
    if !news.is_empty() {
        node.recorder.normal(object, "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
    }
    for reason in news {
        let message = format!("Node {} status is now: {reason}", node.name);
        node.recorder.normal(object, reason, &message);
    }
}

/// Makes the node's object, or mends its conditions.
pub(crate) fn register(node: &Kubelet) {
    let now = node.clock.now();
    let missing = node.store.get(&NODES, "", &node.name).is_none();
    if missing && let Err(error) = node.store.create(&NODES, description(node)) {
        tracing::warn!(%error, "cannot register the node");
        return;
    }
    let stamp = object::timestamp(now);
    if let Some(object) = node.store.get(&NODES, "", &node.name) {
        say_found(node, &object);
    }
    let outcome = node.store.modify(&NODES, "", &node.name, |object| {
        let healthy = object::condition(object, "Ready").is_some_and(|ready| ready["status"] == "True");
        if missing || !healthy {
            object["status"]["conditions"] = conditions(node, object, &stamp);
        }
    });
    if let Err(error) = outcome {
        tracing::warn!(%error, "cannot write the status of the node");
    }
}

fn conditions(node: &Kubelet, object: &Value, stamp: &str) -> Value {
    let (memory, reason, message, _) = memory::words(node.memory.is_pressed());
    let list = [
        ("MemoryPressure", memory, reason, message),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ];
    let list = list.map(|(kind, status, reason, message)| {
        let before = object::condition(object, kind).filter(|c| c["status"] == status);
        let since = before.map_or_else(|| json!(stamp), |c| c["lastTransitionTime"].clone());
        json!({"lastHeartbeatTime": stamp, "lastTransitionTime": since, "message": message, "reason": reason, "status": status, "type": kind})
    });
    Value::Array(list.to_vec())
}

fn description(node: &Kubelet) -> Value {
    let name = &node.name;
    let cidr = node.network.pod_cidr();
    let pods = node.max_pods.to_string();
    let capacity = json!({"cpu": "4", "ephemeral-storage": "264212084Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0", "memory": "16384000Ki", "pods": pods});
    let allocatable = json!({"cpu": "3950m", "ephemeral-storage": "243230215Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0", "memory": "15797248Ki", "pods": pods});
    let images: Vec<Value> = node
        .images
        .list()
        .into_iter()
        .map(|(name, size)| json!({"names": [name], "sizeBytes": size}))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"},
            "labels": {
                "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "node-role.kubernetes.io/control-plane": "",
            },
        },
        "spec": {"podCIDR": cidr, "podCIDRs": [cidr]},
        "status": {
            "addresses": [{"address": node.ip, "type": "InternalIP"}, {"address": name, "type": "Hostname"}],
            "allocatable": allocatable, "capacity": capacity,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "images": images,
            "nodeInfo": {
                "architecture": "amd64", "bootID": "e2a5c5c9-bc3d-46ba-9db3-f44ae87b2a76", "containerRuntimeVersion": "containerd://2.1.5",
                "kernelVersion": "6.12.58-talos", "kubeProxyVersion": "", "kubeletVersion": "v1.34.4", "machineID": "7c0e0a5a8e3b4f0d9a3d5f4e1b2c3d4e",
                "operatingSystem": "linux", "osImage": "Talos (v1.11.5)", "systemUUID": "7c0e0a5a-8e3b-4f0d-9a3d-5f4e1b2c3d4e",
            },
        },
    })
}

/// Renews the lease that says that the node lives.
fn renew(node: &Kubelet) {
    let renewed = object::micro_timestamp(node.clock.now());
    let known = node.store.modify(&LEASES, LEASES_NAMESPACE, &node.name, |lease| {
        lease["spec"]["renewTime"] = json!(renewed);
    });
    if known.is_ok() {
        return;
    }
    let owner = node.store.get(&NODES, "", &node.name).map(|object| {
        json!([{"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": object::uid(&object)}])
    });
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": node.name, "namespace": LEASES_NAMESPACE, "ownerReferences": owner},
        "spec": {"holderIdentity": node.name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": renewed},
    });
    if let Err(error) = node.store.create(&LEASES, lease) {
        tracing::debug!(%error, "cannot make the lease of the node yet");
    }
}
