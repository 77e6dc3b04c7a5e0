//! How to reach a cluster's API, and as whom: what a kubeconfig says of it.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A kubeconfig cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// The file.
    #[error("read kubeconfig {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is not YAML.
    #[error("read a kubeconfig: {0}")]
    Yaml(String),
    /// Something is not in it.
    #[error(
        "read a kubeconfig: no {field} in its context; hint: certificates, keys and tokens stand in the file itself, as `kind get kubeconfig` writes it"
    )]
    Missing {
        /// What.
        field: &'static str,
    },
    /// Something in it is not base64.
    #[error("read a kubeconfig: {field} is not base64")]
    Encoding {
        /// What.
        field: &'static str,
        /// Why not.
        #[source]
        source: base64::DecodeError,
    },
}

/// Where an API is, and who its client is.
pub(crate) struct Kubeconfig {
    /// `https://` and a host with its port.
    pub(super) server: String,
    /// The authorities that may have certified the API, as PEM.
    pub(super) authorities: Vec<u8>,
    pub(super) credentials: Credentials,
}

/// By what the API knows its client.
pub(super) enum Credentials {
    /// A word in each request.
    Token(String),
    /// A certificate with its key, as PEM.
    Certificate { certificate: Vec<u8>, key: Vec<u8> },
}

impl Kubeconfig {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, KubeconfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| KubeconfigError::File { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Takes cluster and user of its current context; the first ones where it names none.
    pub(crate) fn parse(text: &str) -> Result<Self, KubeconfigError> {
        let config: Value =
            serde_saphyr::from_str(text).map_err(|error| KubeconfigError::Yaml(error.to_string()))?;
        let context = &entry(&config["contexts"], &config["current-context"])["context"];
        let cluster = &entry(&config["clusters"], &context["cluster"])["cluster"];
        let user = &entry(&config["users"], &context["user"])["user"];
        let server = cluster["server"].as_str().ok_or(KubeconfigError::Missing { field: "server" })?;
        let credentials = match user["token"].as_str() {
            Some(token) => Credentials::Token(token.to_owned()),
            None => Credentials::Certificate {
                certificate: decoded(user, "client-certificate-data")?,
                key: decoded(user, "client-key-data")?,
            },
        };
        Ok(Self {
            server: server.trim_end_matches('/').to_owned(),
            authorities: decoded(cluster, "certificate-authority-data")?,
            credentials,
        })
    }

    /// What an administrator keeps to himself.
    pub(super) fn secret(&self) -> String {
        match &self.credentials {
            Credentials::Token(token) => token.clone(),
            Credentials::Certificate { key, .. } => String::from_utf8_lossy(key).into_owned(),
        }
    }
}

/// The entry of this name, or the first one.
fn entry<'v>(list: &'v Value, name: &Value) -> &'v Value {
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let named = entries.iter().find(|entry| entry["name"].is_string() && entry["name"] == *name);
    named.or(entries.first()).unwrap_or(&Value::Null)
}

fn decoded(value: &Value, field: &'static str) -> Result<Vec<u8>, KubeconfigError> {
    let text = value[field].as_str().ok_or(KubeconfigError::Missing { field })?;
    STANDARD.decode(text).map_err(|source| KubeconfigError::Encoding { field, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `kind get kubeconfig` writes it, with another cluster before it.
    fn of_two_clusters(user: &str) -> String {
        let data = |text: &str| STANDARD.encode(text);
        format!(
            "current-context: kind-b\ncontexts:\n- {{ name: a, context: {{ cluster: a, user: a }} }}\n\
             - {{ name: kind-b, context: {{ cluster: kind-b, user: kind-b }} }}\nclusters:\n\
             - {{ name: a, cluster: {{ server: 'https://a:1', certificate-authority-data: {} }} }}\n\
             - {{ name: kind-b, cluster: {{ server: 'https://127.0.0.1:34567', certificate-authority-data: {} }} }}\n\
             users:\n- {{ name: a, user: {{ token: of-a }} }}\n- {{ name: kind-b, user: {user} }}\n",
            data("authority a"),
            data("authority b"),
        )
    }

    #[test]
    fn the_current_context_says_which_cluster_and_whose_certificate() {
        let (certificate, key) = (STANDARD.encode("certificate"), STANDARD.encode("key"));
        let user = format!("{{ client-certificate-data: {certificate}, client-key-data: {key} }}");
        let read = Kubeconfig::parse(&of_two_clusters(&user)).unwrap();
        assert_eq!(
            (read.server.as_str(), read.authorities.as_slice()),
            ("https://127.0.0.1:34567", &b"authority b"[..])
        );
        let Credentials::Certificate { certificate, key } = &read.credentials else {
            panic!("a certificate")
        };
        assert_eq!((certificate.as_slice(), key.as_slice()), (&b"certificate"[..], &b"key"[..]));
        assert_eq!(read.secret(), "key");
    }

    #[test]
    fn a_token_needs_no_certificate() {
        let read = Kubeconfig::parse(&of_two_clusters("{ token: of-b }")).unwrap();
        assert!(matches!(&read.credentials, Credentials::Token(token) if token == "of-b"));
    }

    #[test]
    fn what_is_missing_is_named_with_a_hint() {
        let error = |user: &str| Kubeconfig::parse(&of_two_clusters(user)).err().unwrap().to_string();
        let lacking = error("{ client-certificate: /etc/admin.pem }");
        assert!(lacking.contains("no client-certificate-data") && lacking.contains("hint:"), "{lacking}");
        let bad = error("{ client-certificate-data: '%', client-key-data: '%' }");
        assert!(bad.contains("client-certificate-data is not base64"), "{bad}");
    }
}
