//! Flux objects that are gone, or told to stand still.

use crate::detect::graces;
use crate::facts::ObjectKey;
use crate::finding::Subject;
use crate::flux::FluxState;
use crate::view::View;
use crate::{Detector, Finding};

/// The Kustomization that applies the others.
const ROOT: &str = "alga-appliance";
/// The Kustomizations that the root applies, all at once.
const TIERS: [&str; 3] = ["alga-platform", "alga-core", "alga-background"];

pub(super) fn gone(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let mut found: Vec<Finding> = source(view, detector).into_iter().collect();
    found.extend(kustomizations(view, detector));
    found.extend(suspended(view, detector));
    found
}

/// A source is older than whatever is applied from it.
fn source(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    let read = view.is_read("ocirepositories") && view.is_read("gitrepositories");
    if !read || view.source().is_some() || view.known.kustomizations.is_empty() {
        return None;
    }
    let reason = "Neither OCIRepository nor GitRepository flux-system/alga-appliance exists";
    let advice = "Run the appliance's bootstrap again in recover mode; it makes the source anew.";
    let finding = detector.finding(Subject::Platform("source".into()), reason, None);
    Some(finding.advise(advice).after(&graces::MISSED).latent())
}

fn kustomizations(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    if !view.is_read("kustomizations") {
        return Vec::new();
    }
    let there = |name: &str| view.kustomization(name).is_some();
    let applied = TIERS.into_iter().any(there) || view.kustomization(ROOT) == Some(&FluxState::Ready);
    let missing = std::iter::once(ROOT).chain(TIERS).filter(|name| applied && !there(name));
    missing
        .map(|name| {
            let reason = format!("Kustomization flux-system/{name} does not exist");
            let advice = if name != ROOT && there(ROOT) {
                format!("Reconcile the Kustomization {ROOT}; it applies {name} again.")
            } else {
                format!("Run the appliance's bootstrap again in recover mode; it makes {name} anew.")
            };
            detector
                .finding(Subject::Kustomization(name.into()), reason, None)
                .advise(advice)
                .after(&graces::MISSED)
        })
        .collect()
}

/// What nobody reconciles because somebody said so.
fn suspended(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let told = |kind: &str, key: &ObjectKey| {
        let subject = match kind {
            "HelmRelease" => Subject::Release(key.name.clone()),
            "Kustomization" => Subject::Kustomization(key.name.clone()),
            _ => Subject::Platform("source".into()),
        };
        let reason = format!("{kind} {key} is suspended: nothing reconciles it");
        let advice = format!("Resume {kind} {key}: set its spec.suspend to false.");
        let finding = detector.finding(subject, reason, None).advise(advice).after(&graces::MISSED);
        finding.identified("suspended").latent()
    };
    view.suspended().map(|(kind, key)| told(kind, key)).collect()
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, RollupState};

    use crate::facts::{ObjectKey, ReadState};
    use crate::samples::{codes, healthy, look, look_after};

    fn tier(name: &str) -> ObjectKey {
        ObjectKey::new("flux-system", name)
    }

    #[test]
    fn a_source_that_somebody_deleted_is_told_after_its_grace_and_login_stays() {
        let mut known = healthy();
        known.oci_source.clear();
        assert!(look(&known).top_blockers.is_empty());
        let document = look_after(&known, 60);
        assert_eq!(codes(&document), [(BlockerCode::Source, "source")]);
        assert_eq!(document.status, RollupState::ReadyWithBackgroundIssues);
    }

    #[test]
    fn a_source_that_cannot_be_read_is_not_missed() {
        let mut known = healthy();
        known.oci_source.clear();
        known.reads.insert("gitrepositories".into(), ReadState::Failed("403 Forbidden: no".into()));
        assert!(look_after(&known, 3600).top_blockers.is_empty());
    }

    #[test]
    fn a_tier_that_somebody_deleted_is_told_with_who_applies_it_again() {
        for name in ["alga-platform", "alga-core", "alga-background"] {
            let mut known = healthy();
            known.kustomizations.remove(&tier(name));
            let document = look_after(&known, 60);
            assert_eq!(codes(&document), [(BlockerCode::Source, name)]);
            assert!(document.next_action.starts_with("Reconcile the Kustomization alga-appliance"));
        }
    }

    #[test]
    fn a_root_that_somebody_deleted_is_told_with_who_makes_it_anew() {
        let mut known = healthy();
        known.kustomizations.remove(&tier("alga-appliance"));
        let document = look_after(&known, 60);
        assert_eq!(codes(&document), [(BlockerCode::Source, "alga-appliance")]);
        assert!(document.next_action.starts_with("Run the appliance's bootstrap again"));
    }

    #[test]
    fn tiers_that_the_root_has_not_applied_yet_are_not_missed() {
        let mut known = healthy();
        known.releases.clear();
        known.workloads.retain(|(_, key), _| key.namespace != "msp");
        known.kustomizations.retain(|key, _| key.name == "alga-appliance");
        known.kustomizations.values_mut().for_each(|it| it.conditions.clear());
        assert!(look_after(&known, 3600).top_blockers.is_empty());
    }

    #[test]
    fn whatever_is_suspended_is_told_with_how_to_resume_it() {
        for name in ["temporal", "alga-core", "source"] {
            let mut known = healthy();
            match name {
                "temporal" => {
                    let release = known.releases.get_mut(&ObjectKey::new("alga-system", name));
                    release.unwrap().suspended = true;
                }
                "source" => known.oci_source.values_mut().for_each(|it| it.suspended = true),
                _ => known.kustomizations.get_mut(&tier(name)).unwrap().suspended = true,
            }
            assert!(look(&known).top_blockers.is_empty());
            let document = look_after(&known, 60);
            assert_eq!(codes(&document), [(BlockerCode::Source, name)]);
            assert!(document.next_action.starts_with("Resume "), "{}", document.next_action);
            assert_eq!(document.status, RollupState::ReadyWithBackgroundIssues);
        }
    }
}
