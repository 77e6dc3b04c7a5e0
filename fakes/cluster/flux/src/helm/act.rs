//! Installing, upgrading, testing and unlocking, as a HelmRelease shows it.

use serde_json::{Value, json};

use super::Releases;
use super::conditions::Run;
use super::engine::Failure;
use super::policy::{Action, Tests, settings};
use super::release::Release;

impl Releases {
    pub(super) async fn install(&self, run: &Run<'_>, history: &[Release]) -> Result<(), Failure> {
        let running = self.announce(run, Action::Install);
        let settings = settings(&run.object(), Action::Install);
        let outcome = run.engine.install(run.desired, history, &settings).await;
        match &outcome {
            Ok((release, targets)) => self.succeeded(run, &running, release, targets),
            Err(failure) => self.failed(run, &running, failure),
        }
        outcome.map(drop)
    }

    pub(super) async fn upgrade(&self, run: &Run<'_>, history: &[Release]) -> Result<(), Failure> {
        let running = self.announce(run, Action::Upgrade);
        let settings = settings(&run.object(), Action::Upgrade);
        let outcome = run.engine.upgrade(run.desired, history, &settings).await;
        match &outcome {
            Ok((release, targets)) => self.succeeded(run, &running, release, targets),
            Err(failure) => self.failed(run, &running, failure),
        }
        outcome.map(drop)
    }

    /// Runs the release's tests.
    pub(super) async fn test(&self, run: &Run<'_>, latest: &Release) {
        self.announce(run, Action::Test);
        let object = run.object();
        let settings = settings(&object, Action::Test);
        let began = cluster_api::object::timestamp(self.clock.now());
        let outcome = run.engine.test(latest, &settings).await;
        if run.engine.interrupt.is_cancelled() {
            return;
        }
        let phase = if outcome.is_ok() { "Succeeded" } else { "Failed" };
        let ended = cluster_api::object::timestamp(self.clock.now());
        let tests = latest.hooks.iter().filter(|hook| hook.events.iter().any(|event| event == "test"));
        let results: serde_json::Map<String, Value> = tests
            .map(|hook| {
                (hook.name.clone(), json!({"lastCompleted": ended, "lastStarted": began, "phase": phase}))
            })
            .collect();
        let matter = Tests::of(&object) == Tests::Matter;
        let counter = if object["status"]["lastAttemptedReleaseAction"] == "install" {
            Action::Install.failures()
        } else {
            Action::Upgrade.failures()
        };
        let (status, reason, message) = match &outcome {
            Ok(count) => {
                let plural = if *count == 1 { "" } else { "s" };
                let passed = format!("{count} test hook{plural} completed successfully");
                (
                    "True",
                    "TestSucceeded",
                    format!("Helm test succeeded for release {}: {passed}", latest.text()),
                )
            }
            Err(why) => {
                ("False", "TestFailed", format!("Helm test failed for release {}: {why}", latest.text()))
            }
        };
        run.subject.write(|conditions| {
            conditions.set("TestSuccess", status, reason, &message);
            if matter {
                conditions.set("Ready", status, reason, &message);
            }
        });
        run.subject.write(|conditions| {
            let mut history = conditions.get("history").clone();
            history[0]["testHooks"] = Value::Object(results);
            conditions.field("history", history);
            if outcome.is_err() {
                conditions.count("failures");
                if matter {
                    conditions.count(counter);
                }
            }
        });
        if outcome.is_ok() {
            self.events.normal(&object, reason, &message);
        } else {
            self.events.warning(&object, reason, &message);
        }
    }

    /// Marks a release that was left pending as failed, so that it can be upgraded.
    pub(super) fn unlock(&self, run: &Run<'_>, history: &[Release]) {
        let Some(latest) = history.first() else { return };
        let message = format!("Unlocked Helm release {} in {} state", latest.text(), latest.status);
        let mut freed = latest.clone();
        "failed".clone_into(&mut freed.status);
        freed.description.clone_from(&message);
        self.announce(run, Action::Unlock);
        run.engine.update(&freed);
        run.subject.write(|status| {
            status.set("Released", "False", "PendingRelease", &message);
            status.set("Ready", "False", "PendingRelease", &message);
            for counter in ["failures", "installFailures", "upgradeFailures"] {
                status.field(counter, Value::Null);
            }
        });
        self.events.normal(&run.object(), "PendingRelease", &message);
    }
}
