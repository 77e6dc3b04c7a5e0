//! Inline facts for tests: a healthy appliance, and handles to break it.

use appliance_status_model::{BlockerCode, Component, RELEASES, StatusDocument, WorkloadKind};
use jiff::{SignedDuration, Timestamp};

use crate::facts::{
    BootstrapResult, ClaimFact, Condition, ContainerFact, ContainerState, FluxFact, JobFact, Knowledge,
    LogExcerpt, NodeFact, ObjectKey, Owner, PodFact, Presence, ProbeFact, StorageClassFact, Termination,
    Truth, WorkloadFact,
};
use crate::{Memory, assess};

pub(crate) const NOW: &str = "2026-11-21T12:00:00Z";

/// The moment of the tests.
pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn ago(seconds: i64) -> Option<Timestamp> {
    Some(now() - SignedDuration::from_secs(seconds))
}

pub(crate) struct Flux {
    pub(crate) key: ObjectKey,
    pub(crate) fact: FluxFact,
}

pub(crate) fn flux(name: &str) -> Flux {
    let fact = FluxFact { kind: "HelmRelease".into(), generation: 1, ..FluxFact::default() };
    Flux { key: ObjectKey::new("alga-system", name), fact }
}

impl Flux {
    pub(crate) fn with(mut self, kind: &str, status: Truth, reason: &str, message: &str) -> Self {
        self.fact.conditions.push(Condition {
            kind: kind.into(),
            status,
            reason: reason.into(),
            message: message.into(),
            since: ago(60),
            observed_generation: Some(1),
        });
        self
    }

    fn of(mut self, kind: &str, namespace: &str) -> Self {
        self.fact.kind = kind.into();
        self.key.namespace = namespace.into();
        self
    }
}

pub(crate) fn waiting(reason: &str, message: &str) -> ContainerState {
    ContainerState::Waiting { reason: reason.into(), message: message.into() }
}

pub(crate) fn container(name: &str, image: &str, state: ContainerState) -> ContainerFact {
    let ready = matches!(state, ContainerState::Running { .. });
    ContainerFact {
        name: name.into(),
        init: false,
        image: image.into(),
        state,
        ready,
        restarts: 0,
        last: None,
    }
}

/// An appliance where all is well.
pub(crate) fn healthy() -> Knowledge {
    let mut known = Knowledge::default();
    known.site.host_ip = Some("10.0.2.15".into());
    let ready = Condition { kind: "Ready".into(), status: Truth::True, ..Condition::default() };
    known
        .nodes
        .insert(ObjectKey::new("", "node"), NodeFact { conditions: vec![ready], ..NodeFact::default() });
    known.storage_classes.insert(
        ObjectKey::new("", "local-path"),
        StorageClassFact { provisioner: "rancher.io/local-path".into(), default: true },
    );
    for (namespace, name) in [("kube-system", "coredns"), ("local-path-storage", "local-path-provisioner")] {
        put_workload(&mut known, WorkloadKind::Deployment, ObjectKey::new(namespace, name));
    }
    for component in Component::ALL {
        put_workload(&mut known, component.kind(), ObjectKey::new("msp", component.object_name()));
        let image = format!("ghcr.io/nine-minds/{}:1", component.name());
        put_pod(&mut known, component, container(component.name(), &image, running()));
    }
    for name in ["postgres", "redis"] {
        let claim = ClaimFact { uid: format!("uid-{name}"), phase: "Bound".into(), ..ClaimFact::default() };
        known.claims.insert(ObjectKey::new("msp", format!("alga-core-sebastian-{name}-data")), claim);
    }
    for name in ["db-credentials", "redis-credentials"] {
        known.secrets.insert(name.into(), Presence::Present);
    }
    known.bootstrap_result = Some(BootstrapResult {
        data: [("usersCount".to_owned(), "2".to_owned())].into(),
        bound_to: vec!["uid-postgres".into()],
    });
    known.login_probe = Some(ProbeFact {
        url: "http://10.0.2.15:3000/".into(),
        status: Some(307),
        location: Some("/msp/dashboard".into()),
        ..ProbeFact::default()
    });
    let good = |name: &str| flux(name).with("Ready", Truth::True, "Succeeded", "");
    for name in ["source-controller", "kustomize-controller", "helm-controller"] {
        put_workload(&mut known, WorkloadKind::Deployment, ObjectKey::new("flux-system", name));
    }
    for release in RELEASES {
        known.values.insert(release.name.into(), "enabled: true\n".into());
        put_release(&mut known, good(release.name));
    }
    for name in ["alga-appliance", "alga-platform", "alga-core", "alga-background"] {
        let it = good(name).of("Kustomization", "flux-system");
        known.kustomizations.insert(it.key, it.fact);
    }
    let source = good("alga-appliance").of("OCIRepository", "flux-system");
    known.oci_source.insert(source.key, source.fact);
    known
}

