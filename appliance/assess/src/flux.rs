//! How a Flux object is doing, seen through its flicker.
//!
//! A failed object is `Ready=False` between attempts and `Ready=Unknown` during each; a healthy one may turn
//! `Unknown` while its controller looks again. As long as nothing new was asked of it, the last verdict stands.

use jiff::Timestamp;

use crate::facts::{Condition, FluxFact, ObjectKey, Truth, condition};

/// Kind and key of a Flux object.
pub(crate) type FluxId = (String, ObjectKey);

/// How a Flux object is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FluxState {
    Ready,
    Progressing,
    Suspended,
    Failed(FluxFailure),
}

/// Why a Flux object fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FluxFailure {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) since: Option<Timestamp>,
    /// It will not try again by itself.
    pub(crate) stalled: bool,
}

/// The last verdict on an object, and what had been asked of it then.
#[derive(Clone, Debug, Default)]
pub(crate) struct FluxMemory {
    asked: Asked,
    verdict: Option<FluxState>,
    /// The failure that it showed last, as it stood there.
    shown: Option<FluxFailure>,
    /// What it showed when somebody asked it to look again.
    unanswered: Option<FluxFailure>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    generation: i64,
    request: Option<String>,
    attempted: Option<String>,
}

impl FluxMemory {
    /// What had been asked of it at the last look.
    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }

    /// The verdict with the memory of the one before.
    pub(crate) fn judge(&mut self, fact: &FluxFact) -> FluxState {
        let asked = Asked {
            generation: fact.generation,
            request: fact.request.clone(),
            attempted: fact.attempted.clone(),
        };
        if asked != self.asked {
            self.unanswered = self.shown.take().filter(|_| asked.request != self.asked.request);
            self.asked = asked;
            self.verdict = None;
        }
        let mut state = look(fact);
        if let FluxState::Failed(failure) = &state {
            if fact.awaited && self.unanswered.as_ref() == Some(failure) {
                // It has not looked yet.
                return FluxState::Progressing;
            }
            self.shown = Some(failure.clone());
        }
        if state == FluxState::Progressing {
            return self.verdict.clone().unwrap_or(state);
        }
        if let (FluxState::Failed(new), Some(FluxState::Failed(old))) = (&mut state, &self.verdict) {
            new.since = old.since.or(new.since);
        }
        self.verdict = Some(state.clone());
        state
    }
}

/// Reasons that say no more than "not yet".
const NOT_YET: &[&str] = &["Progressing", "ProgressingWithRetry", "DependencyNotReady", "PendingRelease"];

/// The verdict on one moment.
fn look(fact: &FluxFact) -> FluxState {
    if fact.suspended {
        return FluxState::Suspended;
    }
    let ready = condition(&fact.conditions, "Ready");
    let current = |it: &&Condition| it.observed_generation.is_none_or(|seen| seen >= fact.generation);
    if let Some(stalled) = condition(&fact.conditions, "Stalled").filter(|it| it.status == Truth::True) {
        let told = ready.filter(|it| it.status == Truth::False && !it.message.is_empty()).unwrap_or(stalled);
        let told = before_remedy(fact, told);
        return FluxState::Failed(FluxFailure { stalled: true, ..failure(told, stalled.since) });
    }
    if let Some(fetch) = condition(&fact.conditions, "FetchFailed").filter(|it| it.status == Truth::True) {
        return FluxState::Failed(failure(fetch, fetch.since));
    }
    match ready.filter(current) {
        Some(it) if it.status == Truth::True => FluxState::Ready,
        Some(it) if it.status == Truth::False && !is_not_yet(it) => {
            FluxState::Failed(failure(before_remedy(fact, it), it.since))
        }
        _ => FluxState::Progressing,
    }
}

/// A release that was rolled back or taken away says that this went well; why it had to be is said elsewhere.
fn before_remedy<'a>(fact: &'a FluxFact, ready: &'a Condition) -> &'a Condition {
    let remedied = matches!(ready.reason.as_str(), "RollbackSucceeded" | "UninstallSucceeded");
    let released = condition(&fact.conditions, "Released").filter(|it| it.status == Truth::False);
    released.filter(|_| remedied).unwrap_or(ready)
}

fn is_not_yet(ready: &Condition) -> bool {
    let waits_for_source = ready.reason == "SourceNotReady" && !ready.message.contains("chart pull error");
    let waits_for_artifact = ready.reason == "ArtifactFailed" && ready.message.contains("artifact not found");
    waits_for_source || waits_for_artifact || NOT_YET.contains(&ready.reason.as_str())
}

