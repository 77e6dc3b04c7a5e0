//! Uninstalling a release.

use std::time::Duration;

use cluster_api::object;
use serde_json::Value;

use super::policy::{Action, Names, timeout};
use super::release::{Release, objects};
use super::secrets::Records;
use super::{FINALIZER, Releases};
use crate::status::Subject;
use crate::wait;
use crate::work::Verdict;

impl Releases {
    /// Takes a deleted HelmRelease's release along.
    pub(super) async fn finalize(&self, subject: &Subject, object: &Value) -> Verdict {
        if !object::has_finalizer(object, FINALIZER) {
            return Verdict::Settled;
        }
        if object["spec"]["suspend"] != true {
            let names = Names::of(object);
            let records = Records { store: &self.store, names: &names };
            let history = records.all();
            if let Some(latest) = history.first() {
                let limit = timeout(object, Action::Uninstall);
                match self.take_down(subject, &names, &records, latest, limit).await {
                    Ok(()) => self.told_uninstalled(subject, object, latest),
                    Err(message) => return self.told_stuck(subject, object, latest, &message),
                }
                for older in &history[1..] {
                    records.delete(older);
                }
            }
        }
        self.drop_chart(subject, object);
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

    /// Deletes a release's objects and, once they are gone, its record.
    pub(super) async fn take_down(
        &self,
        subject: &Subject,
        names: &Names,
        records: &Records<'_>,
        latest: &Release,
        limit: Duration,
    ) -> Result<(), String> {
        let mut leaving = latest.clone();
        "uninstalling".clone_into(&mut leaving.status);
        leaving.deleted = Some(object::timestamp(self.clock.now()));
        if let Err(error) = records.update(&leaving) {
            tracing::debug!(%error, "mark a release as uninstalling");
        }
        let objects =
            self.prepared(subject, names, objects(&latest.manifest).unwrap_or_default()).unwrap_or_default();
        let gone = self.remove(objects);
        wait::until_gone(&self.store, &self.clock, &gone, limit).await.map_err(|error| error.to_string())?;
        records.delete(&leaving);
        Ok(())
    }
}
