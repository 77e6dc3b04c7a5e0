//! Causes at the node.

use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Cause, Ground, Noticed, Objects, Set, Sighting, WorldError, done, failed, read, unsupported};
use crate::fault::{FaultUse, HealStep};
use crate::world::InjectError;

/// The taint of a control plane, which keeps everything away where there is no other node.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
/// What marks a cordoned node.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// How long the machine is away; Kubernetes counts a node as lost after 40 s.
const RESTART_TAKES: Duration = Duration::from_secs(30);
/// What is left of the memory: less than a kubelet accepts.
const LEFT: u64 = 60 << 20;

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let (machine, node) = (ground.machine, ground.machine.node());
    match fault.name() {
        "node.kubelet-stopped" => {
            machine.stop_kubelet().await.map_err(|error| error.of(fault.name()))?;
            Ok(Rc::new(Lost(Noticed::default())))
        }
        "node.taint" => {
            let taint = Taint::of(fault, ground.now());
            taint.put(ground.objects, node).await.map_err(|source| failed(fault.name(), source))?;
            Ok(Rc::new(taint))
        }
        "node.cordoned" => {
            cordon(ground.objects, node, Takes::Nothing)
                .await
                .map_err(|source| failed(fault.name(), source))?;
            Ok(Rc::new(Cordoned(Noticed::default())))
        }
        "node.memory" => {
            machine.leave_memory(Some(LEFT)).await.map_err(|error| error.of(fault.name()))?;
            Ok(Rc::new(Said { reason: "NodeHasInsufficientMemory", since: ground.now() }))
        }
        "node.reboot" => {
            let since = ground.now();
            machine.reboot(RESTART_TAKES).await.map_err(|error| error.of(fault.name()))?;
            Ok(Rc::new(Rebooted { since }))
        }
        other => Err(unsupported(other)),
    }
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let (machine, node) = (ground.machine, ground.machine.node());
    match step.name() {
        "node.start-kubelet" => machine.start_kubelet().await.map_err(|error| error.of(step.name())),
        "node.remove-taint" => {
            let key = step.params.text("key").unwrap_or(CONTROL_PLANE);
            done(step, remove_taint(ground.objects, node, key).await, "taint", key)
        }
        "node.uncordon" => done(step, cordon(ground.objects, node, Takes::Pods).await, "cordoned node", node),
        "node.free-memory" => machine.leave_memory(None).await.map_err(|error| error.of(step.name())),
        other => Err(unsupported(other)),
    }
}

/// A kubelet that does not say anything.
struct Lost(Noticed);

#[async_trait(?Send)]
impl Cause for Lost {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let node = ground.objects.get(&kinds::NODES, "", ground.machine.node());
        let lost = node.as_ref().and_then(|node| object::condition(node, "Ready"));
        let lost = lost.is_some_and(|ready| ready["reason"] == "NodeStatusUnknown");
        self.0.if_so(lost, ground, "the node's Lease stood still, and the node is not Ready")
    }
}

/// A taint that somebody put on the node.
struct Taint {
    key: String,
    value: Option<String>,
    effect: String,
    since: Timestamp,
}

impl Taint {
    fn of(fault: &FaultUse, since: Timestamp) -> Self {
        let text = |name: &str| fault.params.text(name).map(str::to_owned);
        Self {
            key: text("key").unwrap_or_else(|| CONTROL_PLANE.to_owned()),
            value: text("value"),
            effect: text("effect").unwrap_or_else(|| "NoSchedule".to_owned()),
            since,
        }
    }

    async fn put(&self, objects: &Objects, node: &str) -> Result<(), WorldError> {
        let mut taint = json!({ "key": self.key, "effect": self.effect });
        if let Some(value) = &self.value {
            taint["value"] = json!(value);
        }
        if self.effect == "NoExecute" {
            taint["timeAdded"] = json!(object::timestamp(self.since));
        }
        let put = |node: &mut Value| {
            let mut taints = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
            taints.retain(|it| it["key"] != taint["key"] || it["effect"] != taint["effect"]);
            taints.push(taint.clone());
            node["spec"]["taints"] = json!(taints);
        };
        objects.modify(&kinds::NODES, "", node, put).await.map(drop)
    }

    /// As the scheduler writes it.
    fn told(&self) -> String {
        format!("{{{}: {}}}", self.key, self.value.as_deref().unwrap_or_default())
    }

