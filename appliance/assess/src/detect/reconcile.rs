//! Flux: source, Kustomizations, releases.

use appliance_status_model::{Component, RELEASES, Release};

use crate::detect::{
    gone, graces, is_dns_trouble,
    signals::{PullTrouble, RegistryAnswer, classify_pull, registry_trouble},
};
use crate::finding::Subject;
use crate::flux::{FluxFailure, FluxState};
use crate::view::View;
use crate::{Detector, Finding, ObjectKey};

pub(super) fn source(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found = Vec::new();
    for kind in ["OCIRepository", "GitRepository"] {
        for (key, failure) in own(view, kind) {
            let reason = format!("{kind} {}: {}", key.name, failure.message);
            let finding = detector.finding(Subject::Platform("source".into()), reason, failure.since);
            found.push(finding.advise(source_advice(&failure.message)));
        }
    }
    for (key, failure) in own(view, "Kustomization") {
        let reason = format!("Kustomization {}: {}: {}", key.name, failure.reason, failure.message);
        let finding = detector.finding(Subject::Kustomization(key.name.clone()), reason, failure.since);
        if failure.reason == "HealthCheckFailed" {
            found.extend(unhealthy(view, &key.name, finding));
        } else {
            found.push(finding);
        }
    }
    found.extend(gone::gone(view, detector));
    found.extend(behind(view, detector));
    found
}

/// The source is of another release than the selected one: nothing that runs can be what was selected.
fn behind(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    let selection = view.known.selection.as_ref()?;
    let selected = |key: &str| selection.get(key).filter(|it| !it.is_empty());
    let (key, source) = view.source().filter(|(_, it)| !it.suspended)?;
    let revision = source.revision.as_ref()?;
    // What is pinned to a digest has no other name.
    let at = revision.split_once('@').map_or(revision.as_str(), |(at, _)| at);
    let wanted = match source.kind.as_str() {
        "GitRepository" => selected("releaseBranch")?,
        _ => selected("sourceDigest")
            .or_else(|| selected("sourceTag"))
            .or_else(|| selected("releaseVersion"))?,
    };
    if at == wanted || at.strip_prefix("refs/heads/") == Some(wanted) {
        return None;
    }
    let reason = format!("{} {} is at {revision}, and the selection names {wanted}", source.kind, key.name);
    let advice = format!("Point the source {} at {wanted}, then reconcile it.", key.name);
    let finding = detector.finding(Subject::Platform("source".into()), reason, None).advise(advice);
    Some(finding.identified("behind").after(&graces::BEHIND).latent())
}

/// A tier fails its health check because of its releases; once they are on their way again, so is the tier,
/// although it says so only at its next try.
fn unhealthy(view: &View<'_>, tier: &str, mut finding: Finding) -> Option<Finding> {
    let mut states =
        RELEASES.iter().filter(|it| it.kustomization == tier).map(|it| view.release(it.name)).peekable();
    if states.peek().is_none() {
        return Some(finding.after(&graces::UNHEALTHY));
    }
    let states: Vec<_> = states.collect();
    if states.iter().any(|it| matches!(it, Some(FluxState::Failed(_)))) {
        return Some(finding);
    }
    if states.iter().all(|it| *it == Some(&FluxState::Ready)) {
        finding.since = None;
        return Some(finding.identified("mended").after(&graces::MENDED_TIER));
    }
    None
}

/// Failures that neither names nor the registry explain.
fn own<'v>(view: &'v View<'_>, kind: &'v str) -> impl Iterator<Item = (&'v ObjectKey, &'v FluxFailure)> {
    view.failed(kind).filter(move |(_, it)| {
        !is_dns_trouble(&it.message) && (kind != "OCIRepository" || registry_trouble(&it.message).is_none())
    })
}

fn source_advice(message: &str) -> &'static str {
    match classify_pull(message) {
        PullTrouble::NotFound => "Publish the missing source artifact, or select a release that exists.",
        PullTrouble::Registry(RegistryAnswer::Denied) => "Grant this site access to the source's repository.",
        PullTrouble::Registry(RegistryAnswer::Unreachable) | PullTrouble::Interrupted => {
            "Make the source's host reachable from the cluster (firewall, proxy, routing)."
        }
        _ => "Inspect the source's conditions, repair what they name, then reconcile it.",
    }
}

