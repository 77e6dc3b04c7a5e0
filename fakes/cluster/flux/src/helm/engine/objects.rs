//! What a release consists of: its objects in the cluster.

use cluster_api::object;
use serde_json::{Value, json};

use super::Engine;
use crate::apply::Target;
use crate::kind_order;

const KEEP: &str = "helm.sh/resource-policy";

/// How objects are written, as the journal tells it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// New ones, for the first time.
    Create,
    /// Those of the version before.
    Patch,
}

impl Engine<'_> {
    /// Objects as the release makes them, in the order in which it does.
    pub(in crate::helm) fn prepared(&self, objects: Vec<Value>) -> Result<Vec<(Target, Value)>, String> {
        let mut prepared = Vec::new();
        for mut object in objects {
            let wanted = object::namespace(&object).to_owned();
            let namespace = if wanted.is_empty() { self.names.namespace.as_str() } else { wanted.as_str() };
            let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
            let (version, kind, name) = (text("apiVersion"), text("kind"), object::name(&object).to_owned());
            let target = Target::new(self.store, &version, &kind, namespace, &name).map_err(|error| {
                format!(
                    "unable to build kubernetes objects from release manifest: resource mapping not found for name: \"{name}\" \
                     namespace: \"{wanted}\" from \"\": {error}\nensure CRDs are installed first"
                )
            })?;
            if !target.namespace.is_empty() {
                object["metadata"]["namespace"] = json!(target.namespace);
            }
            object::set_label(&mut object, "app.kubernetes.io/managed-by", "Helm");
            if let Some((namespace, name)) = self.owner {
                object::set_label(&mut object, "helm.toolkit.fluxcd.io/name", name);
                object::set_label(&mut object, "helm.toolkit.fluxcd.io/namespace", namespace);
            }
            object::set_annotation(&mut object, "meta.helm.sh/release-name", &self.names.release);
            object::set_annotation(&mut object, "meta.helm.sh/release-namespace", &self.names.namespace);
            prepared.push((target, object));
        }
        prepared.sort_by_key(|(_, object)| kind_order::place(object));
        Ok(prepared)
    }

    /// Creates all of them; every refusal is a line of the error.
    pub(super) fn create(&self, objects: Vec<(Target, Value)>) -> Result<(), String> {
        self.journal.note("creating resource(s)", &json!({"resources": objects.len()}));
        let how = json!({"dryRun": false, "fieldValidationDirective": "Strict", "forceConflicts": false});
        self.journal.note("using server-side apply for resource creation", &how);
        self.write(objects, Writing::Create)
    }

    /// Writes all of them. Refusals of a first installation are lines; of those of an upgrade, a refused creation ends it,
    /// and refused changes are joined with `&&` (Helm 4, `client.update`).
    pub(super) fn write(&self, objects: Vec<(Target, Value)>, writing: Writing) -> Result<(), String> {
        let mut refusals = Vec::new();
        for (target, object) in objects {
            let (group, version) = (target.info.res.group.clone(), target.info.version.clone());
            let gvk = match group.is_empty() {
                true => format!("/{version}, Kind={}", target.info.kind),
                false => format!("{group}/{version}, Kind={}", target.info.kind),
            };
            let mut details = json!({"gvk": gvk, "name": target.name, "namespace": target.namespace});
            let is_new = target.get(self.store).is_none();
            match target.apply(self.store, object, self.manager) {
                Ok(_) if writing == Writing::Patch && !is_new => {
                    self.journal.note("Patched resource", &details)
                }
                Ok(_) => self.journal.note("Created resource via patch", &details),
                Err(error) => {
                    let place = match target.namespace.as_str() {
                        "" => String::new(),
                        namespace => format!("{namespace}/"),
                    };
                    let name = &target.name;
                    let refusal = format!("server-side apply failed for object {place}{name} {gvk}: {error}");
                    details = json!({"error": {}, "gvk": details["gvk"], "name": name, "namespace": target.namespace});
                    self.journal.note("Error creating resource via patch", &details);
                    if writing == Writing::Patch && is_new {
                        return Err(format!("failed to create resource: {refusal}"));
                    }
                    refusals.push(refusal);
                }
            }
        }
        let separator = if writing == Writing::Patch { " && " } else { "\n" };
        if refusals.is_empty() { Ok(()) } else { Err(refusals.join(separator)) }
    }

    /// Deletes objects, the last kinds first, except those that are to be kept; answers what was told to go.
    pub(super) fn remove(&self, mut objects: Vec<(Target, Value)>) -> Vec<Target> {
        objects.reverse();
        let mut gone = Vec::new();
        for (target, object) in objects {
            let kept = |object: &Value| object::annotation(object, KEEP) == Some("keep");
            let Some(found) = target.get(self.store) else { continue };
            if kept(&object) || kept(&found) {
                continue;
            }
            match target.delete(self.store) {
                Ok(()) => gone.push(target),
                Err(error) => tracing::debug!(%error, %target, "delete an object of a release"),
            }
        }
        gone
    }
}
