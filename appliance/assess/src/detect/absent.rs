//! Workloads of which there is nothing to look into: no object, no replica wanted, no pod.

use appliance_status_model::{Component, WorkloadKind};

use crate::detect::graces::{self, Grace};
use crate::facts::{APPLICATION, EventFact, ObjectKey, PLATFORM, WorkloadFact};
use crate::finding::Subject;
use crate::flux::FluxState;
use crate::view::View;
use crate::{Detector, Finding};

/// Why there is nothing of a component to look into, where that is so.
pub(super) fn component(view: &View<'_>, detector: &Detector, component: Component) -> Option<Finding> {
    let object = format!("{} msp/{}", component.kind().as_str(), component.object_name());
    let found = |reason: String, advice: String, grace: &Grace| {
        let advice = format!("{}; {advice}", detector.next_action.trim_end_matches('.'));
        Some(detector.finding(Subject::Component(component), reason, None).advise(advice).after(grace))
    };
    let Some(workload) = view.workload(component) else {
        let installed = view.release(component.release()) == Some(&FluxState::Ready);
        if !installed || !view.is_read(read_of(component.kind())) {
            return None;
        }
        let reason = format!("{object} does not exist, although its release is installed");
        return found(reason, "there is none: Run Repair Release.".into(), &graces::DELETED);
    };
    if workload.desired == 0 {
        let reason = format!("{object} is scaled to 0 replicas");
        return found(
            reason,
            scale_up(component.kind(), APPLICATION, component.object_name()),
            &graces::SCALED_DOWN,
        );
    }
    let subject = Subject::Component(component);
    if !view.is_read("pods") || view.pods.iter().any(|it| it.subject == subject) {
        return None;
    }
    let refused = refusal(view, component).map(|it| format!(": {}", it.message)).unwrap_or_default();
    let going = view.known.pods.iter().any(|(key, pod)| {
        pod.deleting && key.namespace == APPLICATION && key.name.starts_with(component.object_name())
    });
    let advice = format!(
        "there is none: repair what the events of {object} name (quota, admission, service account, a pod that does not end)."
    );
    found(
        format!("{object} has no pod{refused}"),
        advice,
        if going { &graces::GOING } else { &graces::NO_POD },
    )
}

/// What Flux works with.
const CONTROLLERS: [&str; 3] = ["source-controller", "kustomize-controller", "helm-controller"];

/// Controllers of Flux that do not exist, although there is something for them to do.
pub(super) fn controllers(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let key = |name: &str| (WorkloadKind::Deployment, ObjectKey::new("flux-system", name));
    let there = |name: &&str| view.known.workloads.contains_key(&key(name));
    if view.known.kustomizations.is_empty() || !view.is_read("deployments") {
        return Vec::new();
    }
    let gone = CONTROLLERS.into_iter().filter(|name| !there(name));
    gone.map(|name| {
        let reason =
            format!("Deployment flux-system/{name} does not exist: nothing is reconciled without it");
        let advice = format!(
            "{}; there is none: run the appliance's bootstrap again in recover mode.",
            detector.next_action.trim_end_matches('.')
        );
        let finding = detector.finding(Subject::Platform(name.into()), reason, None).advise(advice);
        finding.after(&graces::DELETED).latent()
    })
    .collect()
}

/// Parts of the platform that somebody scaled to nothing. DNS and storage have causes of their own.
pub(super) fn platform(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let idle = view.known.workloads.iter().filter(|((kind, key), it)| {
        *kind == WorkloadKind::Deployment
            && it.desired == 0
            && PLATFORM.contains(&key.namespace.as_str())
            && !matches!(key.name.as_str(), "coredns" | "local-path-provisioner")
    });
    idle.map(|((kind, key), _): (&(WorkloadKind, ObjectKey), &WorkloadFact)| {
        let subject = Subject::Platform(key.name.clone());
        let scale_up = scale_up(*kind, &key.namespace, &key.name);
        let advice = format!("{}; {scale_up}", detector.next_action.trim_end_matches('.'));
        let reason = format!("{} {key} is scaled to 0 replicas", kind.as_str());
        detector.finding(subject, reason, None).advise(advice).after(&graces::NO_POD).latent()
    })
    .collect()
}

fn scale_up(kind: WorkloadKind, namespace: &str, name: &str) -> String {
    let kind = kind.as_str().to_ascii_lowercase();
    format!("none runs: scale it up (kubectl -n {namespace} scale {kind}/{name} --replicas=1).")
}

const fn read_of(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::StatefulSet => "statefulsets",
        _ => "deployments",
    }
}

