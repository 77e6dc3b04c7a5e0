//! The login page.

use appliance_status_model::Component;

use crate::finding::Subject;
use crate::probe::is_reachable;
use crate::view::View;
use crate::{Detector, Finding};

pub(super) fn probe(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let Some(probe) = view.known.login_probe.as_ref().filter(|it| !is_reachable(it)) else {
        return Vec::new();
    };
    if !view.is_ready(Component::AlgaCore) {
        return Vec::new();
    }
    let url = &probe.url;
    let (reason, advice) = match (probe.status, &probe.location, &probe.error) {
        (Some(status @ 300..=399), Some(location), _) => (
            format!("{url} answered {status} to another host: {location}"),
            "Set the app's URL (appUrl) to the address at which people reach it, then reconcile alga-core.",
        ),
        (Some(status), _, _) => (format!("{url} answered {status}"), detector.next_action),
        (None, _, error) => (
            format!("{url} does not answer: {}", error.as_deref().unwrap_or("no answer")),
            "Check that port 3000 of the node leads to alga-core.",
        ),
    };
    let subject = Subject::Component(Component::AlgaCore);
    vec![detector.finding(subject, reason, view.probe_failing_since).advise(advice)]
}
