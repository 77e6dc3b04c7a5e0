//! Applying what was built: definitions first, then the rest, each kind in its place.

use std::time::Duration;

use cluster_api::tokens::Identity;
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
/// How long something that is made anew may take to go away.
const RECREATION: Duration = Duration::from_secs(30);
const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
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
        self.apply_stage(attempt, definitions, &mut applied).await?;
        if !applied.changes.is_empty() {
            // Nothing of a new kind can be applied before the kind is there.
            let limit = Duration::from_secs(60);
            let waited =
                wait::until_current(&self.store, &self.clock, &applied.targets, limit, Jobs::Ignore).await;
            waited.map_err(|error| Failure::new("ReconciliationFailed", error.to_string()))?;
        }
        self.apply_stage(attempt, rest, &mut applied).await?;
        if !applied.changes.is_empty() {
            self.events.normal(attempt.kustomization, "Progressing", &applied.changes.join("\n"));
        }
        Ok(applied)
    }

    /// All of a stage is tried before any of it is written.
    async fn apply_stage(
        &self,
        attempt: &Attempt<'_>,
        objects: Vec<Value>,
        applied: &mut Applied,
    ) -> Result<(), Failure> {
        if objects.is_empty() {
            return Ok(());
        }
        let mut due = Vec::new();
        for object in objects {
            let shown = subject_of(&object);
            let refused = |words: String, changes: &[String]| {
                Failure::new("ReconciliationFailed", format!("{shown} {words}\n{}", changes.join("\n")))
            };
            let target = Target::of(&self.store, &object)
                .map_err(|error| refused(format!("dry-run failed: {error}"), &applied.changes))?;
            if target.info.namespaced && target.namespace.is_empty() {
                let words = "namespace not specified: the server could not find the requested resource";
                return Err(refused(words.to_owned(), &applied.changes));
            }
            applied.targets.push(target.clone());
            if skips(&object, &target, self) {
                continue;
            }
            let may = self.may_apply(attempt, &target);
            match may.and_then(|()| target.try_apply(&self.store, &object, MANAGER)) {
                Err(error) if is_immutable(&error) && recreates(attempt.kustomization, &object) => {
                    due.push((target, object, Outcome::Created));
                }
                Err(error) => return Err(refused(refusal(&error), &applied.changes)),
                Ok(Outcome::Unchanged) => {}
                Ok(outcome) => due.push((target, object, outcome)),
            }
        }
        for (target, object, outcome) in due {
            let shown = target.to_string();
            if outcome == Outcome::Created && target.get(&self.store).is_some() {
                // Nothing waits for what goes away at once.
                let _ = target.delete(&self.store);
                let gone =
                    wait::until_gone(&self.store, &self.clock, std::slice::from_ref(&target), RECREATION);
                gone.await.map_err(|error| Failure::new("ReconciliationFailed", error.to_string()))?;
            }
            let done = target.apply(&self.store, object, MANAGER);
            let done = done.map_err(|error| {
                Failure::new("ReconciliationFailed", format!("{shown} apply failed: {error}\n"))
            })?;
            match done {
                Outcome::Created => applied.changes.push(format!("{target} created")),
                Outcome::Changed => applied.changes.push(format!("{target} configured")),
                Outcome::Unchanged => {}
            }
        }
        self.log.info(&attempt.subject.namespace, &attempt.subject.name, "server-side apply completed");
        Ok(())
    }

    /// Whether the account that the Kustomization names may write an object.
    fn may_apply(&self, attempt: &Attempt<'_>, target: &Target) -> Result<(), ApiError> {
        let Some(account) = attempt.kustomization["spec"]["serviceAccountName"].as_str() else {
            return Ok(());
        };
        let namespace = &attempt.subject.namespace;
        let identity = Identity {
            user: format!("system:serviceaccount:{namespace}:{account}"),
            groups: vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ],
        };
        self.store.authorize(&identity, "patch", &target.info, &target.namespace, &target.name)
    }

    /// Notes what has been applied.
    pub(super) fn write_inventory(&self, attempt: &Attempt<'_>, targets: &[Target]) {
        let mut entries: Vec<Value> = targets.iter().map(Target::entry).collect();
        entries.sort_by_key(|entry| entry["id"].as_str().unwrap_or_default().to_owned());
        attempt.subject.write(|status| status.field("inventory", json!({"entries": entries})));
    }
}

/// Whether the API will never take this over what is there.
fn is_immutable(error: &ApiError) -> bool {
    error.reason == "Invalid" && error.message.contains("immutable")
}

/// Whether what cannot be changed is made anew.
fn recreates(kustomization: &Value, object: &Value) -> bool {
    kustomization["spec"]["force"] == true || object::annotation(object, FORCE) == Some("enabled")
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
