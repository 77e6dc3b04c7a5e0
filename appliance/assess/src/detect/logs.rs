//! Causes that only a container's log tells.

use appliance_status_model::Component;

use crate::facts::ContainerFact;
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
    find_line(view, detector, |_, line| line.to_ascii_lowercase().contains("no space left on device"))
}

/// Log lines and last words of containers that ended badly, in pods whose component is not ready.
fn find_line(
    view: &View<'_>,
    detector: &Detector,
    fits: impl Fn(&PodView<'_>, &str) -> bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (pod, container) in view.containers().filter(|(pod, it)| has_failed(view, pod, it)) {
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

fn has_failed(view: &View<'_>, pod: &PodView<'_>, container: &ContainerFact) -> bool {
    let ended_badly = container.last_end().is_some_and(|end| end.exit_code != 0);
    let ready = pod.subject.component().is_some_and(|it| view.is_ready(it));
    ended_badly && (!ready || pod.subject == Subject::Bootstrap)
}
