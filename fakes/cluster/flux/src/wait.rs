//! Waiting for objects: looked at every five seconds, until all are current, one has failed, or time is over.

use std::collections::HashSet;
use std::time::Duration;

use cluster_api::{Store, kinds, selector};
use field_clock::Clock;
use serde_json::Value;

use crate::apply::Target;
use crate::kstatus::{self, Health};

pub(crate) const INTERVAL: Duration = Duration::from_secs(5);

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

/// Somebody who looks at objects again and again.
pub(crate) struct Wait<'a> {
    pub(crate) store: &'a Store,
    pub(crate) clock: &'a Clock,
    pub(crate) poll: Duration,
}

/// Waits until all targets are current, as the controllers do.
pub(crate) async fn until_current(
    store: &Store,
    clock: &Clock,
    targets: &[Target],
    timeout: Duration,
    jobs: Jobs,
) -> Result<(), WaitError> {
    Wait { store, clock, poll: INTERVAL }.until_current(targets, timeout, jobs).await
}

impl Wait<'_> {
    /// Waits until all targets are current.
    pub(crate) async fn until_current(
        &self,
        targets: &[Target],
        timeout: Duration,
        jobs: Jobs,
    ) -> Result<(), WaitError> {
        let (store, clock) = (self.store, self.clock);
        let deadline = clock.now() + timeout;
        let mut passing = Passing::default();
        loop {
            let found: Vec<(&Target, Health)> =
                targets.iter().map(|target| (target, passing.health(store, target, jobs))).collect();
            if found.iter().all(|(_, health)| *health == Health::Current) {
                return Ok(());
            }
            let failed: Vec<_> =
                found.iter().copied().filter(|(_, health)| *health == Health::Failed).collect();
            if !failed.is_empty() {
                return Err(WaitError::Stalled(list(&failed)));
            }
            let next = clock.now() + self.poll;
            if next > deadline {
                clock.sleep_until(deadline).await;
                return Err(WaitError::Timeout(list(&found)));
            }
            clock.sleep_until(next).await;
        }
    }

    /// Waits until a Job or a Pod has run to its end.
    pub(crate) async fn until_completed(&self, target: &Target, timeout: Duration) -> Result<(), WaitError> {
        let (store, clock) = (self.store, self.clock);
        let deadline = clock.now() + timeout;
        loop {
            let health = completion(store, target);
            let found = [(target, health)];
            match health {
                Health::Current => return Ok(()),
                Health::Failed => return Err(WaitError::Stalled(list(&found))),
                _ => {}
            }
            let next = clock.now() + self.poll;
            if next > deadline {
                clock.sleep_until(deadline).await;
                return Err(WaitError::Timeout(list(&found)));
            }
            clock.sleep_until(next).await;
        }
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

/// How often Helm 3 looked.
const LEGACY_INTERVAL: Duration = Duration::from_secs(2);

/// Waits as Helm 3 did: nothing is said about what is not ready, and nothing fails early.
pub(crate) async fn until_ready(
    store: &Store,
    clock: &Clock,
    targets: &[Target],
    timeout: Duration,
    jobs: Jobs,
) -> Result<(), String> {
    let deadline = clock.now() + timeout;
    while !targets.iter().all(|target| health(store, target, jobs) == Health::Current) {
        let next = clock.now() + LEGACY_INTERVAL;
        if next > deadline {
            clock.sleep_until(deadline).await;
            return Err("context deadline exceeded".to_owned());
        }
        clock.sleep_until(next).await;
    }
    Ok(())
}

/// The same as Helm 3 did, which watched.
pub(crate) async fn until_ended(
    store: &Store,
    clock: &Clock,
    target: &Target,
    timeout: Duration,
) -> Result<(), String> {
    let (kind, name) = (target.info.kind.to_lowercase(), &target.name);
    let end = async {
        let mut watch = store.watch(&target.info.res, Some(&target.namespace));
        loop {
            match completion(store, target) {
                Health::Current => return Ok(()),
                Health::Failed => {
                    let object = target.get(store).unwrap_or_default();
                    let failed = cluster_api::object::condition(&object, "Failed");
                    let why =
                        failed.and_then(|failed| failed["reason"].as_str()).map(|why| format!(": {why}"));
                    return Err(format!("{kind} {name} failed{}", why.unwrap_or_default()));
                }
                _ => {}
            }
            if watch.next().await.is_none() {
                watch = store.watch(&target.info.res, Some(&target.namespace));
            }
        }
    };
    clock
        .timeout(timeout, end)
        .await
        .unwrap_or_else(|_| Err("timed out waiting for the condition".to_owned()))
}

/// How far something that runs to an end is.
fn completion(store: &Store, target: &Target) -> Health {
    match target.get(store) {
        None => Health::NotFound,
        Some(object) if object["kind"] == "Pod" => match object["status"]["phase"].as_str() {
            Some("Succeeded") => Health::Current,
            Some("Failed") => Health::Failed,
            _ => Health::InProgress,
        },
        Some(object) => kstatus::of(&object),
    }
}

/// The Jobs seen that go away by themselves when they have ended: their absence is no failure.
#[derive(Default)]
struct Passing(HashSet<String>);

impl Passing {
    fn health(&mut self, store: &Store, target: &Target, jobs: Jobs) -> Health {
        match target.get(store) {
            None if self.0.contains(&target.to_string()) => Health::Current,
            Some(object) if is_job(&object) && !object["spec"]["ttlSecondsAfterFinished"].is_null() => {
                self.0.insert(target.to_string());
                health(store, target, jobs)
            }
            _ => health(store, target, jobs),
        }
    }
}

fn health(store: &Store, target: &Target, jobs: Jobs) -> Health {
    match target.get(store) {
        None => Health::NotFound,
        Some(object) if jobs == Jobs::Ignore && is_job(&object) => Health::Current,
        Some(object) if kstatus::makes_pods(&object) => {
            let pods = store.list(&kinds::PODS, Some(&target.namespace));
            let own = pods.iter().filter(|pod| {
                selector::matches(&object["spec"]["selector"], cluster_api::object::labels(pod))
            });
            kstatus::with_pods(&object, own.map(|pod| &**pod))
        }
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
