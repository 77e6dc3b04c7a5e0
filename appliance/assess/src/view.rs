//! Facts with their owners: what the detectors look at.

use std::collections::{BTreeMap, HashMap};

use appliance_status_model::{Component, Release, WorkloadKind};
use jiff::Timestamp;

use crate::bootstrap::{BootstrapView, JOB_PREFIX, JobPhase};
use crate::facts::{
    APPLICATION, ContainerFact, ContainerState, EventFact, Knowledge, LogExcerpt, ObjectKey, Owner, PLATFORM,
    PodFact, ReadState, WorkloadFact, component_of,
};
use crate::finding::Subject;
use crate::flux::{FluxFailure, FluxId, FluxState};
use crate::memory::Memory;
use crate::values::ReleaseValues;

/// Facts with their owners: what the detectors look at.
#[derive(Debug)]
pub struct View<'a> {
    pub(crate) known: &'a Knowledge,
    pub(crate) now: Timestamp,
    pub(crate) pods: Vec<PodView<'a>>,
    pub(crate) bootstrap: BootstrapView<'a>,
    pub(crate) probe_failing_since: Option<Timestamp>,
    flux: BTreeMap<FluxId, FluxState>,
    asleep: Vec<Component>,
    events: HashMap<&'a str, Vec<&'a EventFact>>,
}

/// A pod that matters, with its owner.
#[derive(Debug)]
pub(crate) struct PodView<'a> {
    pub(crate) key: &'a ObjectKey,
    pub(crate) pod: &'a PodFact,
    pub(crate) subject: Subject,
}

impl<'a> View<'a> {
    pub(crate) fn new(known: &'a Knowledge, memory: &mut Memory, now: Timestamp) -> Self {
        let bootstrap = BootstrapView::new(known, memory);
        let newest_job = bootstrap.job.map(|(key, _)| key.name.as_str());
        let pods: Vec<PodView<'_>> = known
            .pods
            .iter()
            .filter(|(key, pod)| is_ours(key) && !pod.deleting && pod.phase != "Succeeded")
            .map(|(key, pod)| PodView { key, pod, subject: subject_of(known, key, pod) })
            .filter(|it| match &it.subject {
                Subject::Bootstrap => it.pod.owner.as_ref().map(|owner| owner.name.as_str()) == newest_job,
                _ => it.pod.phase != "Failed",
            })
            .collect();
        let mut events = troubled(&pods);
        for event in known.events.values() {
            if let Some(of_pod) = events.get_mut(event.about_uid.as_str()) {
                of_pod.push(event);
            }
        }
        for about in events.values_mut() {
            about.sort_by_key(|it| it.last);
        }
        let flux = judge_flux(known, memory);
        let asleep =
            pods.iter().filter(|it| sleeps(known, it)).filter_map(|it| it.subject.component()).collect();
        let probe_failing_since = memory.probe_failing_since;
        Self { known, now, pods, bootstrap, probe_failing_since, flux, asleep, events }
    }

    /// Containers of pods that matter, with their pod.
    pub(crate) fn containers(&self) -> impl Iterator<Item = (&PodView<'a>, &'a ContainerFact)> {
        self.pods.iter().flat_map(|it| it.pod.containers.iter().map(move |container| (it, container)))
    }

    /// The application's container that waits for bootstrap, although there is nothing left to wait for.
    pub(crate) fn waits_in_vain(&self) -> Option<(&PodView<'a>, &'a ContainerFact)> {
        let over = matches!(self.bootstrap.phase, JobPhase::Absent | JobPhase::Complete);
        if !over || !self.bootstrap.completed {
            return None;
        }
        self.containers().find(|(pod, it)| {
            pod.subject == Subject::Component(Component::AlgaCore)
                && it.init
                && it.name == "wait-for-bootstrap"
                && matches!(it.state, ContainerState::Running { .. })
        })
    }

