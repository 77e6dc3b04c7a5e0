//! Causes that only a container's log tells.

use appliance_status_model::Component;

use crate::facts::{ContainerFact, ContainerState};
use crate::finding::Subject;
use crate::view::{PodView, View};
use crate::{Detector, Finding};

pub(super) fn temporal_schema(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    find_line(view, detector, |pod, line| {
        pod.subject == Subject::Component(Component::Temporal)
            && line.contains("sql schema version compatibility check failed")
    })
}

pub(super) fn service_link(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    find_line(view, detector, |_, line| line.contains("cannot unmarshal") && line.contains("tcp://"))
}

pub(super) fn volume_full(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found =
        find_line(view, detector, |_, line| line.to_ascii_lowercase().contains("no space left on device"));
    for finding in &mut found {
        // What the job could not write, the database could not.
        if finding.subject == Subject::Bootstrap {
            finding.subject = Subject::Component(Component::Db);
        }
        let volume = finding.subject.component().and_then(volume_of);
        finding.reason = match volume {
            Some(claim) => format!("Volume {claim} is full: {}", finding.reason),
            None => format!("A disk of the node is full: {}", finding.reason),
        };
    }
    found
}

/// Claim of a component's volume.
fn volume_of(component: Component) -> Option<&'static str> {
    match component {
        Component::Db => Some("msp/alga-core-sebastian-postgres-data"),
        Component::Redis => Some("msp/alga-core-sebastian-redis-data"),
        Component::AlgaCore => Some("msp/alga-core-sebastian-storage"),
        _ => None,
    }
}

/// Log lines and last words of containers in trouble.
fn find_line(
    view: &View<'_>,
    detector: &Detector,
    fits: impl Fn(&PodView<'_>, &str) -> bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (pod, container) in view.containers().filter(|(pod, it)| is_in_trouble(view, pod, it)) {
        let log = view.log(pod.key, &container.name).map(|it| it.lines.as_slice()).unwrap_or_default();
        let last_words = container.last_end().map(|end| end.message.as_str());
        let lines = log.iter().map(String::as_str).chain(last_words);
        if let Some(line) = lines.filter(|line| fits(pod, line)).last() {
            let reason = format!("Container {} of {}: {}", container.name, pod.key.name, line.trim());
            let advice = view.with_reconcile(detector.next_action, &pod.subject);
            found.push(detector.finding(pod.subject.clone(), reason, None).advise(advice));
        }
    }
    found
}

/// Whether what a container says matters: it ended badly, or runs and does not get ready, and so does its component.
pub(super) fn is_in_trouble(view: &View<'_>, pod: &PodView<'_>, container: &ContainerFact) -> bool {
    let ended_badly = container.last_end().is_some_and(|end| end.exit_code != 0);
    if pod.subject == Subject::Bootstrap {
        return ended_badly;
    }
    let unready =
        !container.ready && !container.init && matches!(container.state, ContainerState::Running { .. });
    let ready = pod.subject.component().is_some_and(|it| view.is_ready(it));
    (ended_badly || unready) && !ready
}