/// Texts of a release storage that is stuck.
const STUCK: &[&str] = &[
    "another operation (install/upgrade/rollback) is in progress",
    "cannot re-use a name that is still in use",
    "has no deployed releases",
    "release: already exists",
    "secrets \"sh.helm.release.v1.",
    "create: failed to create: ",
    "illegal base64 data",
];

fn is_stuck(failure: &FluxFailure) -> bool {
    STUCK.iter().any(|signal| failure.message.contains(signal))
}

pub(super) fn helm_storage(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    view.failed("HelmRelease")
        .filter(|(_, failure)| is_stuck(failure))
        .map(|(key, failure)| {
            let reason = format!("HelmRelease {}: {}", key.name, failure.message);
            detector.finding(Subject::Release(key.name.clone()), reason, failure.since)
        })
        .collect()
}

pub(super) fn helm(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    view.failed("HelmRelease")
        .filter(|(_, it)| !is_stuck(it) && !is_dns_trouble(&it.message))
        .filter(|(_, it)| registry_trouble(&it.message).is_none())
        .filter(|(_, it)| !it.message.contains("Refusing to generate "))
        .map(|(key, failure)| {
            let subject = Subject::Release(key.name.clone());
            let reason = format!("HelmRelease {}: {}", key.name, failure.message);
            let finding = detector.finding(subject.clone(), reason, failure.since);
            let advice = view.with_reconcile(detector.next_action, &subject);
            if !view.workloads_ready(&key.name) || Release::named(&key.name).is_none() {
                return finding.advise(advice);
            }
            // Somebody repaired what it failed over; it only has to be asked again.
            let mut mended = finding.advise(format!(
                "{}; none of {} is left, so reconcile the release.",
                detector.next_action.trim_end_matches('.'),
                key.name
            ));
            mended.since = None;
            let grace = if is_of_health(&failure.message) { &graces::MENDED_RELEASE } else { &graces::FLUX };
            mended.identified("mended").after(grace)
        })
        .collect()
}

/// Texts of a release that waited for its workloads in vain: Flux 2.9's three, and Helm 3's.
const HEALTH: &[&str] = &[
    "timeout waiting for: ",
    "failed early due to stalled resources: ",
    "client rate limiter Wait returned an error",
    "context deadline exceeded",
    "timed out waiting for the condition",
];

/// Whether a release failed over its workloads, and not over what it was given.
fn is_of_health(message: &str) -> bool {
    HEALTH.iter().any(|signal| message.contains(signal))
}

pub(super) fn release_missing(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    if !view.is_read("helmreleases") {
        return Vec::new();
    }
    // A tier applies all of its releases at once, long before it is Ready.
    let is_applied = |tier: &str| {
        let mut others = RELEASES.iter().filter(|it| it.kustomization == tier);
        view.kustomization(tier) == Some(&FluxState::Ready)
            || others.any(|it| view.release(it.name).is_some())
    };
    RELEASES
        .iter()
        .filter(|release| view.release(release.name).is_none() && is_applied(release.kustomization))
        .map(|release| {
            let reason = format!("HelmRelease alga-system/{} does not exist", release.name);
            detector.finding(Subject::Release(release.name.to_owned()), reason, None)
        })
        .collect()
}

/// Components that a Kustomization brings, by its releases.
pub(crate) fn brings(kustomization: &str, component: Component) -> bool {
    Release::named(component.release()).is_some_and(|it| it.kustomization == kustomization)
}

#[cfg(test)]
mod tests {
    use appliance_status_model::BlockerCode;

    use crate::facts::Truth;
    use crate::samples::{codes, flux, healthy, look_after, put_release};

    #[test]
    fn a_release_that_was_refused_is_told_sooner_than_one_whose_workloads_are_well_again() {
        let told = |text: &str, seconds: i64| {
            let mut known = healthy();
            put_release(&mut known, flux("pgbouncer").with("Ready", Truth::False, "UpgradeFailed", text));
            codes(&look_after(&known, seconds)) == [(BlockerCode::Helm, "pgbouncer")]
        };
        let refused = "Helm upgrade failed for release msp/pgbouncer with chart pgbouncer@1.0: Deployment is invalid: spec: required";
        assert_eq!([told(refused, 19), told(refused, 20)], [false, true]);
        let waited = "Helm upgrade failed for release msp/pgbouncer: timeout waiting for: [Deployment/msp/pgbouncer status: 'InProgress']";
        assert_eq!([told(waited, 59), told(waited, 60)], [false, true]);
    }
}