    /// Events about a pod, oldest first.
    pub(crate) fn events_of(&self, pod: &PodFact) -> &[&'a EventFact] {
        self.events.get(pod.uid.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Log of a container, where one was read.
    pub(crate) fn log(&self, pod: &ObjectKey, container: &str) -> Option<&'a LogExcerpt> {
        self.known.logs.get(&(pod.clone(), container.to_owned()))
    }

    /// How that Flux object is doing; `None` where it does not exist.
    pub(crate) fn flux(&self, kind: &str, key: &ObjectKey) -> Option<&FluxState> {
        self.flux.get(&(kind.to_owned(), key.clone()))
    }

    /// How an expected release is doing.
    pub(crate) fn release(&self, name: &str) -> Option<&FluxState> {
        self.flux("HelmRelease", &ObjectKey::new("alga-system", name))
    }

    /// How a Kustomization is doing.
    pub(crate) fn kustomization(&self, name: &str) -> Option<&FluxState> {
        self.flux("Kustomization", &ObjectKey::new("flux-system", name))
    }

    /// Why an expected release failed, where it did.
    pub(crate) fn release_failure(&self, name: &str) -> Option<&FluxFailure> {
        match self.release(name)? {
            FluxState::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Failed Flux objects of a kind.
    pub(crate) fn failed(&self, kind: &str) -> impl Iterator<Item = (&ObjectKey, &FluxFailure)> {
        self.flux.iter().filter(move |((it, _), _)| it == kind).filter_map(|((_, key), state)| match state {
            FluxState::Failed(failure) => Some((key, failure)),
            _ => None,
        })
    }

    /// Flux objects of the appliance that somebody told to stand still, with their kind.
    pub(crate) fn suspended(&self) -> impl Iterator<Item = (&str, &ObjectKey)> {
        let is_ours = |kind: &str, key: &ObjectKey| match kind {
            "HelmRelease" => Release::named(&key.name).is_some(),
            _ => key.name.starts_with("alga-"),
        };
        let still = self.flux.iter().filter(|(_, state)| **state == FluxState::Suspended);
        still.map(|((kind, key), _)| (kind.as_str(), key)).filter(move |(kind, key)| is_ours(kind, key))
    }

    /// Whether what that read tells is all there is.
    pub(crate) fn is_read(&self, read: &str) -> bool {
        self.known.reads.get(read).is_none_or(|it| *it == ReadState::Current)
    }

    /// The source that the appliance is installed from.
    pub(crate) fn source(&self) -> Option<(&'a ObjectKey, &'a crate::FluxFact)> {
        let key = ObjectKey::new("flux-system", "alga-appliance");
        self.known.oci_source.get_key_value(&key).or_else(|| self.known.git_source.get_key_value(&key))
    }

    /// How the source is doing.
    pub(crate) fn source_state(&self) -> Option<&FluxState> {
        let (key, fact) = self.source()?;
        self.flux(&fact.kind, key)
    }

    /// The object of a component.
    pub(crate) fn workload(&self, component: Component) -> Option<&'a WorkloadFact> {
        let key = ObjectKey::new("msp", component.object_name());
        self.known.workloads.get(&(component.kind(), key))
    }

    /// Whether a component is ready, and does not only say so.
    pub(crate) fn is_ready(&self, component: Component) -> bool {
        self.workload(component).is_some_and(WorkloadFact::is_ready) && !self.asleep.contains(&component)
    }

    /// Whether every component of a release is ready.
    pub(crate) fn workloads_ready(&self, release: &str) -> bool {
        let mut own = Component::ALL.into_iter().filter(|it| it.release() == release);
        own.all(|component| self.is_ready(component))
            && (release != "alga-core" || self.bootstrap.phase != JobPhase::Failed)
    }

    /// The sentence, going on with the release that stands still and must be asked again.
    pub(crate) fn with_reconcile(&self, sentence: &str, subject: &Subject) -> String {
        let stalled = |release: &&Release| self.release_failure(release.name).is_some_and(|it| it.stalled);
        match subject.release().filter(stalled) {
            Some(release) => {
                let how = if self.would_refuse_its_data(release) {
                    " by running bootstrap in recover mode (its values still say fresh, and its data exists)"
                } else {
                    ""
                };
                let sentence = sentence.trim_end_matches('.');
                format!("{sentence}, then reconcile the release {}{how}.", release.name)
            }
            None => sentence.to_owned(),
        }
    }

    /// Whether an upgrade of a release makes a bootstrap job that refuses what an earlier one left.
    fn would_refuse_its_data(&self, release: &Release) -> bool {
        let values = self.known.values.get(release.name).and_then(ReleaseValues::chosen);
        let fresh = values.is_some_and(|it| it.bootstrap.mode.as_deref() == Some("fresh"));
        fresh && self.bootstrap.completed
    }
}

/// Pods that are not ready: nothing is read in the events of others, which are most.
fn troubled<'a>(pods: &[PodView<'a>]) -> HashMap<&'a str, Vec<&'a EventFact>> {
    let unready = |it: &&PodView<'_>| !it.pod.uid.is_empty() && it.pod.containers.iter().any(|it| !it.ready);
    pods.iter().filter(unready).map(|it| (it.pod.uid.as_str(), Vec::new())).collect()
}

