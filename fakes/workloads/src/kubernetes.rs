//! The Kubernetes API, as far as a job needs it to write down what it has done.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use crate::context::Context;
use crate::settings::SettingError;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("read {path}: {source}", path = .path.display())]
    Credentials { path: PathBuf, source: std::io::Error },
    #[error("the service account's ca.crt holds no certificate")]
    NoAuthority,
    #[error("connect to {0}: {1}")]
    Connect(String, std::io::Error),
    #[error("tls: {0}")]
    Tls(#[from] rustls::Error),
    #[error("http: {0}")]
    Http(#[from] hyper::Error),
    #[error("{0}")]
    Request(#[from] http::Error),
    #[error("{method} {path}: {status}: {message}")]
    Refused { method: Method, path: String, status: StatusCode, message: String },
}

impl ApiError {
    pub(crate) fn is(&self, wanted: StatusCode) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }
}

/// A service account's way to the API.
pub(crate) struct Api {
    host: String,
    port: u16,
    token: String,
    tls: TlsConnector,
}

impl Api {
    /// Reads what every container is given: `KUBERNETES_SERVICE_HOST`, `KUBERNETES_SERVICE_PORT`, and the service account's
    /// directory, which `SERVICE_ACCOUNT_DIR` may name.
    pub(crate) fn in_cluster(context: &Context) -> Result<Self, ApiError> {
        let token = credential(context, "token")?;
        let authority = credential(context, "ca.crt")?;
        let mut roots = RootCertStore::empty();
        let (added, _) =
            roots.add_parsable_certificates(CertificateDer::pem_slice_iter(authority.as_bytes()).flatten());
        if added == 0 {
            return Err(ApiError::NoAuthority);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            host: context.required("KUBERNETES_SERVICE_HOST")?,
            port: context.number("KUBERNETES_SERVICE_PORT", 443)?,
            token: token.trim().to_owned(),
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Sends one request and reads the object that it is answered with.
    pub(crate) async fn call(
        &self,
        context: &Context,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let address = format!("{}:{}", self.host, self.port);
        let failed = |error| ApiError::Connect(address.clone(), error);
        let stream = context.network.connect(&self.host, self.port).await.map_err(failed)?;
        let name =
            ServerName::try_from(self.host.clone()).map_err(|error| failed(std::io::Error::other(error)))?;
        let stream = self.tls.connect(name, stream).await.map_err(failed)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let _driver = AbortOnDropHandle::new(tokio::spawn(async move {
            // A broken connection is seen by the request.
            let _ = connection.await;
        }));
        let kind = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header(header::HOST, &address)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, kind)
            .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let message = answer["message"].as_str().unwrap_or_default().to_owned();
        Err(ApiError::Refused { method, path: path.to_owned(), status, message })
    }
}

/// A file of the service account: in the directory that the variable names on this machine, else in the mount.
fn credential(context: &Context, name: &str) -> Result<String, ApiError> {
    const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let mounted = context.mounts.resolve(&Path::new(MOUNT).join(name));
    let path = context.var("SERVICE_ACCOUNT_DIR").map(|directory| Path::new(directory).join(name));
    let path = path.filter(|path| path.exists()).or(mounted).unwrap_or_else(|| Path::new(MOUNT).join(name));
    fs::read_to_string(&path).map_err(|source| ApiError::Credentials { path, source })
}
