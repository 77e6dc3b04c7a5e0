//! Claims without storage, and volumes that cannot be prepared.

use appliance_status_model::{Component, WorkloadKind};

use crate::bootstrap::{POSTGRES_CLAIM, REDIS_CLAIM};
use crate::detect::graces::{self, Grace};
use crate::facts::{APPLICATION, ClaimFact, EventFact, ObjectKey};
use crate::finding::Subject;
use crate::flux::FluxState;
use crate::view::{View, waiting};
use crate::{Detector, Finding};

/// Provisioner of the appliance's own storage class.
const LOCAL_PATH: &str = "rancher.io/local-path";

pub(super) fn postgres_storage(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found = subpath_troubles(view, detector, Volume::Postgres);
    found.extend(lost(view, detector, Component::Db, POSTGRES_CLAIM));
    found
}

pub(super) fn storage_init(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found = subpath_troubles(view, detector, Volume::Another);
    found.extend(lost(view, detector, Component::Redis, REDIS_CLAIM));
    found
}

/// A claim without a volume for good: its volume is gone, or it is itself.
fn lost(view: &View<'_>, detector: &Detector, component: Component, claim: &str) -> Option<Finding> {
    let (reason, remedy) = match view.known.claims.get(&ObjectKey::new(APPLICATION, claim)) {
        Some(it) if it.phase == "Lost" => (
            format!("PersistentVolumeClaim msp/{claim} is Lost: its PersistentVolume is gone"),
            "make a PersistentVolume for it from a backup, or reset the appliance",
        ),
        Some(_) => return None,
        None if view.workload(component).is_none() || !view.is_read("persistentvolumeclaims") => return None,
        None => (
            format!("PersistentVolumeClaim msp/{claim} does not exist"),
            "Run Repair Release, and restore its data from a backup",
        ),
    };
    let advice = format!("{}; {remedy}.", detector.next_action.trim_end_matches('.'));
    Some(
        detector
            .finding(Subject::Component(component), reason, None)
            .advise(advice)
            .after(&graces::LOST_CLAIM),
    )
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
        if !is_of_subpath(message) {
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

/// Whether a container could not be made because of a directory in a volume.
pub(super) fn is_of_subpath(message: &str) -> bool {
    message.contains("failed to create subPath directory") || message.contains("failed to prepare subPath")
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
        .filter(|(key, claim)| key.namespace == APPLICATION && claim.phase == "Pending")
        .find_map(|(key, claim)| why_pending(view, key, claim).map(|why| (key, claim, why)));
    let waits = stuck
        .map(|(key, claim, (why, grace))| {
            let reason = format!("PersistentVolumeClaim {key} is Pending: {why}");
            detector.finding(subject(), reason, claim.created).after(grace)
        })
        .or_else(|| nothing_to_claim(view, detector));
    waits.into_iter().collect()
}

/// Storage that is gone although no claim waits for it: the next one would.
fn nothing_to_claim(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    let installed = view.kustomization("alga-platform") == Some(&FluxState::Ready);
    if !installed || !view.is_read("storageclasses") || !view.is_read("deployments") {
        return None;
    }
    let reason = match view.known.storage_classes.values().find(|it| it.default) {
        None => "There is no default StorageClass",
        Some(class) if class.provisioner != LOCAL_PATH => return None,
        Some(_) if provisioners(view).into_iter().any(|key| is_wanted(view, key)) => return None,
        Some(_) => "No local-path provisioner is installed, or none is wanted (0 replicas)",
    };
    let subject = Subject::Platform("storage".into());
    Some(
        detector
            .finding(subject, reason, None)
            .after(&graces::UNCLAIMED)
            .identified("nothing to claim")
            .latent(),
    )
}

fn is_wanted(view: &View<'_>, deployment: &ObjectKey) -> bool {
    let workload = view.known.workloads.get(&(WorkloadKind::Deployment, deployment.clone()));
    workload.is_some_and(|it| it.desired > 0)
}

fn provisioners<'a>(view: &View<'a>) -> Vec<&'a ObjectKey> {
    let is_one = |(kind, key): &&(WorkloadKind, ObjectKey)| {
        *kind == WorkloadKind::Deployment && key.name.contains("local-path-provisioner")
    };
    view.known.workloads.keys().filter(is_one).map(|(_, key)| key).collect()
}

