//! What a Kustomization has made and no longer wants.

use std::collections::HashSet;

use cluster_api::object;
use serde_json::Value;

use super::attempt::{Attempt, Failure};
use super::stages::{NAME_LABEL, NAMESPACE_LABEL};
use super::{FINALIZER, Kustomizations};
use crate::apply::Target;
use crate::status::Subject;

const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";

impl Kustomizations {
    /// Deletes what the last inventory has and this one has not.
    pub(super) fn prune(&self, attempt: &Attempt<'_>, applied: &[Target]) -> Result<(), Failure> {
        let kept: HashSet<String> = applied.iter().map(ToString::to_string).collect();
        let stale = self
            .inventory(attempt.kustomization)
            .into_iter()
            .filter(|target| !kept.contains(&target.to_string()));
        let stale: Vec<Target> = stale.collect();
        self.write_inventory(attempt, applied);
        if attempt.kustomization["spec"]["prune"] != true {
            return Ok(());
        }
        let deleted =
            self.delete(attempt.subject, stale).map_err(|message| Failure::new("PruneFailed", message))?;
        if !deleted.is_empty() {
            self.events.normal(attempt.kustomization, "Progressing", &deleted.join("\n"));
        }
        Ok(())
    }

    /// Takes a deleted Kustomization's objects along, where it prunes.
    pub(super) async fn finalize(&self, subject: &Subject, kustomization: &Value) {
        if !object::has_finalizer(kustomization, FINALIZER) {
            return;
        }
        let start = self.clock.now();
        let spec = &kustomization["spec"];
        let deletes = match spec["deletionPolicy"].as_str() {
            Some("Delete" | "WaitForTermination") => true,
            Some("Orphan") => false,
            _ => spec["prune"] == true,
        };
        if deletes && spec["suspend"] != true {
            let reason = object::condition(kustomization, "Ready")
                .and_then(|ready| ready["reason"].as_str())
                .unwrap_or("Progressing");
            crate::pace::spend(&self.clock, 40, &subject.name).await;
            match self.delete(subject, self.inventory(kustomization)) {
                Ok(deleted) if deleted.is_empty() => {}
                Ok(deleted) => self.events.normal(kustomization, reason, &deleted.join("\n")),
                Err(message) => self.events.warning(kustomization, "PruneFailed", &message),
            }
            let took = crate::duration::text(self.since(start));
            let next = crate::duration::text(super::interval(kustomization));
            let message = format!("Reconciliation finished in {took}, next run in {next}");
            self.log.info(&subject.namespace, &subject.name, &message);
            self.events.normal(kustomization, reason, &message);
        }
        subject.modify(|kustomization| object::remove_finalizer(kustomization, FINALIZER));
    }

    fn inventory(&self, kustomization: &Value) -> Vec<Target> {
        let entries =
            kustomization["status"]["inventory"]["entries"].as_array().map_or(&[][..], Vec::as_slice);
        entries.iter().filter_map(|entry| Target::from_entry(&self.store, entry)).collect()
    }

    /// Deletes targets that are still this Kustomization's, the last kinds first.
    fn delete(&self, subject: &Subject, mut targets: Vec<Target>) -> Result<Vec<String>, String> {
        targets.sort_by_key(|target| {
            std::cmp::Reverse(crate::kind_order::place(&serde_json::json!({"kind": target.info.kind})))
        });
        let mut lines = Vec::new();
        for target in targets {
            let Some(found) = target.get(&self.store) else { continue };
            let ours = object::label(&found, NAME_LABEL) == Some(subject.name.as_str())
                && object::label(&found, NAMESPACE_LABEL) == Some(subject.namespace.as_str());
            if !ours || object::annotation(&found, PRUNE) == Some("disabled") {
                continue;
            }
            match target.delete(&self.store) {
                Ok(()) => lines.push(format!("{target} deleted")),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(format!("{target} delete failed: {error}")),
            }
        }
        Ok(lines)
    }
}
