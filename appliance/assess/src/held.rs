//! Causes that outlive their evidence: where a release is tried again, its pods go, and with them all that told why.
//!
//! Helm takes a release away and installs it anew; for some seconds nothing but "install failed" is left to see. A
//! cause that was told of the pods that went goes on until new ones say something, for no longer than its detector
//! holds it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::causes::comes_before_start;
use crate::detect::DETECTORS;
use crate::facts::ContainerState;
use crate::finding::{Finding, Identity, Subject};
use crate::flux::{Asked, FluxState};
use crate::memory::Memory;
use crate::view::View;

/// A cause as it was told last.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    finding: Finding,
    /// The pods that told it.
    pods: BTreeSet<String>,
    /// What had been asked of its release.
    asked: Option<Asked>,
    at: Timestamp,
}

/// Adds causes whose pods went while their release is tried again; what stands now is remembered.
pub(crate) fn hold(
    memory: &mut Memory,
    view: &View<'_>,
    mut findings: Vec<Finding>,
    mut ripe: Vec<bool>,
) -> (Vec<Finding>, Vec<bool>) {
    let standing: BTreeSet<Identity> =
        findings.iter().zip(&ripe).filter(|(_, ripe)| **ripe).map(|(it, _)| it.identity()).collect();
    let before = std::mem::take(&mut memory.told);
    let mut told = remembered(memory, view, &findings, &ripe);
    for (identity, cause) in before {
        let replaced = findings.iter().zip(&ripe).any(|(it, ripe)| *ripe && speaks_for(it, &cause.finding));
        if standing.contains(&identity) || replaced || !lasts(memory, view, &cause) {
            continue;
        }
        match findings.iter().position(|it| it.identity() == identity) {
            Some(at) => (findings[at], ripe[at]) = (cause.finding.clone(), true),
            None => {
                findings.push(cause.finding.clone());
                ripe.push(true);
            }
        }
        told.insert(identity, cause);
    }
    memory.told = told;
    (findings, ripe)
}

/// Causes that stand and may lose their pods.
fn remembered(
    memory: &Memory,
    view: &View<'_>,
    findings: &[Finding],
    ripe: &[bool],
) -> BTreeMap<Identity, Told> {
    let held = findings.iter().zip(ripe).filter(|(it, ripe)| **ripe && seconds(it) > 0);
    held.filter(|(it, _)| rests_on_pods(&it.subject))
        .map(|(finding, _)| {
            let told = Told {
                finding: finding.clone(),
                pods: pods_of(view, &finding.subject).map(str::to_owned).collect(),
                asked: asked(memory, &finding.subject),
                at: view.now,
            };
            (finding.identity(), told)
        })
        .filter(|(_, told)| !told.pods.is_empty())
        .collect()
}

/// Whether nothing has happened that ends a cause whose pods went.
fn lasts(memory: &mut Memory, view: &View<'_>, told: &Told) -> bool {
    let subject = &told.finding.subject;
    let installed = subject.release().and_then(|it| view.release(it.name)) == Some(&FluxState::Ready);
    let ready = match subject {
        Subject::Bootstrap => view.bootstrap.completed,
        _ => subject.component().is_some_and(|it| view.is_ready(it)),
    };
    let same_pods = pods_of(view, subject).any(|uid| told.pods.contains(uid));
    let disproved = comes_before_start(told.finding.code) && has_started(view, subject);
    let over = installed || ready || same_pods || disproved;
    // For so many seconds, and through the last of them.
    !over
        && asked(memory, subject) == told.asked
        && !memory.is_over(seconds(&told.finding) + 1, told.at, view.now)
}

/// Whether a finding says of the same component something else that its pods tell.
fn speaks_for(finding: &Finding, of: &Finding) -> bool {
    seconds(finding) > 0 && rests_on_pods(&finding.subject) && finding.subject == of.subject
}

fn rests_on_pods(subject: &Subject) -> bool {
    matches!(subject, Subject::Component(_) | Subject::Bootstrap)
}

fn seconds(finding: &Finding) -> i64 {
    DETECTORS.iter().find(|it| it.code == finding.code).map_or(0, |it| it.hold)
}

fn pods_of<'v>(view: &'v View<'_>, subject: &'v Subject) -> impl Iterator<Item = &'v str> {
    view.pods.iter().filter(move |it| it.subject == *subject).map(|it| it.pod.uid.as_str())
}

/// What was asked of the release that installs it.
fn asked(memory: &Memory, subject: &Subject) -> Option<Asked> {
    let release = subject.release()?.name;
    let mut all = memory.flux.iter();
    all.find(|((kind, key), _)| kind == "HelmRelease" && key.name == release)
        .map(|(_, it)| it.asked().clone())
}

fn has_started(view: &View<'_>, subject: &Subject) -> bool {
    view.containers()
        .filter(|(pod, it)| pod.subject == *subject && !it.init)
        .any(|(_, it)| matches!(it.state, ContainerState::Running { .. } | ContainerState::Terminated(_)))
}

#[cfg(test)]
mod tests {
    use appliance_status_model::{BlockerCode, Component, RollupState, StatusDocument};
    use jiff::SignedDuration;

    use crate::facts::{ContainerState, Knowledge, ObjectKey, Truth};
    use crate::samples::{
        break_component, codes, container, ended, flux, healthy, now, put_release, running, waiting,
    };
    use crate::{Memory, assess};