fn failure(told: &Condition, since: Option<Timestamp>) -> FluxFailure {
    FluxFailure { reason: told.reason.clone(), message: told.message.clone(), since, stalled: false }
}

#[cfg(test)]
mod tests {
    use super::{FluxMemory, FluxState};
    use crate::{
        facts::{FluxFact, Truth},
        samples::flux,
    };

    #[test]
    fn the_first_second_of_a_good_install_is_progress() {
        for (reason, message) in [
            ("ArtifactFailed", "Source artifact not found, retrying in 30s"),
            (
                "SourceNotReady",
                "HelmChart 'a/b' is not ready: latest generation of object has not been reconciled",
            ),
            ("DependencyNotReady", "dependency 'alga-system/alga-core' is not ready"),
        ] {
            let fact = flux("x").with("Ready", Truth::False, reason, message).fact;
            assert_eq!(FluxMemory::default().judge(&fact), FluxState::Progressing, "{reason}");
        }
    }

    #[test]
    fn what_a_release_showed_when_somebody_asked_it_again_is_no_verdict_on_the_new_attempt() {
        let mut memory = FluxMemory::default();
        let failed = || flux("x").with("Ready", Truth::False, "InstallFailed", "no").fact;
        assert!(matches!(memory.judge(&failed()), FluxState::Failed(_)));
        let asked = FluxFact { request: Some("now".into()), awaited: true, ..failed() };
        assert_eq!(memory.judge(&asked), FluxState::Progressing);
        let at_work = flux("x").with("Ready", Truth::Unknown, "Progressing", "").fact;
        let at_work = FluxFact { request: Some("now".into()), awaited: true, ..at_work };
        assert_eq!(memory.judge(&at_work), FluxState::Progressing);
        let answered = FluxFact { request: Some("now".into()), ..failed() };
        assert!(matches!(memory.judge(&answered), FluxState::Failed(_)));
    }

    #[test]
    fn a_release_that_was_rolled_back_is_told_with_what_went_wrong() {
        let fact = flux("x")
            .with("Stalled", Truth::True, "RetriesExceeded", "Failed to upgrade after 1 attempt(s)")
            .with(
                "Ready",
                Truth::False,
                "RollbackSucceeded",
                "Helm rollback to previous release x.v1 succeeded",
            )
            .with("Released", Truth::False, "UpgradeFailed", "Helm upgrade failed for release x: no")
            .fact;
        let FluxState::Failed(failure) = FluxMemory::default().judge(&fact) else { panic!("{fact:?}") };
        assert_eq!((failure.reason.as_str(), failure.stalled), ("UpgradeFailed", true));
    }

    #[test]
    fn a_failed_object_stays_failed_while_it_is_tried_again() {
        let mut memory = FluxMemory::default();
        let failed = flux("x").with("Ready", Truth::False, "HealthCheckFailed", "health check failed").fact;
        let retried =
            flux("x").with("Ready", Truth::Unknown, "Progressing", "Reconciliation in progress").fact;
        assert!(matches!(memory.judge(&failed), FluxState::Failed(_)));
        assert!(matches!(memory.judge(&retried), FluxState::Failed(_)));
    }

    #[test]
    fn a_new_request_makes_a_failed_object_progress_again() {
        let mut memory = FluxMemory::default();
        let failed = flux("x").with("Ready", Truth::False, "InstallFailed", "timeout").fact;
        let mut retried =
            flux("x").with("Ready", Truth::Unknown, "Progressing", "Running 'upgrade' action").fact;
        retried.request = Some("now".into());
        memory.judge(&failed);
        assert_eq!(memory.judge(&retried), FluxState::Progressing);
    }

    #[test]
    fn a_ready_object_stays_ready_while_its_controller_looks_again() {
        let mut memory = FluxMemory::default();
        let ready = flux("x").with("Ready", Truth::True, "ReconciliationSucceeded", "").fact;
        let looking =
            flux("x").with("Ready", Truth::Unknown, "Progressing", "Reconciliation in progress").fact;
        memory.judge(&ready);
        assert_eq!(memory.judge(&looking), FluxState::Ready);
    }

    #[test]
    fn a_failure_of_an_older_generation_is_no_failure_of_this_one() {
        let mut fact = flux("x").with("Ready", Truth::False, "InstallFailed", "timeout").fact;
        fact.generation = 2;
        assert_eq!(FluxMemory::default().judge(&fact), FluxState::Progressing);
    }
}
