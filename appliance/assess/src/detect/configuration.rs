//! What pods are configured with: objects, keys, passwords.

use appliance_status_model::{BlockerCode, Component};

use crate::finding::Subject;
use crate::view::{View, waiting};
use crate::{Detector, Finding};

pub(super) fn config_missing(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found = Vec::new();
    for (pod, container) in view.containers() {
        let Some((reason, message)) = waiting(container) else { continue };
        if reason == "CreateContainerConfigError" && names_missing_object(message) {
            let reason = format!("Container {} of {}: {message}", container.name, pod.key.name);
            found.push(detector.finding(pod.subject.clone(), reason, None));
        }
    }
    for pod in view.pods.iter().filter(|it| it.pod.phase == "Pending") {
        // Repeats tell a missing object from a kubelet that has not fetched it yet.
        let missing = view.events_of(pod.pod).iter().rfind(|event| {
            event.reason == "FailedMount" && event.count > 1 && names_missing_object(&event.message)
        });
        if let Some(event) = missing {
            let reason = format!("Pod {}: {}", pod.key.name, event.message);
            found.push(detector.finding(pod.subject.clone(), reason, event.first));
        }
    }
    found
}

fn names_missing_object(message: &str) -> bool {
    let object = message.contains("configmap \"") || message.contains("secret \"");
    (object && message.contains("not found"))
        || message.contains("couldn't find key")
        || message.contains("references non-existent config key")
        || message.contains("references non-existent secret key")
}

/// Lines that say a password is wrong.
const REFUSED: &[&str] = &[
    "password authentication failed",
    "no password supplied",
    "SASL authentication failed",
    "PostgreSQL authentication failed for",
];

pub(super) fn credentials(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found = Vec::new();
    for (key, failure) in view.failed("HelmRelease") {
        if let Some(at) = failure.message.find("Refusing to generate ") {
            let reason = failure.message[at..].to_owned();
            found.push(detector.finding(Subject::Release(key.name.clone()), reason, failure.since));
        }
    }
    for (pod, container) in view.containers() {
        let ended_badly = container.last_end().is_some_and(|end| end.exit_code != 0);
        let ready = pod.subject.component().is_some_and(|it| view.is_ready(it));
        if !ended_badly || (ready && pod.subject != Subject::Bootstrap) {
            continue;
        }
        let lines = view.log(pod.key, &container.name).map(|log| log.lines.as_slice()).unwrap_or_default();
        if let Some(line) = lines.iter().rfind(|line| REFUSED.iter().any(|signal| line.contains(signal))) {
            let reason = format!("Container {} of {}: {line}", container.name, pod.key.name);
            found.push(detector.finding(pod.subject.clone(), reason, None));
        }
    }
    found
}

/// Whether a code names a cause that all components share, so that it is told once.
#[must_use]
pub fn is_shared(code: BlockerCode) -> bool {
    matches!(code, BlockerCode::Dns | BlockerCode::Credentials | BlockerCode::Node | BlockerCode::Kubernetes)
}

/// Which of two components is told first where both have the same cause.
pub(crate) fn importance(subject: &Subject) -> usize {
    let order =
        [Component::Db, Component::Redis, Component::AlgaCore, Component::Pgbouncer, Component::Temporal];
    match subject {
        Subject::Platform(_) => 0,
        Subject::Kustomization(_) => 1,
        Subject::Component(component) => {
            2 + order.iter().position(|it| it == component).unwrap_or(order.len())
        }
        Subject::Bootstrap => 5,
        Subject::Release(_) => 20,
        Subject::Other(_) => 30,
    }
}