    const WORKER: Component = Component::WorkflowWorker;
    const MISSING: &str = "failed to resolve reference \"img:gone\": img:gone: not found";

    /// A release that failed and is tried again, as its pods come and go.
    struct Story {
        known: Knowledge,
        memory: Memory,
    }

    impl Story {
        fn new() -> Self {
            let mut known = healthy();
            put_release(&mut known, Self::failed());
            Self { known, memory: Memory::default() }
        }

        fn failed() -> crate::samples::Flux {
            flux("workflow-worker").with("Ready", Truth::False, "InstallFailed", "timeout waiting for: [x]")
        }

        fn at(&mut self, seconds: i64) -> StatusDocument {
            assess(&self.known, &mut self.memory, now() + SignedDuration::from_secs(seconds))
        }

        fn pod(&mut self, uid: &str, of: crate::facts::ContainerFact) {
            break_component(&mut self.known, WORKER, of);
            self.known.pods.get_mut(&ObjectKey::new("msp", "workflow-worker-0")).unwrap().uid = uid.into();
        }

        fn not_found(&mut self, uid: &str) {
            self.pod(uid, container("main", "img:gone", waiting("ImagePullBackOff", MISSING)));
        }

        /// Helm takes away what it had installed.
        fn uninstalled(&mut self) {
            self.known.pods.remove(&ObjectKey::new("msp", "workflow-worker-0"));
            self.known.workloads.remove(&(WORKER.kind(), ObjectKey::new("msp", "workflow-worker")));
            let text = "Running 'uninstall' action with timeout of 30m0s";
            let release = flux("workflow-worker").with("Ready", Truth::Unknown, "Progressing", text);
            put_release(&mut self.known, release);
        }

        fn installed_again(&mut self, of: ContainerState) {
            let workload =
                self.known.workloads[&(WORKER.kind(), ObjectKey::new("msp", "email-service"))].clone();
            self.known.workloads.insert((WORKER.kind(), ObjectKey::new("msp", "workflow-worker")), workload);
            let mut of = container("main", "img:gone", of);
            of.ready = false;
            self.pod("second", of);
        }
    }

    #[test]
    fn a_missing_tag_stays_the_root_while_its_release_is_taken_away_and_installed_anew() {
        let mut story = Story::new();
        story.not_found("first");
        let expected = [(BlockerCode::ImageNotFound, "workflow-worker")];
        assert_eq!(codes(&story.at(0)), expected);
        story.uninstalled();
        assert_eq!(codes(&story.at(5)), expected);
        assert_eq!(story.at(5).top_blockers[0].consequences[0].code, BlockerCode::Helm);
        story.installed_again(waiting("ContainerCreating", ""));
        assert_eq!(codes(&story.at(8)), expected);
        story.not_found("second");
        assert_eq!(codes(&story.at(12)), expected);
    }

    #[test]
    fn a_cause_whose_pods_do_not_come_back_is_held_for_its_time_only() {
        let mut story = Story::new();
        story.not_found("first");
        story.at(0);
        story.uninstalled();
        assert_eq!(codes(&story.at(90))[0].0, BlockerCode::ImageNotFound);
        assert_eq!(codes(&story.at(91)), []);
        assert_eq!(codes(&story.at(90 + 20)), [(BlockerCode::Helm, "workflow-worker")]);
    }

    #[test]
    fn an_image_that_came_ends_it_and_so_does_a_new_request() {
        let mut story = Story::new();
        story.not_found("first");
        story.at(0);
        let mut asked = (story.known.clone(), story.memory.clone());
        story.uninstalled();
        story.installed_again(running());
        assert!(!codes(&story.at(5)).contains(&(BlockerCode::ImageNotFound, "workflow-worker")));
        (story.known, story.memory) = (std::mem::take(&mut asked.0), asked.1);
        story.uninstalled();
        story.known.releases.values_mut().for_each(|it| it.request = Some("now".into()));
        assert!(story.at(5).top_blockers.is_empty());
    }

    #[test]
    fn the_same_pod_that_says_something_else_now_is_believed() {
        let mut story = Story::new();
        story.not_found("first");
        story.at(0);
        story.pod("first", container("main", "img:gone", running()));
        assert_eq!(codes(&story.at(5)), []);
        assert_eq!(codes(&story.at(25)), [(BlockerCode::Helm, "workflow-worker")]);
    }

    #[test]
    fn a_crash_loop_stays_the_root_until_the_next_pod_crashes_as_often() {
        let mut story = Story::new();
        story.pod("first", ended(1, 5, "Error"));
        story.at(0);
        let expected = [(BlockerCode::BackgroundWorkload, "workflow-worker")];
        assert_eq!(codes(&story.at(10)), expected);
        story.uninstalled();
        assert_eq!(codes(&story.at(15)), expected);
        story.installed_again(running());
        assert_eq!(codes(&story.at(20)), expected);
        assert_eq!(story.at(20).status, RollupState::ReadyWithBackgroundIssues);
    }

    #[test]
    fn a_pod_that_somebody_deletes_beside_a_release_that_stands_takes_its_trouble_along() {
        let mut story = Story::new();
        let ready = flux("workflow-worker").with("Ready", Truth::True, "InstallSucceeded", "");
        put_release(&mut story.known, ready);
        story.not_found("first");
        story.at(0);
        story.installed_again(waiting("ContainerCreating", ""));
        assert!(story.at(5).top_blockers.is_empty());
    }
}
