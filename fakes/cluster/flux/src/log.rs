//! The controllers' own log lines.

use cluster_node::LogSink;
use field_clock::Clock;
use serde_json::{Value, json};

/// What the API warns of when a controller adds its finalizer, as every client logs it.
const FINALIZER: &str = "metadata.finalizers: \"finalizers.fluxcd.io\": prefer a domain-qualified finalizer name including \
    a path (/) to avoid accidental conflicts with other finalizer writers";

/// Writes lines as the controllers do.
#[derive(Clone)]
pub(crate) struct Log {
    sink: LogSink,
    clock: Clock,
    group: &'static str,
    kind: &'static str,
}

impl Log {
    /// The lines of the controller of a kind.
    pub(crate) fn new(sink: &LogSink, clock: &Clock, kind: &'static str) -> Self {
        let group = match kind {
            "HelmRelease" => "helm.toolkit.fluxcd.io",
            "Kustomization" => "kustomize.toolkit.fluxcd.io",
            _ => "source.toolkit.fluxcd.io",
        };
        Self { sink: sink.clone(), clock: clock.clone(), group, kind }
    }

    /// Something worth knowing about an object.
    pub(crate) fn info(&self, namespace: &str, name: &str, message: &str) {
        self.line("info", message, namespace, name, &Value::Null);
    }

    /// A failed reconciliation of an object.
    pub(crate) fn error(&self, namespace: &str, name: &str, error: &str) {
        self.failed(namespace, name, "Reconciler error", error);
    }

    /// A failure with words of its own.
    pub(crate) fn failed(&self, namespace: &str, name: &str, message: &str, error: &str) {
        self.line("error", message, namespace, name, &json!(error));
    }

    /// The finalizer was added.
    pub(crate) fn finalizer(&self, namespace: &str, name: &str) {
        self.info(namespace, name, FINALIZER);
    }

    fn line(&self, level: &str, message: &str, namespace: &str, name: &str, error: &Value) {
        let now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        let mut line = json!({"level": level, "ts": now, "msg": message, "controller": self.kind.to_lowercase(),
            "controllerGroup": self.group, "controllerKind": self.kind, "namespace": namespace, "name": name});
        line[self.kind] = json!({"name": name, "namespace": namespace});
        if !error.is_null() {
            line["error"] = error.clone();
        }
        self.sink.line(&line.to_string());
    }
}
