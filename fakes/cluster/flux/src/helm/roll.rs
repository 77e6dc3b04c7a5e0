//! The steps of a release, one after the other, until it is settled, stalled, or has to wait.

use std::time::Duration;

use super::conditions::Run;
use super::decide::{self, Next};
use super::engine::{Engine, Failure, Journal};
use super::policy::{Action, Names};
use super::release::Desired;
use super::{Releases, interval};
use crate::status::Subject;
use crate::work::Verdict;

/// Why a release is not tried again.
const EXHAUSTED: &str = "terminal error: exceeded maximum retries";
const CANNOT_REMEDIATE: &str = "terminal error: exceeded maximum retries: cannot remediate failed release";
/// The pause between a remediation and the next attempt.
const AFTER_REMEDIATION: Duration = Duration::from_secs(10);

impl Releases {
    pub(super) async fn release(&self, subject: &Subject, desired: Desired) -> Verdict {
        let engine = self.engine(subject, &desired.names);
        let generation = subject.get().map_or(0, |object| cluster_api::object::generation(&object));
        let run = Run { subject, desired: &desired, engine, generation };
        let mut looked_for_drift = false;
        self.note_attempt(&run);
        loop {
            run.truncate_history();
            let object = run.object();
            if object.is_null() {
                return Verdict::Settled;
            }
            let history = run.engine.records().all();
            if self.interrupt.is_cancelled() {
                return Verdict::Settled;
            }
            let next = decide::next(&object, &history, &desired);
            for line in decide::reasons(&next, &object, &history, &desired) {
                self.log.info(&subject.namespace, &subject.name, &line);
            }
            let outcome = match next {
                Next::Settled if !looked_for_drift && let Some(latest) = history.first() => {
                    looked_for_drift = true;
                    if self.keep_from_drifting(&run, latest).await {
                        return Verdict::Retry;
                    }
                    continue;
                }
                Next::Test => {
                    if let Some(latest) = history.first() {
                        self.test(&run, latest).await;
                    }
                    continue;
                }
                Next::Settled => {
                    self.settle(&run, history.first());
                    return Verdict::After(interval(&object));
                }
                Next::Stalled(action) => {
                    self.stall(&run, action, CANNOT_REMEDIATE);
                    return Verdict::Settled;
                }
                Next::UpgradeLater(pause) if self.waited(&object, pause) => {
                    self.upgrade(&run, &history).await
                }
                Next::UpgradeLater(pause) => {
                    subject.write(|status| status.with_retry());
                    return Verdict::After(pause);
                }
                Next::Install => self.install(&run, &history).await,
                Next::Upgrade => self.upgrade(&run, &history).await,
                Next::Unlock => {
                    self.unlock(&run, &history);
                    Ok(())
                }
                Next::Uninstall => {
                    self.remediate_by_uninstall(&run, &history).await;
                    if super::policy::is_exhausted(&run.object(), Action::Install) {
                        self.stall(&run, Action::Install, EXHAUSTED);
                        return Verdict::Settled;
                    }
                    return Verdict::After(AFTER_REMEDIATION);
                }
                Next::Rollback => {
                    self.remediate_by_rollback(&run, &history).await;
                    if super::policy::is_exhausted(&run.object(), Action::Upgrade) {
                        self.stall(&run, Action::Upgrade, EXHAUSTED);
                        return Verdict::Settled;
                    }
                    return Verdict::After(AFTER_REMEDIATION);
                }
            };
            self.note_force(&run);
            if let Err(Failure::Unrecorded(why)) = outcome {
                self.log.error(&subject.namespace, &subject.name, &why);
                return Verdict::Retry;
            }
        }
    }

    /// Helm, about the release of a HelmRelease.
    pub(super) fn engine<'a>(&'a self, subject: &'a Subject, names: &'a Names) -> Engine<'a> {
        Engine {
            store: &self.store,
            clock: &self.clock,
            names,
            owner: Some((&subject.namespace, &subject.name)),
            manager: "helm-controller",
            interrupt: &self.interrupt,
            journal: Journal::new(&self.store),
            poll: crate::wait::INTERVAL,
        }
    }

    /// Whether the pause since the last attempt is over.
    fn waited(&self, object: &serde_json::Value, pause: Duration) -> bool {
        let released = cluster_api::object::condition(object, "Released");
        let since = released
            .and_then(|released| released["lastTransitionTime"].as_str()?.parse::<jiff::Timestamp>().ok());
        since.is_none_or(|since| since + pause <= self.clock.now())
    }
}
