//! Upgrading a release.

use serde_json::json;

use super::objects::Writing;
use super::{Engine, Failure, Hooks, Made, Settings};
use crate::apply::Target;
use crate::helm::release::{Desired, Release, objects};
use crate::render::Occasion;

impl Engine<'_> {
    /// Upgrades the release to what is wanted.
    pub(in crate::helm) async fn upgrade(
        &self,
        desired: &Desired,
        history: &[Release],
        settings: &Settings,
    ) -> Result<Made, Failure> {
        let name = json!({"name": self.names.release});
        self.journal.note("preparing upgrade", &name);
        self.journal.note("resetting values to the chart's original version", &json!({}));
        let version = history.first().map_or(0, |latest| latest.version) + 1;
        let mut rendered = self.render(desired, version, Occasion::Upgrade)?;
        let objects = std::mem::take(&mut rendered.objects);
        let objects = self.prepared(objects).map_err(Failure::Unrecorded)?;
        let method = json!({"previous_release_apply_method": "ssa", "server_side_apply": true});
        self.journal.note("determined release apply method", &method);
        self.journal.note("performing update", &name);
        crate::pace::spend(self.clock, 300, &self.names.release).await;
        let mut release = self.record(desired, version, "pending-upgrade", "Preparing upgrade", rendered);
        if let Some(first) = history.last() {
            release.first_deployed.clone_from(&first.first_deployed);
        }
        self.journal.note("creating upgraded release", &name);
        self.records().create(&release).map_err(|error| Failure::create(&error))?;
        let targets: Vec<Target> = objects.iter().map(|(target, _)| target.clone()).collect();
        let base = base_of(history);
        let outcome = async {
            if settings.hooks == Hooks::Run {
                self.run_hooks(&release, "pre-upgrade", settings).await?;
            }
            let mut how =
                json!({"dryRun": false, "fieldValidationDirective": "Strict", "forceConflicts": true});
            self.journal.note("using server-side apply for resource creation", &how);
            how["upgradeClientSideFieldManager"] = json!(false);
            self.journal.note("using server-side apply for resource update", &how);
            self.journal.note("checking resources for changes", &json!({"resources": objects.len()}));
            self.write(objects, Writing::Patch)?;
            self.remove_dropped(base, &targets);
            self.wait(&targets, settings).await?;
            if settings.hooks == Hooks::Run {
                self.run_hooks(&release, "post-upgrade", settings).await?;
            }
            Ok::<(), String>(())
        }
        .await;
        match outcome {
            Ok(()) => {
                self.supersede(base);
                "deployed".clone_into(&mut release.status);
                "Helm upgrade complete".clone_into(&mut release.description);
                self.update(&release);
                Ok((release, targets))
            }
            Err(message) => {
                self.journal
                    .note("warning: upgrade failed", &json!({"error": {}, "name": self.names.release}));
                self.give_up(&mut release, "Upgrade", &message);
                Err(Failure::Recorded(message))
            }
        }
    }

    /// Deletes what the old version has and the new one has not.
    pub(super) fn remove_dropped(&self, old: Option<&Release>, targets: &[Target]) {
        let Some(old) = old else { return };
        let kept: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let mut objects = self.prepared(objects(&old.manifest).unwrap_or_default()).unwrap_or_default();
        objects.retain(|(target, _)| !kept.contains(&target.to_string()));
        self.remove(objects);
    }
}

/// The deployed version, or else the newest.
fn base_of(history: &[Release]) -> Option<&Release> {
    history.iter().find(|release| release.status == "deployed").or(history.first())
}
