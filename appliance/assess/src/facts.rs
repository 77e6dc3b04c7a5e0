//! What is known about the cluster: small typed statements, each with its evidence and time.

use std::collections::BTreeMap;

use appliance_status_model::{Component, WorkloadKind};
use jiff::Timestamp;

use crate::values::ReleaseValues;

/// Namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Namespace, empty for objects of the cluster.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectKey {
    /// Key of that object.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// Facts of one kind by object.
pub type Facts<T> = BTreeMap<ObjectKey, T>;

/// Everything known at one moment.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// What the service was told about its site.
    pub site: Site,
    /// State of each read, by what is read.
    pub reads: BTreeMap<String, ReadState>,
    /// The API does not answer.
    pub outage: Option<Outage>,
    /// Nodes.
    pub nodes: Facts<NodeFact>,
    /// Storage classes.
    pub storage_classes: Facts<StorageClassFact>,
    /// Deployments, stateful sets and daemon sets.
    pub workloads: BTreeMap<(WorkloadKind, ObjectKey), WorkloadFact>,
    /// Owner deployment of each replica set.
    pub replica_sets: Facts<Owner>,
    /// Pods.
    pub pods: Facts<PodFact>,
    /// Services of the application.
    pub services: Facts<ServiceFact>,
    /// Claims.
    pub claims: Facts<ClaimFact>,
    /// Jobs.
    pub jobs: Facts<JobFact>,
    /// Events.
    pub events: Facts<EventFact>,
    /// OCI repositories.
    pub oci_source: Facts<FluxFact>,
    /// Git repositories.
    pub git_source: Facts<FluxFact>,
    /// Kustomizations.
    pub kustomizations: Facts<FluxFact>,
    /// HelmReleases.
    pub releases: Facts<FluxFact>,
    /// Credential secrets by name; only whether they exist.
    pub secrets: BTreeMap<String, Presence>,
    /// Data of the release selection.
    pub selection: Option<BTreeMap<String, String>>,
    /// Values documents by release.
    pub values: BTreeMap<String, ReleaseValues>,
    /// Values that the site keeps itself, by release; they win.
    pub site_values: BTreeMap<String, ReleaseValues>,
    /// What bootstrap left behind.
    pub bootstrap_result: Option<BootstrapResult>,
    /// What the login page answered.
    pub login_probe: Option<ProbeFact>,
    /// Log excerpts by pod and container.
    pub logs: BTreeMap<(ObjectKey, String), LogExcerpt>,
}

/// What the service was told about its site.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Name of the site.
    pub site_id: Option<String>,
    /// Address of the node.
    pub host_ip: Option<String>,
    /// Address of this service.
    pub status_url: Option<String>,
}

/// State of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadState {
    /// Not answered yet.
    Pending,
    /// Listed, and watched.
    Current,
    /// Refused or broken, and why.
    Failed(String),
}

/// The API does not answer.
#[derive(Clone, Debug)]
pub struct Outage {
    /// For how long, by the machine's clock.
    pub seconds: u64,
    /// Last answer.
    pub error: String,
}

/// Controller of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// A node.
#[derive(Clone, Debug, Default)]
pub struct NodeFact {
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// Cordoned.
    pub unschedulable: bool,
    /// The taints that keep pods away, each as the scheduler used to write it: `{key: value}`.
    pub taints: Vec<String>,
}

/// A storage class.
#[derive(Clone, Debug, Default)]
pub struct StorageClassFact {
    /// Its provisioner.
    pub provisioner: String,
    /// Whether claims without class get it.
    pub default: bool,
}

/// A deployment, stateful set or daemon set.
#[derive(Clone, Debug, Default)]
pub struct WorkloadFact {
    /// Wanted replicas.
    pub desired: i32,
    /// Ready replicas, of any generation.
    pub ready: i32,
    /// All replicas.
    pub total: i32,
    /// Replicas of the current generation, where the object tells.
    pub updated: Option<i32>,
    /// Generation of the object.
    pub generation: i64,
    /// Generation that the status speaks of.
    pub observed_generation: i64,
    /// Since when the object exists.
    pub created: Option<Timestamp>,
    /// Images of its containers.
    pub images: Vec<String>,
}

impl WorkloadFact {
    /// Whether enough replicas of the current generation are ready; none at all are not enough.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let of_older = self.updated.map_or(0, |updated| (self.total - updated).max(0));
        self.desired > 0
            && self.observed_generation >= self.generation
            && self.updated.is_none_or(|updated| updated >= self.desired)
            && self.ready - of_older >= self.desired
    }
}

/// A pod.
#[derive(Clone, Debug, Default)]
pub struct PodFact {
    /// UID.
    pub uid: String,
    /// Controller.
    pub owner: Option<Owner>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Phase.
    pub phase: String,
    /// Since when it exists.
    pub created: Option<Timestamp>,
    /// Being deleted.
    pub deleting: bool,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// Its containers, init containers first.
    pub containers: Vec<ContainerFact>,
}

impl PodFact {
    /// Whether nothing of it will run again.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.phase == "Succeeded" || self.phase == "Failed"
    }

    /// Whether it takes requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        condition(&self.conditions, "Ready").is_some_and(|it| it.status == Truth::True)
    }
}

/// A Service.
#[derive(Clone, Debug, Default)]
pub struct ServiceFact {
    /// The labels of the pods that it leads to; empty where somebody else says what stands behind it.
    pub selector: BTreeMap<String, String>,
}

impl ServiceFact {
    /// Whether it leads to that pod.
    #[must_use]
    pub fn selects(&self, pod: &PodFact) -> bool {
        self.selector.iter().all(|(label, value)| pod.labels.get(label) == Some(value))
    }
}

