//! What runs against what was selected.

use appliance_status_model::Component;

use crate::finding::Subject;
use crate::flux::FluxState;
use crate::values::{Chosen, Image, ReleaseValues};
use crate::view::View;
use crate::{Detector, Finding};

pub(super) fn drift(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    drifted(view)
        .map(|it| {
            let reason = format!(
                "{} runs {}, and the values of {} select {}",
                it.component.object_name(),
                it.live,
                it.component.release(),
                it.wanted
            );
            detector.finding(Subject::Component(it.component), reason, None).identified(it.live)
        })
        .collect()
}

/// A component that runs something else than its values select.
pub(crate) struct Drift {
    component: Component,
    wanted: String,
    live: String,
}

/// Components that run something else than their values select, of releases that have nothing left to do.
pub(crate) fn drifted(view: &View<'_>) -> impl Iterator<Item = Drift> {
    Component::ALL.into_iter().filter_map(|component| {
        if view.release(component.release()) != Some(&FluxState::Ready) {
            return None;
        }
        let release = component.release();
        let site = view.known.site_values.get(release);
        let wanted = selected(component, view.known.values.get(release)?, site)?;
        let images = &view.workload(component)?.images;
        // A digest after the tag pins it, and does not change it.
        let same = |image: &String| image.split('@').next() == Some(wanted.as_str());
        if images.is_empty() || images.iter().any(same) {
            return None;
        }
        Some(Drift { component, wanted, live: images.join(", ") })
    })
}

/// The image that values select for a component, the site's own over the profile's; `None` where they leave it to
/// the chart, or cannot be read.
fn selected(component: Component, profile: &ReleaseValues, site: Option<&ReleaseValues>) -> Option<String> {
    let profile = image(component, profile.chosen()?)?;
    let own = match site {
        None | Some(ReleaseValues::None) => Image::default(),
        Some(site) => image(component, site.chosen()?)?,
    };
    Some(format!("{}:{}", own.repository.or(profile.repository)?, own.tag.or(profile.tag)?))
}

fn image(component: Component, values: &Chosen) -> Option<Image> {
    match component {
        Component::AlgaCore => Some(values.server.image.clone()),
        it if it.release() == it.name() => Some(values.image.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, Component, RollupState};

    use crate::facts::{Knowledge, ObjectKey, Truth};
    use crate::samples::{break_component, container, flux, healthy, look, look_after, put_release, waiting};

    /// A healthy appliance whose component runs `live` and has these values.
    fn running(component: Component, live: &str, values: &str) -> Knowledge {
        let mut known = healthy();
        let key = (component.kind(), ObjectKey::new("msp", component.object_name()));
        known.workloads.get_mut(&key).unwrap().images = vec![live.into()];
        known.values.insert(component.release().into(), values.into());
        known
    }

    const MAIL: &str = "enabled: true\nimage:\n  repository: ghcr.io/a/email-service\n  tag: \"1\"\n";
    const APP: &str = "setup:\n  image:\n    repository: ghcr.io/a/ee\n    tag: \"0\"\nserver:\n  image:\n    repository: ghcr.io/a/ee\n    tag: \"1\"\n";

    #[test]
    fn another_image_than_the_selected_one_is_drift_and_login_stays() {
        for (component, live, values) in [
            (Component::EmailService, "ghcr.io/a/email-service:1-hotfix", MAIL),
            (Component::AlgaCore, "ghcr.io/a/ee:0", APP),
        ] {
            let known = running(component, live, values);
            assert_eq!(look(&known).status, RollupState::ReadyToLogIn);
            let document = look_after(&known, 40);
            assert_eq!(document.status, RollupState::ReadyWithBackgroundIssues);
            let [blocker] = document.top_blockers.as_slice() else { panic!("{document:#?}") };
            assert_eq!(
                (blocker.code, blocker.component.as_str()),
                (BlockerCode::ReleaseDrift, component.name())
            );
            assert_eq!(blocker.next_action, "Run Repair Release.");
            assert!(blocker.reason.contains(live) && !blocker.login_blocking);
        }
    }

    #[test]
    fn the_selected_image_is_none_with_or_without_its_digest() {
        for live in ["ghcr.io/a/email-service:1", "ghcr.io/a/email-service:1@sha256:0a"] {
            let known = running(Component::EmailService, live, MAIL);
            assert_eq!(look_after(&known, 60).status, RollupState::FullyHealthy);
        }
    }

    #[test]
    fn values_that_name_no_image_or_cannot_be_read_are_no_evidence() {
        for values in ["image:\n  tag: \"2\"\n", "enabled: true\n", "{{", ""] {
            let known = running(Component::EmailService, "ghcr.io/a/email-service:1", values);
            assert!(look_after(&known, 60).top_blockers.is_empty());
        }
    }

    #[test]
    fn an_image_that_the_site_selects_itself_is_selected() {
        let mut known = running(Component::EmailService, "ghcr.io/a/email-service:own", MAIL);
        known.site_values.insert("email-service".into(), "# ours\nimage: {tag: own}\n".into());
        assert!(look_after(&known, 60).top_blockers.is_empty());
        known.site_values.insert("email-service".into(), "# nothing yet\n".into());
        assert_eq!(look_after(&known, 60).top_blockers[0].code, BlockerCode::ReleaseDrift);
    }

    #[test]
    fn an_image_that_nobody_released_and_nobody_has_is_drift_and_nothing_else() {
        let live = "ghcr.io/a/email-service:nope";
        let mut known = running(Component::EmailService, live, MAIL);
        let text = format!("failed to resolve reference \"{live}\": {live}: not found");
        let state = waiting("ErrImagePull", &text);
        break_component(&mut known, Component::EmailService, container("main", live, state.clone()));
        assert!(look(&known).top_blockers.is_empty());
        let document = look_after(&known, 40);
        let [blocker] = document.top_blockers.as_slice() else { panic!("{document:#?}") };
        assert_eq!(blocker.code, BlockerCode::ReleaseDrift);
        assert_eq!(blocker.next_action, "Run Repair Release.");
        assert_eq!(blocker.consequences[0].code, BlockerCode::ImageNotFound);
        // Another image of the same component is another matter.
        break_component(&mut known, Component::EmailService, container("main", "other:1", state));
        assert_eq!(look_after(&known, 40).top_blockers.len(), 2);
    }

    #[test]
    fn a_release_that_is_being_upgraded_has_not_drifted() {
        let mut known = running(Component::EmailService, "ghcr.io/a/email-service:0", MAIL);
        let text = "Running 'upgrade' action with timeout of 30m0s";
        put_release(&mut known, flux("email-service").with("Ready", Truth::Unknown, "Progressing", text));
        assert!(look_after(&known, 60).top_blockers.is_empty());
    }
}
