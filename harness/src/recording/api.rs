//! The API of a cluster, as kubectl asks it.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Identity, Method, Response, StatusCode};
use serde_json::Value;

use super::kubeconfig::{Credentials, Kubeconfig, KubeconfigError};

/// How long a connection is silent before it is asked whether it is still there: a node that went away says no word.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// No connection to an API.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The kubeconfig cannot be used.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// The client could not be made.
    #[error("make a client of the cluster")]
    Client(#[from] reqwest::Error),
}

/// A connection to an API with the rights of a kubeconfig. Clones are the same.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
    token: Option<String>,
}

/// What the API answered: the object, or its refusal in kubectl's words.
pub(crate) type Answer = Result<Value, String>;

impl Api {
    pub(crate) fn of(kubeconfig: &Kubeconfig) -> Result<Self, ApiError> {
        // Whoever came first chose the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only(Certificate::from_pem_bundle(&kubeconfig.authorities)?)
            .tcp_keepalive(KEEPALIVE)
            // Each watch has a connection of its own, as each kubectl has.
            .pool_max_idle_per_host(0)
            .pool_idle_timeout(Duration::ZERO);
        let (client, token) = match &kubeconfig.credentials {
            Credentials::Token(token) => (client, Some(token.clone())),
            Credentials::Certificate { certificate, key } => {
                let identity = Identity::from_pem(&[certificate.as_slice(), b"\n", key].concat())?;
                (client.identity(identity), None)
            }
        };
        Ok(Self { client: client.build()?, base: kubeconfig.server.clone(), token })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Bytes)>,
    ) -> reqwest::Result<Response> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some((kind, body)) = body {
            request = request.header(CONTENT_TYPE, kind).body(body);
        }
        request.send().await
    }

    /// A stream of lines, or the refusal.
    pub(crate) async fn watch(&self, path: &str) -> Result<Response, String> {
        let response = self.send(Method::GET, path, None).await.map_err(|error| unreachable_api(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        Err(refusal(status, &response.bytes().await.unwrap_or_default()))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// Text, such as a log.
    pub(crate) async fn text(&self, path: &str) -> Result<String, String> {
        let response = self.watch(path).await?;
        response.text().await.map_err(|error| unreachable_api(&error))
    }

    /// What is there becomes what is given; made when it is not there.
    pub(crate) async fn apply(&self, path: &str, object: &Value) -> Answer {
        let path = format!("{path}?fieldManager=kubectl&force=true&fieldValidation=Strict");
        let body = Bytes::from(object.to_string());
        self.ask(Method::PATCH, &path, Some(("application/apply-patch+yaml", body))).await
    }

    pub(crate) async fn merge(&self, path: &str, patch: &Value) -> Answer {
        let body = Bytes::from(patch.to_string());
        self.ask(Method::PATCH, path, Some(("application/merge-patch+json", body))).await
    }

    pub(crate) async fn create(&self, path: &str, object: &Value) -> Answer {
        let body = Bytes::from(object.to_string());
        self.ask(Method::POST, path, Some(("application/json", body))).await
    }

    pub(crate) async fn delete(&self, path: &str, options: &Value) -> Answer {
        let body = Bytes::from(options.to_string());
        self.ask(Method::DELETE, path, Some(("application/json", body))).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<(&'static str, Bytes)>) -> Answer {
        let response = self.send(method, path, body).await.map_err(|error| unreachable_api(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| unreachable_api(&error))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| error.to_string());
        }
        Err(refusal(status, &body))
    }
}

fn unreachable_api(error: &reqwest::Error) -> String {
    format!("Unable to connect to the server: {error}")
}

/// How kubectl's words begin for what is not there.
const NOT_FOUND: &str = "Error from server (NotFound)";

/// Whether the API does not know what it was asked for.
pub(super) fn is_not_found(refusal: &str) -> bool {
    refusal.starts_with(NOT_FOUND)
}

/// The words that kubectl has for a refusal. An API says in plain text that it does not know a group.
fn refusal(code: StatusCode, body: &[u8]) -> String {
    let status: Value = serde_json::from_slice(body).unwrap_or_default();
    if code == StatusCode::NOT_FOUND && status["reason"].is_null() {
        return format!("{NOT_FOUND}: the server could not find the requested resource");
    }
    let message = status["message"].as_str().unwrap_or("unknown");
    match status["reason"].as_str() {
        Some(reason) if !reason.is_empty() => format!("Error from server ({reason}): {message}"),
        _ => format!("Error from server: {message}"),
    }
}