/// A container of a pod.
#[derive(Clone, Debug)]
pub struct ContainerFact {
    /// Name.
    pub name: String,
    /// Whether it is an init container.
    pub init: bool,
    /// Image as the pod's specification names it.
    pub image: String,
    /// State.
    pub state: ContainerState,
    /// Passed its readiness check.
    pub ready: bool,
    /// Restarts.
    pub restarts: i32,
    /// How its last run ended.
    pub last: Option<Termination>,
}

impl ContainerFact {
    /// How it ended last, now or before.
    #[must_use]
    pub fn last_end(&self) -> Option<&Termination> {
        match &self.state {
            ContainerState::Terminated(end) => Some(end),
            _ => self.last.as_ref(),
        }
    }
}

/// State of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// The kubelet has not said yet.
    Unknown,
    /// Waits.
    Waiting {
        /// For what.
        reason: String,
        /// In words.
        message: String,
    },
    /// Runs.
    Running {
        /// Since when.
        since: Option<Timestamp>,
    },
    /// Ended.
    Terminated(Termination),
}

/// The end of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Termination {
    /// Exit code.
    pub exit_code: i32,
    /// Reason.
    pub reason: String,
    /// Message.
    pub message: String,
    /// When.
    pub finished_at: Option<Timestamp>,
}

/// A claim.
#[derive(Clone, Debug, Default)]
pub struct ClaimFact {
    /// UID.
    pub uid: String,
    /// Phase.
    pub phase: String,
    /// Storage class it names.
    pub class: Option<String>,
    /// Since when it exists.
    pub created: Option<Timestamp>,
}

/// A job.
#[derive(Clone, Debug, Default)]
pub struct JobFact {
    /// UID.
    pub uid: String,
    /// Since when it exists.
    pub created: Option<Timestamp>,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// Pods at work.
    pub active: i32,
}

/// An event.
#[derive(Clone, Debug, Default)]
pub struct EventFact {
    /// Reason.
    pub reason: String,
    /// `Normal` or `Warning`.
    pub kind: String,
    /// Message.
    pub message: String,
    /// First seen.
    pub first: Option<Timestamp>,
    /// Last seen.
    pub last: Option<Timestamp>,
    /// How often.
    pub count: i32,
    /// Kind of the object it is about.
    pub about_kind: String,
    /// The object it is about.
    pub about: Option<ObjectKey>,
    /// UID of that object.
    pub about_uid: String,
    /// Part of that object.
    pub field_path: String,
}

/// Truth of a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody knows.
    #[default]
    Unknown,
}

impl Truth {
    /// Reads the word that Kubernetes writes.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        }
    }

    /// The word that Kubernetes writes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// A condition of an object.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Type.
    pub kind: String,
    /// Status.
    pub status: Truth,
    /// Reason.
    pub reason: String,
    /// Message.
    pub message: String,
    /// Last transition.
    pub since: Option<Timestamp>,
    /// Generation it speaks of.
    pub observed_generation: Option<i64>,
}

/// The condition of that type.
#[must_use]
pub fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|it| it.kind == kind)
}

/// A Flux object: source, Kustomization or HelmRelease.
#[derive(Clone, Debug, Default)]
pub struct FluxFact {
    /// Kind.
    pub kind: String,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// Generation of the object.
    pub generation: i64,
    /// Told to stand still.
    pub suspended: bool,
    /// Since when it exists.
    pub created: Option<Timestamp>,
    /// Fetched or applied revision.
    pub revision: Option<String>,
    /// Last attempted revision.
    pub attempted: Option<String>,
    /// Last request that somebody put on it.
    pub request: Option<String>,
    /// Its controller has not answered that request yet.
    pub awaited: bool,
}

/// Whether an object exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    Present,
    /// It does not.
    Absent,
    /// It cannot be told, and why.
    Unknown(String),
}

/// What bootstrap left behind.
#[derive(Clone, Debug, Default)]
pub struct BootstrapResult {
    /// Data of the ConfigMap.
    pub data: BTreeMap<String, String>,
    /// UIDs it is bound to, by owner or annotation.
    pub bound_to: Vec<String>,
}

impl BootstrapResult {
    /// Users in the database when it finished.
    #[must_use]
    pub fn users(&self) -> Option<u64> {
        self.data.get("usersCount")?.trim().parse().ok()
    }

    /// Whether it speaks of that volume.
    #[must_use]
    pub fn is_for(&self, claim: &ClaimFact) -> bool {
        if self.bound_to.contains(&claim.uid) || self.data.values().any(|value| *value == claim.uid) {
            return true;
        }
        let finished = self.data.get("finishedAt").and_then(|it| it.parse::<Timestamp>().ok());
        self.bound_to.is_empty() && finished.zip(claim.created).is_some_and(|(end, start)| end >= start)
    }
}

/// What the login page answered.
#[derive(Clone, Debug, Default)]
pub struct ProbeFact {
    /// Address that was asked.
    pub url: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// API time of the answer.
    pub at: Option<Timestamp>,
}

/// Last lines of a container.
#[derive(Clone, Debug, Default)]
pub struct LogExcerpt {
    /// Which run said them: how often the container was started anew before.
    pub run: i32,
    /// Lines, oldest first.
    pub lines: Vec<String>,
    /// Why there are none.
    pub error: Option<String>,
}

/// The component that controls a workload, where it is one of the nine.
#[must_use]
pub fn component_of(kind: WorkloadKind, key: &ObjectKey) -> Option<Component> {
    if key.namespace == "msp" { Component::of_object(kind, &key.name) } else { None }
}

/// Namespaces of what the appliance stands on: cluster DNS, storage, Flux, the status page.
pub const PLATFORM: &[&str] = &["kube-system", "local-path-storage", "flux-system", "appliance-system"];

/// Namespace of the nine services.
pub const APPLICATION: &str = "msp";
