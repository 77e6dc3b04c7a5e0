//! Making a failure good: uninstalling, or going back to the version before.

use cluster_api::object;
use serde_json::json;

use super::Releases;
use super::conditions::Run;
use super::policy::{Action, is_exhausted, settings, timeout};
use super::release::Release;

impl Releases {
    pub(super) async fn remediate_by_uninstall(&self, run: &Run<'_>, history: &[Release]) {
        let Some(latest) = history.first() else { return };
        self.announce(run, Action::Uninstall);
        let limit = timeout(&run.object(), Action::Uninstall);
        match run.engine.take_down(latest, limit).await {
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
        show_retry(run, Action::Install);
    }

    pub(super) async fn remediate_by_rollback(&self, run: &Run<'_>, history: &[Release]) {
        let Some(good) = history.iter().find(|release| release.status == "deployed") else { return };
        self.announce(run, Action::Rollback);
        let settings = settings(&run.object(), Action::Rollback);
        let what = format!("Helm rollback to previous release {}", good.text());
        match run.engine.rollback(good, history, &settings).await {
            Ok(_) => self.tell_rollback(run, "True", "RollbackSucceeded", &format!("{what} succeeded")),
            Err(why) => self.tell_rollback(run, "False", "RollbackFailed", &format!("{what} failed: {why}")),
        }
        show_retry(run, Action::Upgrade);
    }

    fn tell_rollback(&self, run: &Run<'_>, status: &str, reason: &str, message: &str) {
        run.subject.write(|conditions| {
            conditions.set("Remediated", status, reason, message);
            conditions.set("Ready", "False", reason, message);
        });
        run.write_history("rollback");
        if status == "True" {
            self.events.normal(&run.object(), reason, message);
        } else {
            self.events.warning(&run.object(), reason, message);
        }
    }
}

/// What is under way is the next attempt, if there is one, for the reason that the HelmRelease is not ready.
fn show_retry(run: &Run<'_>, action: Action) {
    if is_exhausted(&run.object(), action) {
        return;
    }
    run.subject.write(|status| {
        let why = status.condition("Ready").and_then(|ready| ready["message"].as_str()).map(str::to_owned);
        if let Some(why) = why {
            status.reconciling("ProgressingWithRetry", &why);
        }
    });
}
