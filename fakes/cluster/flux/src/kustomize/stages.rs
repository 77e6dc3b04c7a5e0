//! Applying what was built: definitions first, then the rest, each kind in its place.

use std::time::Duration;

use cluster_api::{ApiError, Outcome, object};
use serde_json::{Value, json};

use super::Kustomizations;
use super::attempt::{Attempt, Failure};
use crate::apply::{Target, subject_of};
use crate::kind_order;
use crate::wait::{self, Jobs};

const MANAGER: &str = "kustomize-controller";
pub(super) const NAME_LABEL: &str = "kustomize.toolkit.fluxcd.io/name";
pub(super) const NAMESPACE_LABEL: &str = "kustomize.toolkit.fluxcd.io/namespace";
const RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
const SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";

/// What an attempt has applied.
pub(super) struct Applied {
    pub(super) targets: Vec<Target>,
    /// Lines such as `ConfigMap/msp/a created`.
    pub(super) changes: Vec<String>,
}

impl Kustomizations {
    pub(super) async fn apply(
        &self,
        attempt: &Attempt<'_>,
        mut objects: Vec<Value>,
    ) -> Result<Applied, Failure> {
        let mut applied = Applied { targets: Vec::new(), changes: Vec::new() };
        for object in &mut objects {
            object::set_label(object, NAME_LABEL, &attempt.subject.name);
            object::set_label(object, NAMESPACE_LABEL, &attempt.subject.namespace);
        }
        objects.sort_by_key(kind_order::place);
        let (definitions, rest): (Vec<Value>, Vec<Value>) =
            objects.into_iter().partition(kind_order::is_definition);
        self.apply_stage(definitions, &mut applied)?;
        if !applied.changes.is_empty() {
            // Nothing of a new kind can be applied before the kind is there.
            let limit = Duration::from_secs(60);
            let waited =
                wait::until_current(&self.store, &self.clock, &applied.targets, limit, Jobs::Ignore).await;
            waited.map_err(|error| Failure::new("ReconciliationFailed", error.to_string()))?;
        }
        self.apply_stage(rest, &mut applied)?;
        if !applied.changes.is_empty() {
            self.events.normal(attempt.kustomization, "Progressing", &applied.changes.join("\n"));
        }
        Ok(applied)
    }

    fn apply_stage(&self, objects: Vec<Value>, applied: &mut Applied) -> Result<(), Failure> {
        for object in objects {
            let shown = subject_of(&object);
            let refused = |words: String| Failure::new("ReconciliationFailed", format!("{shown} {words}"));
            let target = Target::of(&self.store, &object)
                .map_err(|error| refused(format!("dry-run failed: {error}")))?;
            if target.info.namespaced && target.namespace.is_empty() {
                return Err(refused(
                    "namespace not specified: the server could not find the requested resource".to_owned(),
                ));
            }
            applied.targets.push(target.clone());
            if skips(&object, &target, self) {
                continue;
            }
            match target.apply(&self.store, object, MANAGER).map_err(|error| refused(refusal(&error)))? {
                Outcome::Created => applied.changes.push(format!("{target} created")),
                Outcome::Changed => applied.changes.push(format!("{target} configured")),
                Outcome::Unchanged => {}
            }
        }
        Ok(())
    }

    /// Notes what has been applied.
    pub(super) fn write_inventory(&self, attempt: &Attempt<'_>, targets: &[Target]) {
        let mut entries: Vec<Value> = targets.iter().map(Target::entry).collect();
        entries.sort_by_key(|entry| entry["id"].as_str().unwrap_or_default().to_owned());
        attempt.subject.write(|status| status.field("inventory", json!({"entries": entries})));
    }
}

fn skips(object: &Value, target: &Target, kustomizations: &Kustomizations) -> bool {
    match object::annotation(object, SSA) {
        Some("Ignore") => return true,
        Some("IfNotPresent") if target.get(&kustomizations.store).is_some() => return true,
        _ => {}
    }
    object::annotation(object, RECONCILE) == Some("disabled")
}

/// What the API said, as a dry run reports it.
fn refusal(error: &ApiError) -> String {
    match error.reason {
        "NotFound" => format!("not found: {error}"),
        "Invalid" | "Forbidden" | "Conflict" => format!("dry-run failed ({}): {error}", error.reason),
        _ => format!("dry-run failed: {error}"),
    }
}