pub(crate) fn running() -> ContainerState {
    ContainerState::Running { since: ago(30) }
}

pub(crate) fn put_release(known: &mut Knowledge, release: Flux) {
    known.releases.insert(release.key, release.fact);
}

fn put_workload(known: &mut Knowledge, kind: WorkloadKind, key: ObjectKey) {
    let fact = WorkloadFact {
        desired: 1,
        ready: 1,
        total: 1,
        updated: Some(1),
        generation: 1,
        observed_generation: 1,
        ..WorkloadFact::default()
    };
    known.workloads.insert((kind, key), fact);
}

/// Gives a component a pod with that container.
pub(crate) fn put_pod(known: &mut Knowledge, component: Component, container: ContainerFact) {
    let kind = component.kind().as_str().to_owned();
    let owner = Some(Owner { kind, name: component.object_name().into() });
    let key = ObjectKey::new("msp", format!("{}-0", component.object_name()));
    let uid = format!("uid-{}", key.name);
    let phase = "Pending".to_owned();
    let pod = PodFact { uid, owner, phase, containers: vec![container], ..PodFact::default() };
    known.pods.insert(key, pod);
}

/// Breaks a component: its object is not ready, its pod is in that state.
pub(crate) fn break_component(known: &mut Knowledge, component: Component, container: ContainerFact) {
    let key = (component.kind(), ObjectKey::new("msp", component.object_name()));
    known.workloads.get_mut(&key).unwrap().ready = 0;
    put_pod(known, component, container);
}

/// One look at that, with an empty memory.
pub(crate) fn look(known: &Knowledge) -> StatusDocument {
    assess(known, &mut Memory::default(), now())
}

/// Two looks, that many seconds apart.
pub(crate) fn look_after(known: &Knowledge, seconds: i64) -> StatusDocument {
    let mut memory = Memory::default();
    assess(known, &mut memory, now());
    assess(known, &mut memory, now() + SignedDuration::from_secs(seconds))
}

/// What stands in the way, and where.
pub(crate) fn codes(document: &StatusDocument) -> Vec<(BlockerCode, &str)> {
    document.top_blockers.iter().map(|it| (it.code, it.component.as_str())).collect()
}

/// A container that ended like that, again and again.
pub(crate) fn ended(exit_code: i32, restarts: i32, reason: &str) -> ContainerFact {
    let mut it = container("main", "img:1", waiting("CrashLoopBackOff", "back-off 10s"));
    let end = Termination { exit_code, reason: reason.into(), ..Termination::default() };
    (it.restarts, it.last) = (restarts, Some(end));
    it
}

/// The log of a component's pod.
pub(crate) fn log(known: &mut Knowledge, component: Component, line: &str) {
    let pod = ObjectKey::new("msp", format!("{}-0", component.object_name()));
    let excerpt = LogExcerpt { lines: vec![line.into()], ..LogExcerpt::default() };
    known.logs.insert((pod, "main".into()), excerpt);
}

/// A bootstrap job that ended like that, and its log.
pub(crate) fn job(known: &mut Knowledge, kind: &str, line: &str) {
    let name = "alga-core-sebastian-bootstrap";
    let done = Condition { kind: kind.into(), status: Truth::True, ..Condition::default() };
    let fact = JobFact { conditions: vec![done], created: ago(60), ..JobFact::default() };
    known.jobs.insert(ObjectKey::new("msp", name), fact);
    let owner = Some(Owner { kind: "Job".into(), name: name.into() });
    let end = Termination { exit_code: i32::from(kind == "Failed"), ..Termination::default() };
    let of = container("bootstrap", "img:1", ContainerState::Terminated(end));
    let (uid, phase) = ("job".to_owned(), "Failed".to_owned());
    let pod = PodFact { uid, owner, phase, containers: vec![of], ..PodFact::default() };
    let key = ObjectKey::new("msp", format!("{name}-x1"));
    known.pods.insert(key.clone(), pod);
    let excerpt = LogExcerpt { lines: vec![line.into()], ..LogExcerpt::default() };
    known.logs.insert((key, "bootstrap".into()), excerpt);
}
