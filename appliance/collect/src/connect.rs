//! The way to the API, as a pod finds it.

use std::path::PathBuf;

use kube::{Client, Config};

/// Where a pod finds the API and its own identity.
#[derive(Clone, Debug)]
pub struct InCluster {
    /// `KUBERNETES_SERVICE_HOST`.
    pub host: String,
    /// `KUBERNETES_SERVICE_PORT`.
    pub port: u16,
    /// Directory with `token`, `ca.crt` and `namespace`.
    pub service_account: PathBuf,
}

/// Why there is no way to the API.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Host and port are no address.
    #[error("read the API's address {address}")]
    Address {
        /// What was given.
        address: String,
        /// Why.
        #[source]
        source: http::uri::InvalidUri,
    },
    /// Token or certificate cannot be used.
    #[error("prepare a client from the service account in {directory}")]
    Client {
        /// Directory of the service account.
        directory: PathBuf,
        /// Why.
        #[source]
        source: kube::Error,
    },
}

/// A client with the pod's own identity.
///
/// # Errors
/// When the address is none, or the service account's files cannot be read.
pub fn client(access: &InCluster) -> Result<Client, ConnectError> {
    let host = if access.host.contains(':') { format!("[{}]", access.host) } else { access.host.clone() };
    let address = format!("https://{host}:{}", access.port);
    let url = address.parse().map_err(|source| ConnectError::Address { address, source })?;
    let mut config = Config::new(url);
    config.default_retry = false;
    // The file decides whom to trust; without this the machine's own store would be read first, for nobody.
    config.root_cert = Some(Vec::new());
    config.root_cert_file = Some(access.service_account.join("ca.crt"));
    config.auth_info.token_file = Some(access.service_account.join("token").to_string_lossy().into_owned());
    Client::try_from(config)
        .map_err(|source| ConnectError::Client { directory: access.service_account.clone(), source })
}
