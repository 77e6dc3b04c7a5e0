//! The login page.

use appliance_status_model::Component;

use crate::detect::graces;
use crate::document::login_url;
use crate::facts::ProbeFact;
use crate::finding::Subject;
use crate::probe::is_reachable;
use crate::view::View;
use crate::{Detector, Finding};

pub(super) fn probe(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let address = login_url(view.known);
    let failing = view.known.login_probe.as_ref().filter(|it| !is_reachable(it, address.as_deref()));
    let Some(probe) = failing.filter(|_| view.is_ready(Component::AlgaCore)) else { return Vec::new() };
    let (reason, advice) = answer(probe, detector);
    let subject = Subject::Component(Component::AlgaCore);
    let finding = detector.finding(subject, reason, view.probe_failing_since).advise(advice);
    vec![finding.after(&graces::PAGE)]
}

/// What it answered, and what helps against that.
fn answer(probe: &ProbeFact, detector: &Detector) -> (String, &'static str) {
    let url = &probe.url;
    match (probe.status, &probe.location) {
        (Some(status @ 300..=399), Some(location)) => (
            format!("{url} answered {status} to another host: {location}"),
            "Set the app's URL (appUrl) to the address at which people reach it, then reconcile alga-core.",
        ),
        (Some(status @ 400..=499), _) => (
            format!("{url} answered {status}"),
            "Check that it is alga-core that answers on port 3000 of the node, and what its values make of the address /.",
        ),
        (Some(status), _) => (format!("{url} answered {status}"), detector.next_action),
        (None, _) => (
            format!("{url} does not answer: {}", probe.error.as_deref().unwrap_or("no answer")),
            "Check that port 3000 of the node leads to alga-core.",
        ),
    }
}
