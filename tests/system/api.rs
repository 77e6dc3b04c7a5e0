//! The Kubernetes API of a kept world, spoken to by a real client.

use std::path::Path;

use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;

/// A client with an administrator's kubeconfig.
pub(crate) struct Api {
    client: Client,
    config: Kubeconfig,
}

impl Api {
    pub(crate) async fn open(kubeconfig: &Path) -> Self {
        // Another test of this process may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
        let options = KubeConfigOptions::default();
        let how = Config::from_custom_kubeconfig(config.clone(), &options).await.expect("a context");
        Self { client: Client::try_from(how).expect("a client"), config }
    }

    /// Reads something.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = Request::get(path).body(Vec::new()).expect("a request");
        self.client.request(request).await.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Reads a text, such as a log.
    pub(crate) async fn text(&self, path: &str) -> String {
        let request = Request::get(path).body(Vec::new()).expect("a request");
        self.client.request_text(request).await.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Deletes something.
    pub(crate) async fn delete(&self, path: &str) -> Value {
        let request = Request::delete(path).body(Vec::new()).expect("a request");
        self.client.request(request).await.unwrap_or_else(|error| panic!("DELETE {path}: {error}"))
    }

    /// Creates something.
    pub(crate) async fn create(&self, path: &str, object: &Value) -> Value {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(object.to_string().into_bytes()).expect("a request");
        self.client.request(request).await.unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// Changes something.
    pub(crate) async fn merge(&self, path: &str, patch: &Value) -> Value {
        let request = Request::patch(path).header("content-type", "application/merge-patch+json");
        let request = request.body(patch.to_string().into_bytes()).expect("a request");
        self.client.request(request).await.unwrap_or_else(|error| panic!("PATCH {path}: {error}"))
    }

    /// What an administrator keeps to himself: the kubeconfig's own credentials.
    pub(crate) fn credentials(&self) -> Vec<String> {
        let infos = self.config.auth_infos.iter().filter_map(|entry| entry.auth_info.as_ref());
        let text = serde_json::to_value(infos.collect::<Vec<_>>()).expect("JSON");
        let mut found = Vec::new();
        texts(&text, &mut found);
        found
    }
}

/// Every text of a document.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(entries) => entries.values().for_each(|entry| texts(entry, found)),
        _ => {}
    }
}
