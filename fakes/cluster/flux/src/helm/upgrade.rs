//! Upgrading a release, and freeing one that is stuck.

use super::Releases;
use super::conditions::{ActionFailure, Run};
use super::policy::{Action, timeout, waits};
use super::release::{Release, objects};
use crate::apply::Target;
use crate::render::Occasion;
use crate::wait;

impl Releases {
    pub(super) async fn upgrade(&self, run: &Run<'_>, history: &[Release]) -> Result<(), ActionFailure> {
        let running = self.announce(run, Action::Upgrade);
        let outcome = self.try_upgrade(run, history).await;
        match &outcome {
            Ok((release, targets)) => self.succeeded(run, &running, release, targets),
            Err(failure) => self.failed(run, &running, failure),
        }
        outcome.map(drop)
    }

    async fn try_upgrade(
        &self,
        run: &Run<'_>,
        history: &[Release],
    ) -> Result<(Release, Vec<Target>), ActionFailure> {
        let object = run.object();
        let desired = run.desired;
        let version = history.first().map_or(0, |latest| latest.version) + 1;
        let mut rendered = self.render(run, version, Occasion::Upgrade)?;
        let objects = self
            .prepared(run.subject, &desired.names, std::mem::take(&mut rendered.objects))
            .map_err(ActionFailure::Unrecorded)?;
        let mut release = self.record(run, version, "pending-upgrade", "Preparing upgrade", rendered);
        if let Some(first) = history.last() {
            release.first_deployed.clone_from(&first.first_deployed);
        }
        run.records
            .create(&release)
            .map_err(|error| ActionFailure::Unrecorded(format!("create: failed to create: {error}")))?;
        let targets: Vec<Target> = objects.iter().map(|(target, _)| target.clone()).collect();
        let mut log = self.log_lines(&targets);
        let limit = timeout(&object, Action::Upgrade);
        let base = base_of(history);
        let outcome = async {
            let hooks = object["spec"]["upgrade"]["disableHooks"] != true;
            if hooks {
                self.run_hooks(run, &release.hooks, "pre-upgrade", limit).await?;
            }
            self.apply(objects)?;
            self.remove_dropped(run, base, &targets);
            if let Some(jobs) = waits(&object, Action::Upgrade) {
                let waited = wait::until_current(&self.store, &self.clock, &targets, limit, jobs).await;
                waited.map_err(|error| error.to_string())?;
            }
            if hooks {
                self.run_hooks(run, &release.hooks, "post-upgrade", limit).await?;
            }
            Ok::<(), String>(())
        }
        .await;
        match outcome {
            Ok(()) => {
                self.supersede(run, base);
                "deployed".clone_into(&mut release.status);
                "Helm upgrade complete".clone_into(&mut release.description);
                self.update(run, &release);
                Ok((release, targets))
            }
            Err(message) => {
                "failed".clone_into(&mut release.status);
                release.description = format!("Upgrade {:?} failed: {message}", release.name);
                self.update(run, &release);
                log.push(format!("{}: {message}", self.clock.now()));
                Err(ActionFailure::Recorded { message, log })
            }
        }
    }

    /// Deletes what the old version has and the new one has not.
    pub(super) fn remove_dropped(&self, run: &Run<'_>, old: Option<&Release>, targets: &[Target]) {
        let Some(old) = old else { return };
        let kept: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let mut objects = self
            .prepared(run.subject, &run.desired.names, objects(&old.manifest).unwrap_or_default())
            .unwrap_or_default();
        objects.retain(|(target, _)| !kept.contains(&target.to_string()));
        self.remove(objects);
    }

    /// The version that a new one takes the place of.
    pub(super) fn supersede(&self, run: &Run<'_>, old: Option<&Release>) {
        if let Some(old) = old {
            let mut old = old.clone();
            "superseded".clone_into(&mut old.status);
            self.update(run, &old);
        }
    }

    /// Marks a release that was left pending as failed, so that it can be upgraded.
    pub(super) fn unlock(&self, run: &Run<'_>, history: &[Release]) {
        let Some(latest) = history.first() else { return };
        let message = format!("Unlocked Helm release {} in {} state", latest.text(), latest.status);
        let mut freed = latest.clone();
        "failed".clone_into(&mut freed.status);
        freed.description.clone_from(&message);
        run.subject.write(|status| {
            status.reconciling("Progressing", "Running 'unlock' action with timeout of 5m0s")
        });
        self.update(run, &freed);
        run.write_history("unlock");
        run.subject.write(|status| {
            status.set("Ready", "False", "PendingRelease", &message);
            for counter in ["failures", "installFailures", "upgradeFailures"] {
                status.field(counter, serde_json::Value::Null);
            }
        });
        self.events.warning(&run.object(), "PendingRelease", &message);
    }
}

/// The deployed version, or else the newest.
fn base_of(history: &[Release]) -> Option<&Release> {
    history.iter().find(|release| release.status == "deployed").or(history.first())
}
