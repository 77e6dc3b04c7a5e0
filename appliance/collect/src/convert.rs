//! Objects to facts.

use appliance_assess::{
    BootstrapResult, ClaimFact, Condition, ContainerFact, ContainerState, EventFact, FluxFact, JobFact,
    NodeFact, ObjectKey, Owner, PodFact, ServiceFact, StorageClassFact, Termination, Truth, WorkloadFact,
};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::DynamicObject;
use serde_json::Value;

/// A fact, and the newest time in the object it comes from.
type Told<F> = (F, Option<Timestamp>);

fn time(time: Option<&Time>) -> Option<Timestamp> {
    time.map(|it| it.0)
}

fn owner(meta: &ObjectMeta) -> Option<Owner> {
    let owners = meta.owner_references.as_ref()?;
    let owner = owners.iter().find(|it| it.controller == Some(true))?;
    Some(Owner { kind: owner.kind.clone(), name: owner.name.clone() })
}

/// Builds a condition from the fields that every kind of condition has.
macro_rules! condition {
    ($it:expr) => {
        Condition {
            kind: $it.type_.clone(),
            status: Truth::parse(&$it.status),
            reason: $it.reason.clone().unwrap_or_default(),
            message: $it.message.clone().unwrap_or_default(),
            since: time($it.last_transition_time.as_ref()),
            observed_generation: None,
        }
    };
}

pub(crate) fn node(node: core::Node) -> Told<NodeFact> {
    let conditions = node.status.and_then(|it| it.conditions).unwrap_or_default();
    let newest = conditions.iter().filter_map(|it| time(it.last_heartbeat_time.as_ref())).max();
    let conditions = conditions.iter().map(|it| condition!(it)).collect();
    let spec = node.spec.unwrap_or_default();
    let keeps_away = |effect: &str| effect != "PreferNoSchedule";
    let taints = spec.taints.into_iter().flatten().filter(|it| keeps_away(&it.effect));
    let taints = taints.map(|it| format!("{{{}: {}}}", it.key, it.value.unwrap_or_default())).collect();
    (NodeFact { conditions, unschedulable: spec.unschedulable.unwrap_or(false), taints }, newest)
}

pub(crate) fn storage_class(class: StorageClass) -> Told<StorageClassFact> {
    let default = class.metadata.annotations.as_ref().is_some_and(|it| {
        it.get("storageclass.kubernetes.io/is-default-class").is_some_and(|value| value == "true")
    });
    (StorageClassFact { provisioner: class.provisioner, default }, None)
}

pub(crate) fn deployment(object: Deployment) -> Told<WorkloadFact> {
    let spec = object.spec.unwrap_or_default();
    let status = object.status.unwrap_or_default();
    let fact = WorkloadFact {
        desired: spec.replicas.unwrap_or(1),
        ready: status.ready_replicas.unwrap_or(0),
        total: status.replicas.unwrap_or(0),
        updated: Some(status.updated_replicas.unwrap_or(0)),
        generation: object.metadata.generation.unwrap_or(0),
        observed_generation: status.observed_generation.unwrap_or(0),
        created: time(object.metadata.creation_timestamp.as_ref()),
        images: images(spec.template.spec.as_ref()),
    };
    let newest = status.conditions.into_iter().flatten().filter_map(|it| time(it.last_update_time.as_ref()));
    (fact, newest.max())
}

pub(crate) fn stateful_set(object: StatefulSet) -> Told<WorkloadFact> {
    let spec = object.spec.unwrap_or_default();
    let status = object.status.unwrap_or_default();
    let fact = WorkloadFact {
        desired: spec.replicas.unwrap_or(1),
        ready: status.ready_replicas.unwrap_or(0),
        total: status.replicas,
        updated: status.updated_replicas,
        generation: object.metadata.generation.unwrap_or(0),
        observed_generation: status.observed_generation.unwrap_or(0),
        created: time(object.metadata.creation_timestamp.as_ref()),
        images: images(spec.template.spec.as_ref()),
    };
    (fact, None)
}