/// The newest refusal of a pod that a component's controller asked for.
fn refusal<'a>(view: &View<'a>, component: Component) -> Option<&'a EventFact> {
    let is_its = |kind: &str, about: &ObjectKey| match kind {
        "ReplicaSet" => {
            let owner = view.known.replica_sets.get(about);
            owner.is_some_and(|it| it.name == component.object_name())
        }
        _ => kind == component.kind().as_str() && about.name == component.object_name(),
    };
    let about = |it: &&EventFact| {
        it.reason == "FailedCreate"
            && it
                .about
                .as_ref()
                .is_some_and(|key| key.namespace == APPLICATION && is_its(it.about_kind.as_str(), key))
    };
    view.known.events.values().filter(about).max_by_key(|it| it.last)
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, Component, RollupState};

    use crate::facts::{EventFact, Knowledge, ObjectKey, ReadState, Truth, WorkloadFact};
    use crate::samples::{ago, codes, flux, healthy, look, look_after, put_release};

    fn object(known: &mut Knowledge, component: Component) -> &mut WorkloadFact {
        let key = (component.kind(), ObjectKey::new("msp", component.object_name()));
        known.workloads.get_mut(&key).unwrap()
    }

    #[test]
    fn a_database_that_somebody_deleted_is_told_after_its_grace() {
        let mut known = healthy();
        known.workloads.remove(&(Component::Db.kind(), ObjectKey::new("msp", "db")));
        known.pods.remove(&ObjectKey::new("msp", "db-0"));
        assert!(look(&known).top_blockers.is_empty());
        let document = look_after(&known, 30);
        assert_eq!(codes(&document), [(BlockerCode::Workload, "db")]);
        assert_eq!(document.status, RollupState::FailedActionRequired);
        assert!(document.next_action.ends_with("Run Repair Release."), "{}", document.next_action);
    }

    #[test]
    fn an_object_that_was_not_installed_yet_or_cannot_be_read_is_no_fault() {
        let mut known = healthy();
        known.workloads.remove(&(Component::Db.kind(), ObjectKey::new("msp", "db")));
        known.reads.insert("statefulsets".into(), ReadState::Failed("403 Forbidden: no".into()));
        assert!(look_after(&known, 3600).top_blockers.is_empty());
        known.reads.clear();
        let text = "Running 'install' action with timeout of 30m0s";
        put_release(&mut known, flux("alga-core").with("Ready", Truth::Unknown, "Progressing", text));
        assert!(look_after(&known, 3600).top_blockers.is_empty());
    }

    #[test]
    fn a_service_scaled_to_nothing_is_not_ready_and_is_to_be_scaled_up() {
        for component in [Component::Db, Component::EmailService] {
            let mut known = healthy();
            *object(&mut known, component) =
                WorkloadFact { generation: 2, observed_generation: 2, ..WorkloadFact::default() };
            known.pods.remove(&ObjectKey::new("msp", format!("{}-0", component.object_name())));
            let document = look_after(&known, 30);
            let [blocker] = document.top_blockers.as_slice() else { panic!("{document:#?}") };
            assert_eq!(blocker.component, component.name());
            assert!(blocker.next_action.contains("scale it up"), "{}", blocker.next_action);
            assert_ne!(document.status, RollupState::FullyHealthy);
        }
    }

    #[test]
    fn a_database_without_a_pod_quotes_why_none_was_made() {
        let mut known = healthy();
        object(&mut known, Component::Db).ready = 0;
        known.pods.remove(&ObjectKey::new("msp", "db-0"));
        let event = EventFact {
            reason: "FailedCreate".into(),
            message: "create Pod db-0 in StatefulSet db failed error: exceeded quota: none".into(),
            about_kind: "StatefulSet".into(),
            about: Some(ObjectKey::new("msp", "db")),
            last: ago(20),
            ..EventFact::default()
        };
        known.events.insert(ObjectKey::new("msp", "db.1"), event);
        assert!(look_after(&known, 50).top_blockers.is_empty());
        let document = look_after(&known, 60);
        assert_eq!(codes(&document), [(BlockerCode::Workload, "db")]);
        assert!(document.top_blockers[0].reason.ends_with("exceeded quota: none"));
    }

    #[test]
    fn a_pod_that_takes_its_time_to_end_is_no_missing_pod() {
        let mut known = healthy();
        object(&mut known, Component::Db).ready = 0;
        known.pods.get_mut(&ObjectKey::new("msp", "db-0")).unwrap().deleting = true;
        assert!(look_after(&known, 110).top_blockers.is_empty());
        assert_eq!(codes(&look_after(&known, 120)), [(BlockerCode::Workload, "db")]);
    }

    #[test]
    fn a_controller_of_flux_scaled_to_nothing_is_told() {
        let mut known = healthy();
        let key = (Component::AlgaCore.kind(), ObjectKey::new("flux-system", "helm-controller"));
        known.workloads.insert(key, WorkloadFact::default());
        assert_eq!(codes(&look_after(&known, 60)), [(BlockerCode::Workload, "helm-controller")]);
    }
}
