//! How an attempt ended, in conditions, events and log lines.

use serde_json::json;

use super::attempt::{Attempt, Failure};
use super::{Kustomizations, interval, retry_interval};
use crate::duration;

pub(super) const ORIGIN: &str = "org.opencontainers.image.revision";

impl Kustomizations {
    pub(super) fn succeed(&self, attempt: &Attempt<'_>) {
        let origin = attempt.source["status"]["artifact"]["metadata"][ORIGIN].clone();
        attempt.subject.write(|status| {
            status.drop(&["Reconciling", "Stalled"]);
            let message = format!("Applied revision: {}", attempt.revision);
            status.set("Ready", "True", "ReconciliationSucceeded", &message);
            status.field("lastAppliedRevision", json!(attempt.revision));
            status.field("lastAppliedOriginRevision", origin);
            status.observe();
            status.handled();
        });
        let took = duration::text(self.since(attempt.start));
        let next = duration::text(interval(attempt.kustomization));
        let message = format!("Reconciliation finished in {took}, next run in {next}");
        self.events.normal(attempt.kustomization, "ReconciliationSucceeded", &message);
        self.log.info(&attempt.subject.namespace, &attempt.subject.name, &message);
    }

    pub(super) fn fail(&self, attempt: &Attempt<'_>, failure: &Failure) {
        let Failure { reason, message } = failure;
        // Whoever is told to end gets to write no status any more.
        if !self.interrupt.is_cancelled() {
            attempt.subject.write(|status| {
                status.with_retry();
                status.set("Ready", "False", reason, message);
                status.handled();
            });
        }
        self.events.warning(attempt.kustomization, reason, message);
        let took = duration::text(self.since(attempt.start));
        let next = duration::text(retry_interval(attempt.kustomization));
        let line = format!("Reconciliation failed after {took}, next try in {next}");
        self.log.failed(&attempt.subject.namespace, &attempt.subject.name, &line, message);
    }
}
