//! Making a failure good: uninstalling, or going back to the version before.

use cluster_api::object;
use serde_json::json;

use super::Releases;
use super::conditions::Run;
use super::policy::{Action, timeout, waits};
use super::release::{Release, objects};
use crate::apply::Target;
use crate::wait;

impl Releases {
    pub(super) async fn remediate_by_uninstall(&self, run: &Run<'_>, history: &[Release]) {
        let Some(latest) = history.first() else { return };
        self.announce(run, Action::Uninstall);
        let limit = timeout(&run.object(), Action::Uninstall);
        let names = &run.desired.names;
        let outcome = self.take_down(run.subject, names, &run.records, latest, limit).await;
        match outcome {
            Ok(()) => {
                let message = format!("Helm uninstall remediation for release {} succeeded", latest.text());
                let mut gone = latest.clone();
                "uninstalling".clone_into(&mut gone.status);
                gone.deleted = Some(object::timestamp(self.clock.now()));
                let mut snapshot = gone.snapshot();
                snapshot["action"] = json!("uninstall-remediation");
                run.subject.write(|status| {
                    status.field("history", json!([snapshot]));
                    status.set("Remediated", "True", "UninstallSucceeded", &message);
                });
                self.events.normal(&run.object(), "UninstallSucceeded", &message);
            }
            Err(why) => {
                let message =
                    format!("Helm uninstall remediation for release {} failed: {why}", latest.text());
                run.subject.write(|status| status.set("Remediated", "False", "UninstallFailed", &message));
                self.events.warning(&run.object(), "UninstallFailed", &message);
            }
        }
        show_retry(run);
    }

    pub(super) async fn remediate_by_rollback(&self, run: &Run<'_>, history: &[Release]) {
        let Some(good) = history.iter().find(|release| release.status == "deployed") else { return };
        self.announce(run, Action::Rollback);
        let object = run.object();
        let limit = timeout(&object, Action::Rollback);
        let mut release = good.clone();
        release.version = history.first().map_or(0, |latest| latest.version) + 1;
        "pending-rollback".clone_into(&mut release.status);
        release.description = format!("Rollback to {}", good.version);
        release.last_deployed = object::timestamp(self.clock.now());
        let outcome = async {
            run.records.create(&release).map_err(|error| format!("create: failed to create: {error}"))?;
            let objects = self.prepared(run.subject, &run.desired.names, objects(&good.manifest)?)?;
            let targets: Vec<Target> = objects.iter().map(|(target, _)| target.clone()).collect();
            self.apply(objects)?;
            self.remove_dropped(run, history.first(), &targets);
            if let Some(jobs) = waits(&object, Action::Rollback) {
                let waited = wait::until_current(&self.store, &self.clock, &targets, limit, jobs).await;
                waited.map_err(|error| error.to_string())?;
            }
            Ok::<(), String>(())
        }
        .await;
        let what = format!("Helm rollback to previous release {}", good.text());
        match outcome {
            Ok(()) => {
                self.supersede(run, Some(good));
                "deployed".clone_into(&mut release.status);
                self.update(run, &release);
                self.tell_rollback(run, "True", "RollbackSucceeded", &format!("{what} succeeded"));
            }
            Err(why) => {
                "failed".clone_into(&mut release.status);
                self.update(run, &release);
                self.tell_rollback(run, "False", "RollbackFailed", &format!("{what} failed: {why}"));
            }
        }
        show_retry(run);
    }

    fn tell_rollback(&self, run: &Run<'_>, status: &str, reason: &str, message: &str) {
        run.write_history("rollback");
        run.subject.write(|conditions| {
            conditions.set("Remediated", status, reason, message);
            conditions.set("Ready", "False", reason, message);
        });
        if status == "True" {
            self.events.normal(&run.object(), reason, message);
        } else {
            self.events.warning(&run.object(), reason, message);
        }
    }
}

/// What is under way is the next attempt, for the reason for which the last one failed.
fn show_retry(run: &Run<'_>) {
    run.subject.write(|status| {
        let why =
            status.condition("Released").and_then(|released| released["message"].as_str()).map(str::to_owned);
        if let Some(why) = why {
            status.reconciling("ProgressingWithRetry", &why);
        }
    });
}
