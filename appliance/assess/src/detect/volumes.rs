//! Claims without storage, and volumes that cannot be prepared.

use appliance_status_model::{Component, WorkloadKind};

use crate::facts::{ClaimFact, ObjectKey};
use crate::finding::Subject;
use crate::view::{View, waiting};
use crate::{Detector, Finding};

pub(super) fn postgres_storage(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    subpath_troubles(view, detector, Volume::Postgres)
}

pub(super) fn storage_init(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    subpath_troubles(view, detector, Volume::Another)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Volume {
    Postgres,
    Another,
}

fn subpath_troubles(view: &View<'_>, detector: &Detector, wanted: Volume) -> Vec<Finding> {
    let mut found = Vec::new();
    for (pod, container) in view.containers() {
        let Some((_, message)) = waiting(container) else { continue };
        if !message.contains("failed to create subPath directory")
            && !message.contains("failed to prepare subPath")
        {
            continue;
        }
        let postgres = pod.subject == Subject::Component(Component::Db) || message.contains("\"db-data\"");
        let volume = if postgres { Volume::Postgres } else { Volume::Another };
        if volume == wanted {
            let reason = format!("Pod {}: {message}", pod.key.name);
            let advice = view.with_reconcile(detector.next_action, &pod.subject);
            found.push(detector.finding(pod.subject.clone(), reason, None).advise(advice));
        }
    }
    found
}

pub(super) fn storage_class(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let subject = || Subject::Platform("storage".into());
    let provisioners = provisioners(view);
    if provisioners.len() > 1 {
        let names: Vec<String> = provisioners.iter().map(ToString::to_string).collect();
        let reason = format!("Two local-path provisioners are installed: {}", names.join(", "));
        return vec![detector.finding(subject(), reason, None)];
    }
    let stuck = view
        .known
        .claims
        .iter()
        .filter(|(key, claim)| key.namespace == "msp" && claim.phase == "Pending")
        .find_map(|(key, claim)| why_pending(view, claim).map(|why| (key, claim, why)));
    stuck
        .map(|(key, claim, why)| {
            let reason = format!("PersistentVolumeClaim {key} is Pending: {why}");
            let finding = detector.finding(subject(), reason, claim.created);
            if why.starts_with("provisioner") { finding.after(60) } else { finding }
        })
        .into_iter()
        .collect()
}

fn provisioners<'a>(view: &View<'a>) -> Vec<&'a ObjectKey> {
    let is_one = |(kind, key): &&(WorkloadKind, ObjectKey)| {
        *kind == WorkloadKind::Deployment && key.name.contains("local-path-provisioner")
    };
    view.known.workloads.keys().filter(is_one).map(|(_, key)| key).collect()
}

/// Why a claim cannot be bound, where that is certain.
fn why_pending(view: &View<'_>, claim: &ClaimFact) -> Option<String> {
    let read = view.known.reads.get("storageclasses");
    if read.is_some_and(|it| *it != crate::ReadState::Current) {
        return None;
    }
    let class = match claim.class.as_deref().filter(|name| !name.is_empty()) {
        None => match view.known.storage_classes.iter().find(|(_, class)| class.default) {
            None => return Some("it names no StorageClass and there is no default".into()),
            Some((_, class)) => class,
        },
        Some(name) => match view.known.storage_classes.get(&ObjectKey::new("", name)) {
            None => return Some(format!("StorageClass {name} does not exist")),
            Some(class) => class,
        },
    };
    let ready = |key: &&ObjectKey| {
        let workload = view.known.workloads.get(&(WorkloadKind::Deployment, (*key).clone()));
        workload.is_some_and(|it| it.ready > 0)
    };
    if class.provisioner == "rancher.io/local-path" && !provisioners(view).iter().any(ready) {
        return Some(format!("provisioner {} is not running", class.provisioner));
    }
    None
}
