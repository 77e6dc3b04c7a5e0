//! What an attempt needs first: a source with an artifact, and dependencies that are ready.

use std::sync::Arc;

use cluster_api::{Res, kinds, object};
use serde_json::Value;

use super::{DEPENDENCY_INTERVAL, Kustomizations, retry_interval};
use crate::status::{Subject, is_true, observed};
use crate::work::Verdict;

pub(super) enum Prerequisites {
    /// The source to build from.
    Met(Arc<Value>),
    Missing(Verdict),
}

/// Resource, namespace and name of the source.
fn source_of(kustomization: &Value) -> Option<(Res, String, String)> {
    let reference = &kustomization["spec"]["sourceRef"];
    let res = match reference["kind"].as_str()? {
        "OCIRepository" => kinds::OCI_REPOSITORIES,
        "GitRepository" => kinds::GIT_REPOSITORIES,
        "Bucket" => kinds::BUCKETS,
        _ => return None,
    };
    let namespace = reference["namespace"].as_str().unwrap_or_else(|| object::namespace(kustomization));
    Some((res, namespace.to_owned(), reference["name"].as_str()?.to_owned()))
}

pub(super) fn refers_to(kustomization: &Value, source: &Value) -> bool {
    let kind = &kustomization["spec"]["sourceRef"]["kind"];
    source_of(kustomization).is_some_and(|(_, namespace, name)| {
        *kind == source["kind"] && namespace == object::namespace(source) && name == object::name(source)
    })
}

impl Kustomizations {
    pub(super) fn prerequisites(&self, subject: &Subject, kustomization: &Value) -> Prerequisites {
        let source = source_of(kustomization)
            .and_then(|(res, namespace, name)| self.store.get(&res, &namespace, &name));
        let Some(source) = source else {
            let reference = &kustomization["spec"]["sourceRef"];
            let part = |field: &str| reference[field].as_str().unwrap_or_default().to_owned();
            let namespace =
                if part("namespace").is_empty() { String::new() } else { format!("{}/", part("namespace")) };
            let message = format!("Source '{}/{namespace}{}' not found", part("kind"), part("name"));
            self.unready(subject, "ArtifactFailed", &message);
            return Prerequisites::Missing(Verdict::After(retry_interval(kustomization)));
        };
        if !source["status"]["artifact"].is_object() {
            self.unready(subject, "ArtifactFailed", "Source artifact not found, retrying in 30s");
            return Prerequisites::Missing(Verdict::After(DEPENDENCY_INTERVAL));
        }
        if let Err(message) = self.check_dependencies(kustomization, &source) {
            self.unready(subject, "DependencyNotReady", &message);
            let told = "Dependencies do not meet ready condition, retrying in 30s";
            self.log.info(&subject.namespace, &subject.name, told);
            self.events.normal(kustomization, "DependencyNotReady", told);
            return Prerequisites::Missing(Verdict::After(DEPENDENCY_INTERVAL));
        }
        if kustomization["spec"]["dependsOn"].as_array().is_some_and(|list| !list.is_empty()) {
            let line = "All dependencies are ready, proceeding with reconciliation";
            self.log.info(&subject.namespace, &subject.name, line);
        }
        Prerequisites::Met(source)
    }

    fn unready(&self, subject: &Subject, reason: &str, message: &str) {
        if reason != "DependencyNotReady" {
            self.log.info(&subject.namespace, &subject.name, message);
        }
        subject.write(|status| {
            status.drop(&["Reconciling"]);
            status.set("Ready", "False", reason, message);
            status.handled();
        });
    }

    fn check_dependencies(&self, kustomization: &Value, source: &Value) -> Result<(), String> {
        for reference in kustomization["spec"]["dependsOn"].as_array().map_or(&[][..], Vec::as_slice) {
            let name = reference["name"].as_str().unwrap_or_default();
            let namespace =
                reference["namespace"].as_str().unwrap_or_else(|| object::namespace(kustomization));
            let Some(dependency) = self.store.get(&kinds::KUSTOMIZATIONS, namespace, name) else {
                return Err(format!(
                    "dependency '{namespace}/{name}' not found: kustomizations.kustomize.toolkit.fluxcd.io \"{name}\" not found"
                ));
            };
            if object::generation(&dependency) != observed(&dependency) || !is_true(&dependency, "Ready") {
                return Err(format!("dependency '{namespace}/{name}' is not ready"));
            }
            let same_source = refers_to(&dependency, source);
            if same_source
                && dependency["status"]["lastAppliedRevision"] != source["status"]["artifact"]["revision"]
            {
                return Err(format!("dependency '{namespace}/{name}' revision is not up to date"));
            }
        }
        Ok(())
    }
}
