//! The API of the simulated cluster, as kubectl asks it.

use std::time::Duration;

use bytes::Bytes;
use fake_cluster::Cluster;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Method, Response};
use serde_json::Value;

use super::ReplayError;

/// A connection to the API with an administrator's rights.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    base: String,
    token: String,
}

/// What the API answered: the object, or its refusal in kubectl's words.
pub(super) type Answer = Result<Value, String>;

impl Api {
    pub(super) fn of(cluster: &Cluster) -> Result<Self, ReplayError> {
        let config: Value = serde_saphyr::from_str(&cluster.kubeconfig())
            .map_err(|error| ReplayError::Kubeconfig(error.to_string()))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let ca = text(&config["clusters"][0]["cluster"]["certificate-authority-data"]);
        let ca = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, ca)
            .map_err(|error| ReplayError::Kubeconfig(error.to_string()))?;
        // Whoever came first chose the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only(Certificate::from_pem(&ca))
            // Each watch has a connection of its own, as each kubectl has.
            .pool_max_idle_per_host(0)
            .pool_idle_timeout(Duration::ZERO)
            .build()?;
        Ok(Self {
            client,
            base: format!("https://{}", cluster.address()),
            token: text(&config["users"][0]["user"]["token"]),
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Bytes)>,
    ) -> reqwest::Result<Response> {
        let mut request =
            self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some((kind, body)) = body {
            request = request.header(CONTENT_TYPE, kind).body(body);
        }
        request.send().await
    }

    /// A stream of lines, or the refusal.
    pub(super) async fn watch(&self, path: &str) -> Result<Response, String> {
        let response = self.send(Method::GET, path, None).await.map_err(|error| unreachable_api(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(&response.bytes().await.unwrap_or_default()))
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// Text, such as a log.
    pub(super) async fn text(&self, path: &str) -> Result<String, String> {
        let response = self.watch(path).await?;
        response.text().await.map_err(|error| unreachable_api(&error))
    }

    /// What is there becomes what is given; made when it is not there.
    pub(super) async fn apply(&self, path: &str, object: &Value) -> Answer {
        let path = format!("{path}?fieldManager=kubectl&force=true&fieldValidation=Strict");
        let body = Bytes::from(object.to_string());
        self.ask(Method::PATCH, &path, Some(("application/apply-patch+yaml", body))).await
    }

    pub(super) async fn merge(&self, path: &str, patch: &Value) -> Answer {
        let body = Bytes::from(patch.to_string());
        self.ask(Method::PATCH, path, Some(("application/merge-patch+json", body))).await
    }

    pub(super) async fn create(&self, path: &str, object: &Value) -> Answer {
        let body = Bytes::from(object.to_string());
        self.ask(Method::POST, path, Some(("application/json", body))).await
    }

    pub(super) async fn delete(&self, path: &str, options: &Value) -> Answer {
        let body = Bytes::from(options.to_string());
        self.ask(Method::DELETE, path, Some(("application/json", body))).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<(&'static str, Bytes)>) -> Answer {
        let response = self.send(method, path, body).await.map_err(|error| unreachable_api(&error))?;
        let good = response.status().is_success();
        let body = response.bytes().await.map_err(|error| unreachable_api(&error))?;
        if good {
            return serde_json::from_slice(&body).map_err(|error| error.to_string());
        }
        Err(refusal(&body))
    }
}

fn unreachable_api(error: &reqwest::Error) -> String {
    format!("Unable to connect to the server: {error}")
}

/// The words that kubectl has for a refusal.
fn refusal(body: &[u8]) -> String {
    let status: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = status["message"].as_str().unwrap_or("unknown");
    match status["reason"].as_str() {
        Some(reason) if !reason.is_empty() => format!("Error from server ({reason}): {message}"),
        _ => format!("Error from server: {message}"),
    }
}
