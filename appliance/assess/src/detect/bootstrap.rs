//! The bootstrap job.

use appliance_status_model::Component;
use jiff::{SignedDuration, Timestamp};

use crate::bootstrap::{JOB_PREFIX, JobPhase};
use crate::detect::graces;
use crate::facts::{ContainerState, Truth, condition};
use crate::finding::Subject;
use crate::view::View;
use crate::{Detector, Finding};

/// For how long the job itself waits for its database, in seconds.
const OWN_PATIENCE: i64 = 300;

pub(super) fn failed(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    let found = ended(view, detector)
        .or_else(|| removed(view, detector))
        .or_else(|| hangs(view, detector))
        .or_else(|| without_users(view, detector));
    found.into_iter().collect()
}

/// The newest job failed.
fn ended(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    let (key, job) = view.bootstrap.job.filter(|_| view.bootstrap.phase == JobPhase::Failed)?;
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
    Some(if view.bootstrap.log_pending { finding.after(&graces::LOG_COMING) } else { finding })
}

/// The newest job failed and was removed when its time was over; its release still says so.
fn removed(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    let said = removed_with(view)?;
    let advice = view.with_reconcile(advice(&said, detector), &Subject::Bootstrap);
    Some(detector.finding(Subject::Bootstrap, said, None).advise(advice))
}

/// What a job failed with that is not there any more: its own line where it is remembered, else the words of Helm.
pub(super) fn removed_with(view: &View<'_>) -> Option<String> {
    let gone = view.bootstrap.phase == JobPhase::Absent && view.is_read("jobs");
    let failure = view.release_failure("alga-core").filter(|_| gone)?;
    let (_, job) = failure.message.split_once(&format!("Job/msp/{JOB_PREFIX}"))?;
    let (rest, state) = job.split_once(" status: '")?;
    let failed = state.starts_with("Failed'");
    let line = view.bootstrap.past.as_ref().and_then(|it| it.line.clone());
    failed.then(|| line.unwrap_or_else(|| format!("Job {JOB_PREFIX}{rest} failed: {}", failure.message)))
}

/// A release that gave up says so of what has failed, and of nothing that is still on its way.
const STALLED: &str = "failed early due to stalled resources";

/// The newest job runs for longer than it waits for anything, or its release gave up waiting for it.
fn hangs(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    let (key, _) = view.bootstrap.job.filter(|_| view.bootstrap.phase == JobPhase::Running)?;
    let running = view.containers().filter(|(pod, _)| pod.subject == Subject::Bootstrap);
    let since = running.filter_map(|(_, it)| match it.state {
        ContainerState::Running { since } => since,
        _ => None,
    });
    let since = since.max()?;
    // A failure of before it began is of another job, and one that names what failed instead is not of a job that runs.
    let given_up = view
        .release_failure("alga-core")
        .is_some_and(|it| it.since.is_none_or(|at| at >= since) && !it.message.contains(STALLED));
    let overdue = view.now.duration_since(since).as_secs() >= OWN_PATIENCE;
    if !given_up && !overdue {
        return None;
    }
    let last = view.bootstrap.last_line().map(|line| format!("; it said last: {line}")).unwrap_or_default();
    let reason = format!("Job {} has run since {since} without an end{last}", key.name);
    let finding =
        detector.finding(Subject::Bootstrap, reason, Some(since + SignedDuration::from_secs(OWN_PATIENCE)));
    let advice = "Find what the bootstrap job waits for (its last line, locks in the database), end the job, then rerun bootstrap in recover mode.";
    let finding = finding.identified("hangs").advise(view.with_reconcile(advice, &Subject::Bootstrap));
    Some(finding.after(if given_up { &graces::CERTAIN } else { &graces::HANGS }))
}

/// It ended well and left nobody who could log in.
fn without_users(view: &View<'_>, detector: &Detector) -> Option<Finding> {
    let at_work = matches!(view.bootstrap.phase, JobPhase::Pending | JobPhase::Running);
    if at_work || view.bootstrap.users != Some(0) {
        return None;
    }
    let reason = "Bootstrap finished, and the database has no users (usersCount 0)";
    let finding = detector.finding(Subject::Bootstrap, reason, None);
    Some(finding.identified("no users").after(&graces::NO_USERS))
}

/// Lines by which the job itself is to blame, or what it was given.
const OWN: &[&str] = &[
    "Configured seed directory",
    "Existing application database state detected",
    "no admin users exist",
    "Migration failed",
    "ERR_MODULE_NOT_FOUND",
    "is required to create the initial appliance tenant",
];

/// Whether a line says an end that nothing beneath the job explains.
pub(super) fn is_own_cause(line: &str) -> bool {
    OWN.iter().any(|it| line.contains(it))
}

fn advice(line: &str, detector: &Detector) -> &'static str {
    let says = |signals: &[&str]| signals.iter().any(|it| line.contains(it));
    if says(&["Configured seed directory"]) {
        "Publish an app image that holds the configured seed directory, or correct it in the values, then rerun bootstrap in recover mode."
    } else if says(&["Existing application database state detected"]) {
        "Rerun bootstrap in recover mode to keep the data, or reset the appliance to wipe it."
    } else if says(&[
        "did not become reachable",
        "authentication failed",
        "No admin database password",
        "ECONNREFUSED",
    ]) {
        "Check database connectivity and the db-credentials Secret, then rerun bootstrap in recover mode."
    } else if says(&["ERR_MODULE_NOT_FOUND"]) {
        "Publish an app image that holds the named module, then rerun bootstrap in recover mode."
    } else if says(&["is required to create the initial appliance tenant"]) {
        "Set the named value, then rerun bootstrap in recover mode."
    } else {
        detector.next_action
    }
}

pub(super) fn missing(view: &View<'_>, detector: &Detector) -> Vec<Finding> {
    if view.bootstrap.phase != JobPhase::Absent || view.bootstrap.completed || !view.is_read("jobs") {
        return Vec::new();
    }
    // One that is gone was there.
    if removed_with(view).is_some() {
        return Vec::new();
    }
    let waits = waiting_app(view).map(|(pod, since)| {
        let reason = format!("Pod {pod} waits for bootstrap, and no bootstrap job exists");
        detector.finding(Subject::Bootstrap, reason, since)
    });
    let found = waits.or_else(|| {
        let reason = "The volume of Postgres was replaced, and no bootstrap has run against the new one";
        view.bootstrap.of_another_volume.then(|| detector.finding(Subject::Bootstrap, reason, None))
    });
    found.into_iter().collect()
}

/// The pod of the app that waits for bootstrap, and since when.
fn waiting_app<'v>(view: &'v View<'_>) -> Option<(&'v str, Option<Timestamp>)> {
    view.containers().find_map(|(pod, container)| match container.state {
        ContainerState::Running { since }
            if pod.subject == Subject::Component(Component::AlgaCore)
                && container.init
                && container.name == "wait-for-bootstrap" =>
        {
            Some((pod.key.name.as_str(), since))
        }
        _ => None,
    })
}
