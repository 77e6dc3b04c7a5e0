//! Waiting for objects: looked at every five seconds, until all are current, one has failed, or time is over.

use std::time::Duration;

use cluster_api::Store;
use field_clock::Clock;
use serde_json::Value;

use crate::apply::Target;
use crate::kstatus::{self, Health};

const INTERVAL: Duration = Duration::from_secs(5);

/// Whether Jobs have to complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jobs {
    /// They are waited for.
    Wait,
    /// It is enough that they exist.
    Ignore,
}

/// Why a wait ended in vain; the texts are those of Flux.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WaitError {
    /// Time is over.
    #[error("timeout waiting for: [{0}]")]
    Timeout(String),
    /// Something will never be current.
    #[error("failed early due to stalled resources: [{0}]")]
    Stalled(String),
}

/// Waits until all targets are current.
pub(crate) async fn until_current(
    store: &Store,
    clock: &Clock,
    targets: &[Target],
    timeout: Duration,
    jobs: Jobs,
) -> Result<(), WaitError> {
    let deadline = clock.now() + timeout;
    loop {
        let found: Vec<(&Target, Health)> =
            targets.iter().map(|target| (target, health(store, target, jobs))).collect();
        if found.iter().all(|(_, health)| *health == Health::Current) {
            return Ok(());
        }
        if found.iter().any(|(_, health)| *health == Health::Failed) {
            return Err(WaitError::Stalled(list(&found)));
        }
        let next = clock.now() + INTERVAL;
        if next > deadline {
            clock.sleep_until(deadline).await;
            return Err(WaitError::Timeout(list(&found)));
        }
        clock.sleep_until(next).await;
    }
}

/// Waits until none of the targets is there.
pub(crate) async fn until_gone(
    store: &Store,
    clock: &Clock,
    targets: &[Target],
    timeout: Duration,
) -> Result<(), WaitError> {
    let deadline = clock.now() + timeout;
    loop {
        let left: Vec<(&Target, Health)> =
            targets.iter().filter_map(|target| Some((target, kstatus::of(&*target.get(store)?)))).collect();
        if left.is_empty() {
            return Ok(());
        }
        let next = clock.now() + INTERVAL;
        if next > deadline {
            clock.sleep_until(deadline).await;
            return Err(WaitError::Timeout(list(&left)));
        }
        clock.sleep_until(next).await;
    }
}

fn health(store: &Store, target: &Target, jobs: Jobs) -> Health {
    match target.get(store) {
        None => Health::NotFound,
        Some(object) if jobs == Jobs::Ignore && is_job(&object) => Health::Current,
        Some(object) => kstatus::of(&object),
    }
}

fn is_job(object: &Value) -> bool {
    object["kind"] == "Job"
}

fn list(found: &[(&Target, Health)]) -> String {
    let waiting = found.iter().filter(|(_, health)| *health != Health::Current);
    let parts: Vec<String> =
        waiting.map(|(target, health)| format!("{target} status: '{}'", health.text())).collect();
    parts.join(", ")
}