/// Why a claim cannot be bound, where that is certain.
fn why_pending(view: &View<'_>, key: &ObjectKey, claim: &ClaimFact) -> Option<(String, &'static Grace)> {
    let at_once = |why: String| Some((why, &graces::CLAIM));
    if !view.is_read("storageclasses") {
        return None;
    }
    let class = match claim.class.as_deref().filter(|name| !name.is_empty()) {
        None => match view.known.storage_classes.iter().find(|(_, class)| class.default) {
            None => return at_once("it names no StorageClass and there is no default".into()),
            Some((_, class)) => class,
        },
        Some(name) => match view.known.storage_classes.get(&ObjectKey::new("", name)) {
            None => return at_once(format!("StorageClass {name} does not exist")),
            Some(class) => class,
        },
    };
    let ready = |key: &&ObjectKey| {
        let workload = view.known.workloads.get(&(WorkloadKind::Deployment, (*key).clone()));
        workload.is_some_and(|it| it.ready > 0)
    };
    if class.provisioner == LOCAL_PATH && !provisioners(view).iter().any(ready) {
        return Some((format!("provisioner {} is not running", class.provisioner), &graces::PROVISIONER));
    }
    let refused = refusal(view, key)?;
    Some((format!("provisioner {}: {refused}", class.provisioner), &graces::PROVISIONER))
}

/// What a provisioner said again and again of a claim: nothing else tells that it refuses.
fn refusal<'a>(view: &View<'a>, claim: &ObjectKey) -> Option<&'a str> {
    let about = |it: &&EventFact| {
        it.reason == "ProvisioningFailed"
            && it.count > 1
            && it.about_kind == "PersistentVolumeClaim"
            && it.about.as_ref() == Some(claim)
    };
    let newest = view.known.events.values().filter(about).max_by_key(|it| it.last)?;
    Some(newest.message.as_str())
}

/// Whether the scheduler only says of a claim what is told as its own cause.
pub(super) fn tells_of_claim(view: &View<'_>, message: &str) -> bool {
    let missing = |claim: &str| {
        message.contains(&format!("persistentvolumeclaim \"{claim}\" not found"))
            && !view.known.claims.contains_key(&ObjectKey::new(APPLICATION, claim))
            && view.is_read("persistentvolumeclaims")
    };
    [POSTGRES_CLAIM, REDIS_CLAIM].into_iter().any(missing)
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, RollupState, WorkloadKind};

    use crate::facts::{Knowledge, ObjectKey, ReadState};
    use crate::samples::{codes, healthy, look, look_after};

    const POSTGRES: &str = "alga-core-sebastian-postgres-data";

    #[test]
    fn a_claim_of_the_database_that_lost_its_volume_or_is_gone_is_told() {
        let lose: [fn(&mut Knowledge); 2] = [
            |known| known.claims.get_mut(&ObjectKey::new("msp", POSTGRES)).unwrap().phase = "Lost".into(),
            |known| drop(known.claims.remove(&ObjectKey::new("msp", POSTGRES))),
        ];
        for lose in lose {
            let mut known = healthy();
            lose(&mut known);
            assert!(look(&known).top_blockers.is_empty());
            let document = look_after(&known, 30);
            assert_eq!(codes(&document), [(BlockerCode::PostgresStorage, "db")]);
            assert_eq!(document.status, RollupState::FailedActionRequired);
            assert!(document.next_action.contains("backup"), "{}", document.next_action);
        }
    }

    #[test]
    fn the_claim_of_redis_is_told_as_its_own() {
        let mut known = healthy();
        known.claims.remove(&ObjectKey::new("msp", "alga-core-sebastian-redis-data"));
        assert_eq!(codes(&look_after(&known, 30)), [(BlockerCode::StorageInit, "redis")]);
        known.reads.insert("persistentvolumeclaims".into(), ReadState::Failed("403 Forbidden: no".into()));
        assert!(look_after(&known, 3600).top_blockers.is_empty());
    }

    #[test]
    fn storage_that_is_gone_is_told_before_anybody_claims_any() {
        let provisioner =
            (WorkloadKind::Deployment, ObjectKey::new("local-path-storage", "local-path-provisioner"));
        let (mut classless, mut bare, mut idle) = (healthy(), healthy(), healthy());
        classless.storage_classes.clear();
        bare.workloads.remove(&provisioner);
        idle.workloads.get_mut(&provisioner).unwrap().desired = 0;
        for known in [classless, bare, idle] {
            assert!(look_after(&known, 50).top_blockers.is_empty());
            let document = look_after(&known, 60);
            assert_eq!(codes(&document), [(BlockerCode::StorageClass, "storage")]);
            assert_eq!(document.status, RollupState::ReadyWithBackgroundIssues);
        }
    }

    #[test]
    fn storage_that_is_not_installed_yet_is_no_fault() {
        let mut known = healthy();
        known.storage_classes.clear();
        known.kustomizations.values_mut().for_each(|it| it.conditions.clear());
        assert!(look_after(&known, 3600).top_blockers.is_empty());
    }
}