fn images(spec: Option<&core::PodSpec>) -> Vec<String> {
    spec.map(|it| it.containers.iter().filter_map(|it| it.image.clone()).collect()).unwrap_or_default()
}

pub(crate) fn replica_set(object: ReplicaSet) -> Told<Option<Owner>> {
    (owner(&object.metadata), None)
}

pub(crate) fn claim(object: core::PersistentVolumeClaim) -> Told<ClaimFact> {
    let fact = ClaimFact {
        uid: object.metadata.uid.unwrap_or_default(),
        phase: object.status.and_then(|it| it.phase).unwrap_or_default(),
        class: object.spec.and_then(|it| it.storage_class_name),
        created: time(object.metadata.creation_timestamp.as_ref()),
    };
    (fact, None)
}

pub(crate) fn job(object: Job) -> Told<JobFact> {
    let status = object.status.unwrap_or_default();
    let conditions: Vec<Condition> =
        status.conditions.unwrap_or_default().iter().map(|it| condition!(it)).collect();
    let newest = conditions.iter().filter_map(|it| it.since).max();
    let fact = JobFact {
        uid: object.metadata.uid.unwrap_or_default(),
        created: time(object.metadata.creation_timestamp.as_ref()),
        conditions,
        active: status.active.unwrap_or(0),
    };
    (fact, newest)
}

pub(crate) fn pod(object: core::Pod) -> Told<PodFact> {
    let created = time(object.metadata.creation_timestamp.as_ref());
    let status = object.status.unwrap_or_default();
    let spec = object.spec.unwrap_or_default();
    let conditions: Vec<Condition> =
        status.conditions.unwrap_or_default().iter().map(|it| condition!(it)).collect();
    let inits = spec.init_containers.unwrap_or_default();
    let init_states = status.init_container_statuses.unwrap_or_default();
    let states = status.container_statuses.unwrap_or_default();
    let init = inits.iter().map(|it| container(it, true, &init_states));
    let main = spec.containers.iter().map(|it| container(it, false, &states));
    let containers: Vec<ContainerFact> = init.chain(main).collect();
    let newest = newest_in(&conditions, &containers).max(created);
    let fact = PodFact {
        uid: object.metadata.uid.clone().unwrap_or_default(),
        owner: owner(&object.metadata),
        labels: object.metadata.labels.unwrap_or_default(),
        phase: status.phase.unwrap_or_default(),
        created,
        deleting: object.metadata.deletion_timestamp.is_some(),
        conditions,
        containers,
    };
    (fact, newest)
}

pub(crate) fn service(object: core::Service) -> Told<ServiceFact> {
    let selector = object.spec.and_then(|it| it.selector).unwrap_or_default();
    (ServiceFact { selector }, None)
}

fn newest_in(conditions: &[Condition], containers: &[ContainerFact]) -> Option<Timestamp> {
    let of_containers = containers.iter().filter_map(|it| match &it.state {
        ContainerState::Running { since } => *since,
        ContainerState::Terminated(end) => end.finished_at,
        _ => None,
    });
    conditions.iter().filter_map(|it| it.since).chain(of_containers).max()
}

fn container(spec: &core::Container, init: bool, states: &[core::ContainerStatus]) -> ContainerFact {
    let status = states.iter().find(|it| it.name == spec.name);
    ContainerFact {
        name: spec.name.clone(),
        init,
        image: spec.image.clone().unwrap_or_default(),
        state: status.and_then(|it| it.state.as_ref()).map_or(ContainerState::Unknown, state),
        ready: status.is_some_and(|it| it.ready),
        restarts: status.map_or(0, |it| it.restart_count),
        last: status.and_then(|it| it.last_state.as_ref()?.terminated.as_ref()).map(termination),
    }
}

fn state(state: &core::ContainerState) -> ContainerState {
    if let Some(end) = &state.terminated {
        return ContainerState::Terminated(termination(end));
    }
    if let Some(running) = &state.running {
        return ContainerState::Running { since: time(running.started_at.as_ref()) };
    }
    let waiting = state.waiting.clone().unwrap_or_default();
    ContainerState::Waiting {
        reason: waiting.reason.unwrap_or_default(),
        message: waiting.message.unwrap_or_default(),
    }
}

