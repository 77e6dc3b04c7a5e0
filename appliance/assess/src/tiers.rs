//! Readiness in steps.

use appliance_status_model::{
    BlockerCode, Component, ComponentTier, RELEASES, TierState, Tiers, WorkloadKind,
};

use crate::bootstrap::{POSTGRES_CLAIM, REDIS_CLAIM};
use crate::causes::Root;
use crate::detect::drifted;
use crate::facts::{ObjectKey, Presence, Truth, condition};
use crate::finding::Subject;
use crate::flux::FluxState;
use crate::probe::is_reachable;
use crate::view::{PULL_REASONS, View, waiting};

/// Which tiers are ready, before anything is said about the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readiness {
    pub(crate) platform: bool,
    pub(crate) core: bool,
    pub(crate) bootstrap: bool,
    pub(crate) login: bool,
    pub(crate) background: bool,
    pub(crate) releases: bool,
}

impl Readiness {
    pub(crate) fn of(view: &View<'_>, login_url_known: Option<&str>) -> Self {
        let core = core(view);
        let bootstrap = core && view.bootstrap.completed;
        let answers = view.known.login_probe.as_ref().is_some_and(|it| is_reachable(it, login_url_known));
        Self {
            platform: platform(view),
            core,
            bootstrap,
            login: bootstrap && view.is_ready(Component::AlgaCore) && login_url_known.is_some() && answers,
            background: Component::ALL
                .into_iter()
                .filter(|it| it.tier() == ComponentTier::Background)
                .all(|it| view.is_ready(it)),
            releases: releases(view),
        }
    }

    /// The tiers with what stands in their way.
    pub(crate) fn tiers(self, roots: &[Root]) -> Tiers {
        let failed = |fits: &dyn Fn(&Root) -> bool| roots.iter().any(fits);
        let state = |ready: bool, failed: bool| match (ready, failed) {
            (true, _) => TierState::HEALTHY,
            (false, true) => TierState::DEGRADED,
            (false, false) => TierState::PROGRESSING,
        };
        let platform = failed(&|it| it.subjects.iter().any(|subject| subject.is_login_critical().is_none()));
        let core = failed(&|it| it.subjects.iter().any(touches_core));
        let login = failed(&|it| it.subjects.iter().any(|it| it.is_login_critical() == Some(true)));
        let bootstrap = login
            && failed(&|it| it.finding.subject == Subject::Bootstrap || touches_core(&it.finding.subject));
        let background = failed(&|it| it.subjects.iter().any(|it| it.is_login_critical() == Some(false)));
        let full = self.login && self.background && self.platform && self.releases && roots.is_empty();
        Tiers {
            platform: state(self.platform, platform),
            core: state(self.core, core || platform),
            bootstrap: state(self.bootstrap, bootstrap || platform),
            login: state(self.login, login || platform),
            background: state(self.background, background || platform),
            full_health: state(full, !roots.is_empty()),
        }
    }
}

fn touches_core(subject: &Subject) -> bool {
    match subject {
        Subject::Component(component) => component.tier() == ComponentTier::Core,
        Subject::Release(_) | Subject::Kustomization(_) => subject.is_login_critical() == Some(true),
        _ => false,
    }
}

fn platform(view: &View<'_>) -> bool {
    let known = view.known;
    let nodes = !known.nodes.is_empty()
        && known.nodes.values().all(|node| {
            let ready = condition(&node.conditions, "Ready").is_some_and(|it| it.status == Truth::True);
            ready && !node.unschedulable
        });
    let running = |namespace: &str, name: &str| {
        let key = (WorkloadKind::Deployment, ObjectKey::new(namespace, name));
        known.workloads.get(&key).is_some_and(|it| it.ready > 0)
    };
    let storage = known.storage_classes.values().filter(|it| it.default).any(|class| {
        class.provisioner != "rancher.io/local-path"
            || running("local-path-storage", "local-path-provisioner")
    });
    known.outage.is_none()
        && nodes
        && storage
        && running("kube-system", "coredns")
        && view.source_state() == Some(&FluxState::Ready)
        && view.kustomization("alga-platform") == Some(&FluxState::Ready)
}

fn core(view: &View<'_>) -> bool {
    let components = Component::ALL.into_iter().filter(|it| it.tier() == ComponentTier::Core);
    let present = |name: &str| view.known.secrets.get(name) == Some(&Presence::Present);
    let bound = |name: &str| {
        view.known.claims.get(&ObjectKey::new("msp", name)).is_some_and(|it| it.phase == "Bound")
    };
    components.into_iter().all(|it| view.is_ready(it))
        && present("db-credentials")
        && present("redis-credentials")
        && bound(POSTGRES_CLAIM)
        && bound(REDIS_CLAIM)
        && !a_critical_pod_is_stuck(view)
}

fn a_critical_pod_is_stuck(view: &View<'_>) -> bool {
    view.containers().filter(|(pod, _)| pod.subject.is_login_critical() == Some(true)).any(|(_, it)| {
        waiting(it).is_some_and(|(reason, _)| {
            PULL_REASONS.contains(&reason)
                || reason == "CreateContainerConfigError"
                || reason == "CrashLoopBackOff"
        })
    })
}

/// Whether every expected Flux object is Ready at the fetched revision, and nothing runs but what was selected.
fn releases(view: &View<'_>) -> bool {
    let ready = |state: Option<&FluxState>| state == Some(&FluxState::Ready);
    let revision = view.source().and_then(|(_, source)| source.revision.as_ref());
    let current = |name: &str| {
        let applied = view.known.kustomizations.get(&ObjectKey::new("flux-system", name));
        ready(view.kustomization(name))
            && applied.is_some_and(|it| it.revision.is_none() || it.revision.as_ref() == revision)
    };
    RELEASES.iter().all(|release| ready(view.release(release.name)))
        && ["alga-platform", "alga-core", "alga-background"].iter().all(|name| current(name))
        && drifted(view).next().is_none()
}

/// Whether a cause keeps people from logging in, given how far the appliance is.
pub(crate) fn blocks_login(root: &Root, readiness: Readiness, login_was_ready: bool) -> bool {
    !readiness.login
        && root.finding.code != BlockerCode::ImagePullInterrupted
        && root.subjects.iter().any(|subject| {
            subject.is_login_critical().unwrap_or_else(|| !login_was_ready || takes_login_away(root))
        })
}

/// Whether trouble of the platform reaches what people log in to: with the node goes the readiness of all that runs on it.
fn takes_login_away(root: &Root) -> bool {
    root.finding.code == BlockerCode::Node
        || root.consequences.iter().any(|it| it.code == BlockerCode::Workload)
}
