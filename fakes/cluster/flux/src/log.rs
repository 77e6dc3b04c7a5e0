//! The controllers' own log lines.

use cluster_node::LogSink;
use field_clock::Clock;
use serde_json::json;

/// Writes lines as the controllers do.
#[derive(Clone)]
pub(crate) struct Log {
    sink: LogSink,
    clock: Clock,
    controller: &'static str,
}

impl Log {
    pub(crate) fn new(sink: &LogSink, clock: &Clock, controller: &'static str) -> Self {
        Self { sink: sink.clone(), clock: clock.clone(), controller }
    }

    /// Something worth knowing about an object.
    pub(crate) fn info(&self, namespace: &str, name: &str, message: &str) {
        self.line(json!({"level": "info", "ts": self.now(), "msg": message, "controller": self.controller,
            "namespace": namespace, "name": name}));
    }

    /// A failed reconciliation of an object.
    pub(crate) fn error(&self, namespace: &str, name: &str, error: &str) {
        self.line(json!({"level": "error", "ts": self.now(), "msg": "Reconciler error", "controller": self.controller,
            "namespace": namespace, "name": name, "error": error}));
    }

    fn now(&self) -> String {
        self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    fn line(&self, line: serde_json::Value) {
        self.sink.line(&line.to_string());
    }
}
