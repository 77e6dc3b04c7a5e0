//! Uninstalling a release.

use cluster_api::object;
use serde_json::Value;

use super::policy::{Action, Names, timeout};
use super::release::Release;
use super::{FINALIZER, Releases};
use crate::status::Subject;
use crate::work::Verdict;

impl Releases {
    /// Takes a deleted HelmRelease's release along.
    pub(super) async fn finalize(&self, subject: &Subject, object: &Value) -> Verdict {
        if !object::has_finalizer(object, FINALIZER) {
            return Verdict::Settled;
        }
        if object["spec"]["suspend"] != true {
            let names = Names::of(object);
            let engine = self.engine(subject, &names);
            let history = engine.records().all();
            if let Some(latest) = history.first() {
                let limit = timeout(object, Action::Uninstall);
                match engine.take_down(latest, limit).await {
                    Ok(()) => self.told_uninstalled(subject, object, latest),
                    Err(message) => return self.told_stuck(subject, object, latest, &message),
                }
                for older in &history[1..] {
                    engine.records().delete(older);
                }
            }
            // A suspended one leaves its chart behind.
            self.drop_chart(subject, object);
        }
        subject.modify(|object| object::remove_finalizer(object, FINALIZER));
        Verdict::Settled
    }

    fn told_uninstalled(&self, subject: &Subject, object: &Value, latest: &Release) {
        let message = format!("Helm uninstall succeeded for release {}", latest.text());
        subject.write(|status| {
            status.drop(&["Reconciling", "Stalled"]);
            status.set("Released", "False", "UninstallSucceeded", &message);
            status.set("Ready", "False", "UninstallSucceeded", &message);
        });
        let line = "uninstalled Helm release for deleted resource";
        self.log.info(&subject.namespace, &subject.name, line);
        self.events.normal(object, "UninstallSucceeded", &message);
    }

    fn told_stuck(&self, subject: &Subject, object: &Value, latest: &Release, why: &str) -> Verdict {
        let message = format!("Helm uninstall failed for release {}: {why}", latest.text());
        subject.write(|status| {
            status.set("Released", "False", "UninstallFailed", &message);
            status.set("Ready", "False", "UninstallFailed", &message);
        });
        self.events.warning(object, "UninstallFailed", &message);
        Verdict::Retry
    }
}
