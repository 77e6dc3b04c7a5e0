//! Hooks of charts.

use std::time::Duration;

use serde_json::json;

use super::{Engine, Settings, Waiting};
use crate::apply::Target;
use crate::helm::release::{Release, objects};
use crate::render::Hook;
use crate::wait;

const BEFORE_CREATION: &str = "before-hook-creation";

impl Engine<'_> {
    /// Runs the hooks of an event, by weight and name, each to its end.
    pub(super) async fn run_hooks(
        &self,
        release: &Release,
        event: &str,
        settings: &Settings,
    ) -> Result<(), String> {
        self.run_each(release, event, settings).await.map_err(|error| format!("failed {event}: {error}"))
    }

    /// The same; the error says only what failed.
    pub(super) async fn run_each(
        &self,
        release: &Release,
        event: &str,
        settings: &Settings,
    ) -> Result<(), String> {
        let mut due: Vec<&Hook> =
            release.hooks.iter().filter(|hook| hook.events.iter().any(|known| known == event)).collect();
        due.sort_by_key(|hook| (hook.weight, hook.name.clone()));
        let mut done: Vec<(&Hook, Target)> = Vec::new();
        for hook in due {
            // When it began is noted in the release.
            self.update(release);
            let mut prepared = objects(&hook.manifest).and_then(|objects| self.prepared(objects))?;
            let Some((target, object)) = prepared.pop() else { continue };
            if hook.deletes(BEFORE_CREATION) {
                self.clear_away(&target, settings.timeout).await?;
            }
            self.create(vec![(target.clone(), object)])?;
            let outcome = self.unless_interrupted(self.watch_hook(&target, settings)).await;
            if let Err(error) = outcome {
                if hook.deletes("hook-failed") {
                    // It may be gone already; nothing is left to do then.
                    let _ = target.delete(self.store);
                }
                return Err(error);
            }
            done.push((hook, target));
        }
        for (hook, target) in done {
            if hook.deletes("hook-succeeded") {
                let _ = target.delete(self.store);
            }
        }
        Ok(())
    }

    /// Deletes what an earlier run left behind.
    async fn clear_away(&self, target: &Target, limit: Duration) -> Result<(), String> {
        let details = json!({"kind": target.info.kind, "name": target.name, "namespace": target.namespace});
        self.journal.note("starting delete resource", &details);
        if let Err(error) = target.delete(self.store) {
            let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": error.to_string(), "reason": error.reason,
                "details": {"name": target.name, "group": target.info.res.group, "kind": target.info.res.plural},
                "code": error.code});
            let failure = json!({"error": {"ErrStatus": status}, "kind": target.info.kind, "name": target.name,
                "namespace": target.namespace});
            self.journal.note("ignoring delete failure", &failure);
            return Ok(());
        }
        let gone = wait::until_gone(self.store, self.clock, std::slice::from_ref(target), limit).await;
        gone.map_err(|error| error.to_string())
    }

    /// Waits for what runs to an end; anything else has done its work by being there.
    async fn watch_hook(&self, target: &Target, settings: &Settings) -> Result<(), String> {
        if !matches!(target.info.kind.as_str(), "Job" | "Pod") {
            return Ok(());
        }
        if matches!(settings.waiting, Waiting::Legacy(_)) {
            return wait::until_ended(self.store, self.clock, target, settings.timeout).await;
        }
        let ended = wait::Wait { store: self.store, clock: self.clock, poll: self.poll }
            .until_completed(target, settings.timeout)
            .await;
        ended.map_err(|error| error.to_string())
    }
}