/// What a worker says when it gives up its work and goes on being ready.
pub(crate) const ASLEEP: &str = "Entering sleep loop after failure";

/// Whether a running container of the pod said that it sleeps: it does so until it is started anew.
fn sleeps(known: &Knowledge, pod: &PodView<'_>) -> bool {
    pod.subject != Subject::Bootstrap
        && pod.pod.containers.iter().any(|it| {
            matches!(it.state, ContainerState::Running { .. })
                && known.logs.get(&(pod.key.clone(), it.name.clone())).is_some_and(|log| {
                    log.run == it.restarts && log.lines.iter().any(|line| line.contains(ASLEEP))
                })
        })
}

/// Container reasons that stand for a pull that failed.
pub(crate) const PULL_REASONS: &[&str] =
    &["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"];

/// What a waiting container says, if it waits.
pub(crate) fn waiting(container: &ContainerFact) -> Option<(&str, &str)> {
    match &container.state {
        ContainerState::Waiting { reason, message } => Some((reason, message)),
        _ => None,
    }
}

fn judge_flux(known: &Knowledge, memory: &mut Memory) -> BTreeMap<FluxId, FluxState> {
    let mut before = std::mem::take(&mut memory.flux);
    let mut states = BTreeMap::new();
    let all =
        known.oci_source.iter().chain(&known.git_source).chain(&known.kustomizations).chain(&known.releases);
    for (key, fact) in all {
        let id = (fact.kind.clone(), key.clone());
        let mut remembered = before.remove(&id).unwrap_or_default();
        states.insert(id.clone(), remembered.judge(fact));
        memory.flux.insert(id, remembered);
    }
    states
}

/// What people run beside the appliance is theirs to look after.
fn is_ours(pod: &ObjectKey) -> bool {
    pod.namespace == APPLICATION || PLATFORM.contains(&pod.namespace.as_str())
}

fn subject_of(known: &Knowledge, key: &ObjectKey, pod: &PodFact) -> Subject {
    let Some(owner) = &pod.owner else {
        return by_name(key, &key.name);
    };
    let (kind, name) = controller(known, key, owner);
    let workload = match kind.as_str() {
        "Deployment" => Some(WorkloadKind::Deployment),
        "StatefulSet" => Some(WorkloadKind::StatefulSet),
        _ => None,
    };
    let object = ObjectKey::new(key.namespace.as_str(), name.as_str());
    if let Some(component) = workload.and_then(|kind| component_of(kind, &object)) {
        return Subject::Component(component);
    }
    if key.namespace == APPLICATION && kind == "Job" && name.starts_with(JOB_PREFIX) {
        return Subject::Bootstrap;
    }
    if key.namespace == APPLICATION { by_name(key, &name) } else { Subject::Platform(name) }
}

/// Follows a replica set to its deployment.
fn controller(known: &Knowledge, key: &ObjectKey, owner: &Owner) -> (String, String) {
    if owner.kind != "ReplicaSet" {
        return (owner.kind.clone(), owner.name.clone());
    }
    match known.replica_sets.get(&ObjectKey::new(key.namespace.as_str(), owner.name.as_str())) {
        Some(owner) => (owner.kind.clone(), owner.name.clone()),
        None => {
            let deployment = owner.name.rsplit_once('-').map_or(owner.name.as_str(), |(name, _)| name);
            ("Deployment".into(), deployment.to_owned())
        }
    }
}

/// Last resort: the longest component name that the object's name begins with.
fn by_name(key: &ObjectKey, name: &str) -> Subject {
    if key.namespace != APPLICATION {
        // The provisioner has its helpers make the directories.
        let of_storage = key.namespace == "local-path-storage" && name.starts_with("helper-pod");
        return Subject::Platform(if of_storage { "local-path-provisioner" } else { name }.to_owned());
    }
    if name.starts_with(JOB_PREFIX) {
        return Subject::Bootstrap;
    }
    let fits =
        |it: &Component| name == it.object_name() || name.starts_with(&format!("{}-", it.object_name()));
    let longest = Component::ALL.into_iter().filter(fits).max_by_key(|it| it.object_name().len());
    longest.map_or_else(|| Subject::Other(name.to_owned()), Subject::Component)
}