fn termination(end: &core::ContainerStateTerminated) -> Termination {
    Termination {
        exit_code: end.exit_code,
        reason: end.reason.clone().unwrap_or_default(),
        message: end.message.clone().unwrap_or_default(),
        finished_at: time(end.finished_at.as_ref()),
    }
}

pub(crate) fn event(object: core::Event) -> Told<EventFact> {
    let series = object.series.as_ref();
    let in_series = series.and_then(|it| it.last_observed_time.as_ref()).map(|it| it.0);
    let micro = object.event_time.as_ref().map(|it| it.0);
    let last = in_series.or_else(|| time(object.last_timestamp.as_ref())).or(micro);
    let about = object.involved_object;
    let fact = EventFact {
        reason: object.reason.unwrap_or_default(),
        kind: object.type_.unwrap_or_default(),
        message: object.message.unwrap_or_default(),
        first: time(object.first_timestamp.as_ref()).or(micro),
        last,
        count: series.and_then(|it| it.count).or(object.count).unwrap_or(1),
        about_kind: about.kind.unwrap_or_default(),
        about: about.name.map(|name| ObjectKey::new(about.namespace.unwrap_or_default(), name)),
        about_uid: about.uid.unwrap_or_default(),
        field_path: about.field_path.unwrap_or_default(),
    };
    (fact, last)
}

pub(crate) fn flux(kind: &str, object: DynamicObject) -> Told<FluxFact> {
    let status = &object.data["status"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let conditions: Vec<Condition> =
        status["conditions"].as_array().into_iter().flatten().map(flux_condition).collect();
    let newest = conditions.iter().filter_map(|it| it.since).max();
    let annotations = object.metadata.annotations.unwrap_or_default();
    let requests = ["requestedAt", "forceAt", "resetAt"];
    let request: Vec<&str> = requests
        .iter()
        .filter_map(|it| annotations.get(&format!("reconcile.fluxcd.io/{it}")).map(String::as_str))
        .collect();
    let asked = annotations.get("reconcile.fluxcd.io/requestedAt").map(String::as_str);
    let awaited = asked.is_some_and(|it| status["lastHandledReconcileAt"] != it);
    let attempted = [&status["lastAttemptedRevision"], &status["lastAttemptedConfigDigest"]];
    let attempted: Vec<&str> = attempted.iter().filter_map(|it| it.as_str()).collect();
    let fact = FluxFact {
        kind: kind.to_owned(),
        conditions,
        generation: object.metadata.generation.unwrap_or(0),
        suspended: object.data["spec"]["suspend"].as_bool().unwrap_or(false),
        created: time(object.metadata.creation_timestamp.as_ref()),
        revision: text(&status["artifact"]["revision"]).or_else(|| text(&status["lastAppliedRevision"])),
        attempted: (!attempted.is_empty()).then(|| attempted.join(" ")),
        request: (!request.is_empty()).then(|| request.join(" ")),
        awaited,
    };
    (fact, newest)
}

fn flux_condition(value: &Value) -> Condition {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    Condition {
        kind: text("type"),
        status: Truth::parse(value["status"].as_str().unwrap_or_default()),
        reason: text("reason"),
        message: text("message"),
        since: value["lastTransitionTime"].as_str().and_then(|it| it.parse().ok()),
        observed_generation: value["observedGeneration"].as_i64(),
    }
}

pub(crate) fn bootstrap_result(object: &core::ConfigMap) -> BootstrapResult {
    let owners = object.metadata.owner_references.iter().flatten();
    let owners = owners.filter(|it| it.kind == "PersistentVolumeClaim").map(|it| it.uid.clone());
    let notes = object.metadata.annotations.iter().flatten();
    let notes = notes.filter(|(key, _)| key.to_ascii_lowercase().contains("uid")).map(|(_, it)| it.clone());
    BootstrapResult { data: object.data.clone().unwrap_or_default(), bound_to: owners.chain(notes).collect() }
}
