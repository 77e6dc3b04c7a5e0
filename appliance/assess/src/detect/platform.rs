//! Machine, API, names, nodes.

use appliance_status_model::WorkloadKind;

use crate::detect::{bootstrap, graces, images, is_dns_trouble, signals::dns_part};
use crate::facts::{Condition, ObjectKey, Truth, condition};
use crate::finding::Subject;
use crate::view::View;
use crate::{Detector, Finding};

pub(super) fn kubernetes(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let grace = graces::SILENT_API.seconds;
    let Some(outage) = view.known.outage.as_ref().filter(|it| it.seconds >= grace.unsigned_abs()) else {
        return Vec::new();
    };
    // How long exactly is no news every few seconds.
    let reason = format!("The Kubernetes API has not answered for more than {grace} s: {}", outage.error);
    vec![detector.finding(Subject::Platform("kubernetes".into()), reason, None).after(&graces::CERTAIN)]
}

pub(super) fn dns(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found = images::unresolved(view, detector);
    // A lost node takes cluster DNS with it; what pods cannot look up then says nothing of the site's resolver.
    if !node_troubles(view).is_empty() {
        return found;
    }
    for kind in ["OCIRepository", "GitRepository", "Kustomization", "HelmRelease"] {
        for (key, failure) in view.failed(kind).filter(|(_, it)| is_dns_trouble(&it.message)) {
            let subject = match kind {
                "HelmRelease" => Subject::Release(key.name.clone()),
                "Kustomization" => Subject::Kustomization(key.name.clone()),
                _ => Subject::Platform("source".into()),
            };
            let reason = format!("{kind} {}: {}", key.name, dns_part(&failure.message));
            found.push(detector.finding(subject, reason, failure.since));
        }
    }
    found.extend(bootstrap_lookup(view, detector));
    found.extend(cluster_dns(view, detector));
    found
}

fn bootstrap_lookup(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    if view.bootstrap.phase != crate::bootstrap::JobPhase::Failed {
        return None;
    }
    let (_, log) = view.bootstrap.log?;
    let line = log.lines.iter().rfind(|line| is_dns_trouble(line))?;
    // What the job said of names while it waited is no reason of an end that it gives another for.
    if view.bootstrap.error_line().is_some_and(|it| bootstrap::is_own_cause(it) && !is_dns_trouble(it)) {
        return None;
    }
    Some(detector.finding(Subject::Bootstrap, format!("Bootstrap: {line}"), None))
}

/// The cluster's own resolver is gone.
fn cluster_dns(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    let key = ObjectKey::new("kube-system", "coredns");
    let reason = match view.known.workloads.get(&(WorkloadKind::Deployment, key)) {
        Some(coredns) if coredns.ready > 0 => return None,
        Some(_) => "Cluster DNS (kube-system/coredns) has no ready replica",
        None if view.known.kustomizations.is_empty() || !view.is_read("deployments") => return None,
        None => "Cluster DNS (kube-system/coredns) does not exist",
    };
    let advice = format!(
        "{}; first bring kube-system/coredns back to at least one ready replica.",
        detector.next_action.trim_end_matches('.')
    );
    Some(
        detector
            .finding(Subject::Platform("coredns".into()), reason, None)
            .after(&graces::CLUSTER_DNS)
            .advise(advice),
    )
}

pub(super) fn node(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    node_troubles(view)
        .into_iter()
        .map(|(key, ready)| {
            let reason = format!("Node {key} is not ready: {}: {}", ready.reason, ready.message);
            detector.finding(Subject::Platform("node".into()), reason, ready.since)
        })
        .collect()
}

/// Nodes that are not Ready, with what they say.
fn node_troubles<'a>(view: &View<'a>) -> Vec<(&'a ObjectKey, &'a Condition)> {
    let unready =
        |conditions: &'a [Condition]| condition(conditions, "Ready").filter(|it| it.status != Truth::True);
    view.known.nodes.iter().filter_map(|(key, node)| Some((key, unready(&node.conditions)?))).collect()
}
