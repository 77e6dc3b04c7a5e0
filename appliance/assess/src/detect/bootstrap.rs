//! The bootstrap job.

use appliance_status_model::Component;

use crate::bootstrap::JobPhase;
use crate::facts::{ContainerState, Truth, condition};
use crate::finding::Subject;
use crate::view::View;
use crate::{Detector, Finding};

pub(super) fn failed(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let Some((key, job)) = view.bootstrap.job.filter(|_| view.bootstrap.phase == JobPhase::Failed) else {
        return Vec::new();
    };
    let told = ["Failed", "FailureTarget"]
        .iter()
        .find_map(|kind| condition(&job.conditions, kind).filter(|it| it.status == Truth::True));
    let line = view.bootstrap.error_line();
    let reason = match (line, told) {
        (Some(line), _) => line.to_owned(),
        (None, Some(told)) => format!("Job {} failed: {}: {}", key.name, told.reason, told.message),
        (None, None) => format!("Job {} failed", key.name),
    };
    let advice = view.with_reconcile(advice(line.unwrap_or_default(), detector), &Subject::Bootstrap);
    let finding = detector.finding(Subject::Bootstrap, reason, None).advise(advice);
    // The reason quotes the log: it is worth waiting for.
    vec![if view.bootstrap.log_pending { finding.after(10) } else { finding }]
}

fn advice(line: &str, detector: &Detector) -> &'static str {
    if line.contains("Configured seed directory") {
        "Publish an app image that holds the configured seed directory, or correct it in the values, then rerun bootstrap in recover mode."
    } else if line.contains("Existing application database state detected") {
        "Rerun bootstrap in recover mode to keep the data, or reset the appliance to wipe it."
    } else if line.contains("did not become reachable") || line.contains("authentication failed") {
        "Check database connectivity and the db-credentials Secret, then rerun bootstrap in recover mode."
    } else {
        detector.next_action
    }
}

pub(super) fn missing(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    if view.bootstrap.phase != JobPhase::Absent || view.bootstrap.completed {
        return Vec::new();
    }
    let waits = view.containers().find_map(|(pod, container)| match container.state {
        ContainerState::Running { since }
            if pod.subject == Subject::Component(Component::AlgaCore)
                && container.init
                && container.name == "wait-for-bootstrap" =>
        {
            Some((pod, since))
        }
        _ => None,
    });
    waits
        .map(|(pod, since)| {
            let reason = format!("Pod {} waits for bootstrap, and no bootstrap job exists", pod.key.name);
            detector.finding(Subject::Bootstrap, reason, since)
        })
        .into_iter()
        .collect()
}
