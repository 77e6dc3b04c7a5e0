//! Certificates of a simulated cluster.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// Why a certificate could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// Making it failed.
    #[error("make a certificate for {subject}")]
    Make {
        /// For whom.
        subject: String,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// TLS refused it.
    #[error("set up TLS for {subject}")]
    Tls {
        /// For whom.
        subject: String,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// A certificate authority with an ECDSA P-256 key; clones are the same one.
#[derive(Clone)]
pub struct Authority {
    issuer: Arc<CertifiedIssuer<'static, KeyPair>>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// A server's certificate and key.
#[derive(Clone, Debug)]
pub struct ServerCert {
    /// The certificate, then the authority's.
    pub cert_pem: String,
    /// The private key (PKCS #8).
    pub key_pem: String,
}

impl Authority {
    /// A new authority with a common name.
    pub fn new(common_name: &str) -> Result<Self, PkiError> {
        let failed = |source| PkiError::Make { subject: common_name.to_owned(), source };
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(failed)?;
        Ok(Self { issuer: Arc::new(issuer) })
    }

    /// The authority's own certificate.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    fn certificate(&self, names: &[String]) -> Result<(rcgen::Certificate, KeyPair), PkiError> {
        let subject = names.first().cloned().unwrap_or_default();
        let failed = |source| PkiError::Make { subject: subject.clone(), source };
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, subject.as_str());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok((certificate, key))
    }

    /// A certificate for a server with these DNS names and addresses.
    pub fn server(&self, names: &[String]) -> Result<ServerCert, PkiError> {
        let (certificate, key) = self.certificate(names)?;
        Ok(ServerCert { cert_pem: certificate.pem() + &self.pem(), key_pem: key.serialize_pem() })
    }

    /// TLS of a server with these names, offering the protocols (ALPN) in this order.
    pub fn server_config(&self, names: &[String], protocols: &[&str]) -> Result<Arc<ServerConfig>, PkiError> {
        let (certificate, key) = self.certificate(names)?;
        let failed = |source| PkiError::Tls { subject: names.join(", "), source };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![certificate.der().clone(), self.issuer.der().clone()];
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(failed)?;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }

    /// TLS of a client that trusts this authority alone.
    pub fn client_config(&self) -> Result<Arc<ClientConfig>, PkiError> {
        let failed = |source| PkiError::Tls { subject: "a client".to_owned(), source };
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).map_err(failed)?;
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
