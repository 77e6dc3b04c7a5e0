//! Hooks of charts.

use std::time::Duration;

use super::Releases;
use super::conditions::Run;
use super::release::objects;
use crate::apply::Target;
use crate::render::Hook;
use crate::wait::{self, Jobs, WaitError};

const BEFORE_CREATION: &str = "before-hook-creation";

impl Releases {
    /// Runs the hooks of an event, by weight and name, each to its end.
    pub(super) async fn run_hooks(
        &self,
        run: &Run<'_>,
        hooks: &[Hook],
        event: &str,
        limit: Duration,
    ) -> Result<(), String> {
        let mut due: Vec<&Hook> =
            hooks.iter().filter(|hook| hook.events.iter().any(|known| known == event)).collect();
        due.sort_by_key(|hook| (hook.weight, hook.name.clone()));
        let failed = |error: &dyn std::fmt::Display| format!("failed {event}: {error}");
        let mut done: Vec<(&Hook, Target)> = Vec::new();
        for hook in due {
            let mut prepared = objects(&hook.manifest)
                .and_then(|objects| self.prepared(run.subject, &run.desired.names, objects))
                .map_err(|error| failed(&error))?;
            let Some((target, object)) = prepared.pop() else { continue };
            if hook.deletes(BEFORE_CREATION) && target.delete(&self.store).is_ok() {
                let gone =
                    wait::until_gone(&self.store, &self.clock, std::slice::from_ref(&target), limit).await;
                gone.map_err(|error| failed(&error))?;
            }
            self.apply(vec![(target.clone(), object)]).map_err(|error| failed(&error))?;
            if let Err(error) = self.watch_hook(&target, limit).await {
                if hook.deletes("hook-failed") {
                    // It may be gone already; nothing is left to do then.
                    let _ = target.delete(&self.store);
                }
                return Err(failed(&error));
            }
            done.push((hook, target));
        }
        for (hook, target) in done {
            if hook.deletes("hook-succeeded") {
                let _ = target.delete(&self.store);
            }
        }
        Ok(())
    }

    /// Waits for what runs to an end; anything else has done its work by being there.
    async fn watch_hook(&self, target: &Target, limit: Duration) -> Result<(), WaitError> {
        if !matches!(target.info.kind.as_str(), "Job" | "Pod") {
            return Ok(());
        }
        wait::until_current(&self.store, &self.clock, std::slice::from_ref(target), limit, Jobs::Wait).await
    }
}
