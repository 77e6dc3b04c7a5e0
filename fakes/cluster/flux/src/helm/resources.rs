//! What a release consists of: its objects in the cluster.

use cluster_api::object;
use serde_json::{Value, json};

use super::Releases;
use super::policy::Names;
use crate::apply::Target;
use crate::kind_order;
use crate::status::Subject;

const MANAGER: &str = "helm-controller";
const KEEP: &str = "helm.sh/resource-policy";

impl Releases {
    /// Objects as the release makes them, in the order in which it does.
    pub(super) fn prepared(
        &self,
        subject: &Subject,
        names: &Names,
        objects: Vec<Value>,
    ) -> Result<Vec<(Target, Value)>, String> {
        let mut prepared = Vec::new();
        for mut object in objects {
            let wanted = object::namespace(&object).to_owned();
            let namespace = if wanted.is_empty() { names.namespace.as_str() } else { wanted.as_str() };
            let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
            let (version, kind, name) = (text("apiVersion"), text("kind"), object::name(&object).to_owned());
            let target = Target::new(&self.store, &version, &kind, namespace, &name).map_err(|error| {
                format!(
                    "unable to build kubernetes objects from release manifest: resource mapping not found for name: \"{name}\" \
                     namespace: \"{wanted}\" from \"\": {error}\nensure CRDs are installed first"
                )
            })?;
            if !target.namespace.is_empty() {
                object["metadata"]["namespace"] = json!(target.namespace);
            }
            object::set_label(&mut object, "app.kubernetes.io/managed-by", "Helm");
            object::set_label(&mut object, "helm.toolkit.fluxcd.io/name", &subject.name);
            object::set_label(&mut object, "helm.toolkit.fluxcd.io/namespace", &subject.namespace);
            object::set_annotation(&mut object, "meta.helm.sh/release-name", &names.release);
            object::set_annotation(&mut object, "meta.helm.sh/release-namespace", &names.namespace);
            prepared.push((target, object));
        }
        prepared.sort_by_key(|(_, object)| kind_order::place(object));
        Ok(prepared)
    }

    /// Applies all of them; every refusal is a line of the error.
    pub(super) fn apply(&self, objects: Vec<(Target, Value)>) -> Result<(), String> {
        let mut refusals = Vec::new();
        for (target, object) in objects {
            let (group, version) = (target.info.res.group.clone(), target.info.version.clone());
            if let Err(error) = target.apply(&self.store, object, MANAGER) {
                let place = if target.namespace.is_empty() {
                    String::new()
                } else {
                    format!("{}/", target.namespace)
                };
                let (name, kind) = (&target.name, &target.info.kind);
                let gvk = format!("{group}/{version}, Kind={kind}");
                refusals.push(format!("server-side apply failed for object {place}{name} {gvk}: {error}"));
            }
        }
        if refusals.is_empty() { Ok(()) } else { Err(refusals.join("\n")) }
    }

    /// Deletes objects, the last kinds first, except those that are to be kept; answers what was told to go.
    pub(super) fn remove(&self, mut objects: Vec<(Target, Value)>) -> Vec<Target> {
        objects.reverse();
        let mut gone = Vec::new();
        for (target, object) in objects {
            let kept = |object: &Value| object::annotation(object, KEEP) == Some("keep");
            let Some(found) = target.get(&self.store) else { continue };
            if kept(&object) || kept(&found) {
                continue;
            }
            match target.delete(&self.store) {
                Ok(()) => gone.push(target),
                Err(error) => tracing::debug!(%error, %target, "delete an object of a release"),
            }
        }
        gone
    }
}
