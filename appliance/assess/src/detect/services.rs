//! Services that lead to nobody, although who should stand behind them is there.

use appliance_status_model::{Component, ComponentTier};

use crate::detect::graces;
use crate::facts::{APPLICATION, ObjectKey, ServiceFact};
use crate::finding::Subject;
use crate::view::View;
use crate::{Detector, Finding};

/// By which name each component is reached, where others reach it.
const SERVICES: [(Component, &str); 6] = [
    (Component::Db, "db"),
    (Component::Redis, "redis"),
    (Component::Pgbouncer, "pgbouncer"),
    (Component::AlgaCore, "alga-core-sebastian"),
    (Component::Temporal, "temporal-frontend"),
    (Component::TemporalUi, "temporal-ui"),
];

/// Services whose selector fits none of the pods of their component. Connections that stand go on; no new one comes about.
pub(super) fn astray(view: &View<'_>, detector: &Detector, of: fn(ComponentTier) -> bool) -> Vec<Finding> {
    if !view.is_read("services") || !view.is_read("pods") {
        return Vec::new();
    }
    let of_tier = SERVICES.into_iter().filter(|(component, _)| of(component.tier()));
    of_tier.filter_map(|(component, name)| misled(view, detector, component, name)).collect()
}

fn misled(view: &View<'_>, detector: &Detector, component: Component, name: &str) -> Option<Finding> {
    let key = ObjectKey::new(APPLICATION, name);
    let service = view.known.services.get(&key).filter(|it| !it.selector.is_empty())?;
    let subject = Subject::Component(component);
    let mut own = view.pods.iter().filter(|it| it.subject == subject).peekable();
    own.peek()?;
    if own.any(|it| service.selects(it.pod)) {
        return None;
    }
    let wanted = selector(service);
    let reason = format!(
        "Service {key} leads to no pod of {component}: it selects {wanted}",
        component = component.name()
    );
    let advice = format!(
        "{}; the pods are not at fault: put the selector of Service {key} back, or run Repair Release.",
        detector.next_action.trim_end_matches('.')
    );
    let finding = detector.finding(subject, reason, None).advise(advice);
    Some(finding.identified("service").after(&graces::ASTRAY))
}

/// A selector as `kubectl` takes it.
fn selector(service: &ServiceFact) -> String {
    let pairs: Vec<String> =
        service.selector.iter().map(|(label, value)| format!("{label}={value}")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::facts::{Knowledge, ObjectKey, ReadState, ServiceFact};
    use crate::samples::{healthy, look_after};

    const NAME: &str = "app.kubernetes.io/name";

    fn with_selector(selector: BTreeMap<String, String>) -> Knowledge {
        let mut known = healthy();
        let pod = known.pods.get_mut(&ObjectKey::new("msp", "db-0")).unwrap();
        pod.labels = [(NAME.to_owned(), "db".to_owned())].into();
        known.services.insert(ObjectKey::new("msp", "db"), ServiceFact { selector });
        known
    }

    #[test]
    fn a_service_that_leads_to_its_pod_or_selects_nothing_itself_is_no_fault() {
        let right = [(NAME.to_owned(), "db".to_owned())].into();
        for selector in [right, BTreeMap::new()] {
            assert!(look_after(&with_selector(selector), 3600).top_blockers.is_empty());
        }
    }

    #[test]
    fn a_service_is_not_blamed_for_pods_that_are_not_there_or_cannot_be_read() {
        let wrong: BTreeMap<String, String> = [(NAME.to_owned(), "db-next".to_owned())].into();
        let astray = |known: &Knowledge| {
            let document = look_after(known, 3600);
            document.top_blockers.iter().any(|it| it.reason.contains("leads to no pod"))
        };
        let mut known = with_selector(wrong);
        assert!(astray(&known));
        known.reads.insert("services".into(), ReadState::Failed("403 Forbidden: no".into()));
        assert!(!astray(&known));
        known.reads.clear();
        known.pods.remove(&ObjectKey::new("msp", "db-0"));
        assert!(!astray(&known));
    }
}
