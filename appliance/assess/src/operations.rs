//! What is under way: pulls and releases.

use appliance_status_model::{ActiveOperation, Component, Operation, Release};
use jiff::Timestamp;

use crate::bootstrap::JobPhase;
use crate::facts::{ContainerFact, ContainerState, condition};
use crate::flux::FluxState;
use crate::view::{PodView, View, waiting};

const AT_MOST: usize = 6;
const NO_PROGRESS: &str = "Kubernetes does not expose image pull byte progress.";

/// Compressed sizes of images that take long, by repository.
const SIZES: &[(&str, u64, &str)] = &[("ghcr.io/nine-minds/alga-psa-ee", 1_800_000_000, "~1.8 GB")];

/// What is under way, pulls first.
pub(crate) fn active(view: &View<'_>) -> Vec<ActiveOperation> {
    let pulls = view.pods.iter().filter_map(|pod| {
        let container = current_container(pod)?;
        pull(view, pod, container)
    });
    pulls.chain(bootstrap(view)).chain(releases(view)).take(AT_MOST).collect()
}

/// The container that the pod is at.
fn current_container<'a>(pod: &PodView<'a>) -> Option<&'a ContainerFact> {
    let done = |it: &&ContainerFact| {
        it.init && matches!(&it.state, ContainerState::Terminated(end) if end.exit_code == 0)
    };
    pod.pod.containers.iter().find(|it| !done(it) && !it.ready)
}

fn pull(view: &View<'_>, pod: &PodView<'_>, container: &ContainerFact) -> Option<ActiveOperation> {
    waiting(container).filter(|(reason, _)| matches!(*reason, "ContainerCreating" | "PodInitializing"))?;
    let begin = format!("Pulling image \"{}\"", container.image);
    let mut events = view.events_of(pod.pod).iter().rev();
    let last = events.find(|it| matches!(it.reason.as_str(), "Pulling" | "Pulled" | "Failed"))?;
    if last.reason != "Pulling" || last.message != begin {
        return None;
    }
    let size = SIZES.iter().find(|(repository, _, _)| {
        let rest = container.image.strip_prefix(repository);
        rest.is_some_and(|it| it.starts_with(':') || it.starts_with('@'))
    });
    let image = container.image.clone();
    let elapsed = elapsed(view.now, last.last);
    let of_size = size.map(|(_, _, human)| format!(" ({human})")).unwrap_or_default();
    let so_far = elapsed.map(|it| format!(" for {it} s")).unwrap_or_default();
    Some(ActiveOperation {
        message: format!("Pulling {image}{of_size}{so_far}."),
        component: pod.subject.name().to_owned(),
        operation: Operation::PullingImage,
        image: Some(image),
        estimated_compressed_bytes: size.map(|(_, bytes, _)| *bytes),
        estimated_size_human: size.map(|(_, _, human)| (*human).to_owned()),
        progress_percent: None,
        progress_available: false,
        progress_reason: NO_PROGRESS.into(),
        started_at: last.last,
        elapsed_seconds: elapsed,
    })
}

/// A newer revision of bootstrap at work on an appliance that is set up.
fn bootstrap(view: &View<'_>) -> Option<ActiveOperation> {
    let (key, job) = view.bootstrap.job.filter(|_| view.bootstrap.completed)?;
    if !matches!(view.bootstrap.phase, JobPhase::Pending | JobPhase::Running) {
        return None;
    }
    Some(ActiveOperation {
        component: Component::AlgaCore.name().into(),
        operation: Operation::Reconciling,
        image: None,
        estimated_compressed_bytes: None,
        estimated_size_human: None,
        progress_percent: None,
        progress_available: false,
        progress_reason: NO_PROGRESS.into(),
        started_at: job.created,
        elapsed_seconds: elapsed(view.now, job.created),
        message: format!("Bootstrap job {} runs again over existing data.", key.name),
    })
}

fn releases(view: &View<'_>) -> impl Iterator<Item = ActiveOperation> {
    view.known.releases.iter().filter_map(|(key, fact)| {
        let progressing = view.flux("HelmRelease", key) == Some(&FluxState::Progressing);
        let at_work = condition(&fact.conditions, "Reconciling")
            .filter(|it| progressing && it.message.starts_with("Running '"))?;
        Release::named(&key.name)?;
        Some(ActiveOperation {
            component: key.name.clone(),
            operation: Operation::Reconciling,
            image: None,
            estimated_compressed_bytes: None,
            estimated_size_human: None,
            progress_percent: None,
            progress_available: false,
            progress_reason: NO_PROGRESS.into(),
            started_at: at_work.since,
            elapsed_seconds: elapsed(view.now, at_work.since),
            message: format!("Release {}: {}", key.name, at_work.message),
        })
    })
}

fn elapsed(now: Timestamp, since: Option<Timestamp>) -> Option<i64> {
    since.map(|it| now.duration_since(it).as_secs().max(0))
}