    fn kept_away(&self, pod: &Value) -> Option<Sighting> {
        let refused = object::condition(pod, "PodScheduled").filter(|it| it["status"] == "False")?;
        let at: Timestamp = refused["lastTransitionTime"].as_str()?.parse().ok()?;
        let message = refused["message"].as_str()?;
        // Newer schedulers do not name the taints.
        let because = message.contains(&self.told()) || message.contains("untolerated taint(s)");
        // Times of objects have whole seconds.
        let at = at.max(self.since);
        let (namespace, name) = (object::namespace(pod), object::name(pod));
        because.then(|| {
            Sighting::new(at, format_args!("pod {namespace}/{name} was kept from the node: {}", self.told()))
        })
    }

    fn came_all_the_same(&self, pod: &Value) -> Option<Sighting> {
        let placed = object::condition(pod, "PodScheduled").filter(|it| it["status"] == "True")?;
        let at: Timestamp = placed["lastTransitionTime"].as_str()?.parse().ok()?;
        let name = object::name(pod);
        (at > self.since)
            .then(|| Sighting::new(at, format_args!("pod {name} came in spite of {}", self.told())))
    }
}

#[async_trait(?Send)]
impl Cause for Taint {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let pods = ground.objects.list(&kinds::PODS, None);
        match self.effect.as_str() {
            "PreferNoSchedule" => pods.iter().filter_map(|pod| self.came_all_the_same(pod)).collect(),
            "NoExecute" => {
                let kept = pods.iter().filter_map(|pod| self.kept_away(pod));
                kept.chain(events(ground.objects, "TaintManagerEviction", self.since)).collect()
            }
            _ => pods.iter().filter_map(|pod| self.kept_away(pod)).collect(),
        }
    }
}

/// Something that Kubernetes said of the node since.
struct Said {
    reason: &'static str,
    since: Timestamp,
}

#[async_trait(?Send)]
impl Cause for Said {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        events(ground.objects, self.reason, self.since).collect()
    }
}

/// A machine that started again.
struct Rebooted {
    since: Timestamp,
}

#[async_trait(?Send)]
impl Cause for Rebooted {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let started = read(ground.machine.started().await.map(Vec::from_iter), "when the node started");
        let started = started.into_iter().filter(|at| *at >= self.since);
        let told = started.map(|at| Sighting::new(at, "the node's container started again"));
        told.chain(events(ground.objects, "Rebooted", self.since)).collect()
    }
}

/// Events of a reason since a moment.
fn events(objects: &Objects, reason: &str, since: Timestamp) -> impl Iterator<Item = Sighting> {
    let mut events = objects.list(&kinds::EVENTS, None);
    events.retain(|event| event["reason"] == reason);
    // Times of events have whole seconds.
    let since = object::timestamp(since).parse().unwrap_or(since);
    events.into_iter().filter_map(move |event| {
        let at: Timestamp = event["lastTimestamp"].as_str()?.parse().ok()?;
        let text = event["message"].as_str().unwrap_or_default();
        (at >= since).then(|| Sighting::new(at, text))
    })
}

async fn remove_taint(objects: &Objects, node: &str, key: &str) -> Result<bool, WorldError> {
    let mut removed = false;
    let remove = |node: &mut Value| {
        let Some(taints) = node["spec"]["taints"].as_array_mut() else { return };
        let before = taints.len();
        taints.retain(|taint| taint["key"] != key);
        removed = taints.len() < before;
        if taints.is_empty() {
            node["spec"].as_object_mut().map(|spec| spec.shift_remove("taints"));
        }
    };
    objects.modify(&kinds::NODES, "", node, remove).await?;
    Ok(removed)
}

/// What a node takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Pods,
    Nothing,
}

/// Says of the node whether it takes pods; says whether that was a change.
async fn cordon(objects: &Objects, node: &str, takes: Takes) -> Result<bool, WorldError> {
    let mut changed = false;
    let cordoned = takes == Takes::Nothing;
    let mark = |node: &mut Value| {
        changed = (node["spec"]["unschedulable"] == true) != cordoned;
        if cordoned {
            node["spec"]["unschedulable"] = json!(true);
        } else {
            node["spec"].as_object_mut().map(|spec| spec.shift_remove("unschedulable"));
        }
    };
    objects.modify(&kinds::NODES, "", node, mark).await?;
    Ok(changed)
}

/// A node that takes no pods.
struct Cordoned(Noticed);

#[async_trait(?Send)]
impl Cause for Cordoned {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let node = ground.objects.get(&kinds::NODES, "", ground.machine.node());
        let taints = node.as_ref().and_then(|node| node["spec"]["taints"].as_array());
        let marked = taints.is_some_and(|taints| taints.iter().any(|taint| taint["key"] == UNSCHEDULABLE));
        self.0.if_so(marked, ground, "the node is marked as one that takes no pods")
    }
}
