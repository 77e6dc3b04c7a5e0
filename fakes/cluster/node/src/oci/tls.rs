//! Whom to trust, and how Go complains.

use std::sync::Arc;
use std::time::Duration;

use field_clock::Clock;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, RootCertStore};

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The text is no certificate.
    #[error("cannot read a trusted certificate")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// The certificate cannot be a root.
    #[error("cannot trust a certificate")]
    Root(#[source] rustls::Error),
    /// The TLS library refuses.
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
}

/// Certificates are judged by field time.
#[derive(Debug)]
struct FieldTime(Clock);

impl TimeProvider for FieldTime {
    fn current_time(&self) -> Option<UnixTime> {
        u64::try_from(self.0.now().as_second())
            .ok()
            .map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// A client that trusts these authorities and nobody else.
pub(super) fn client_config(trust: &[String], clock: &Clock) -> Result<ClientConfig, TrustError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    for pem in trust {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.add(certificate.map_err(TrustError::Pem)?).map_err(TrustError::Root)?;
        }
    }
    let builder =
        ClientConfig::builder_with_details(Arc::clone(&provider), Arc::new(FieldTime(clock.clone())))
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Setup)?;
    if roots.is_empty() {
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| TrustError::Setup(rustls::Error::General(error.to_string())))?;
    Ok(builder.with_webpki_verifier(verifier).with_no_client_auth())
}

/// Go's words for a handshake that failed.
pub(super) fn handshake_text(error: &std::io::Error, host: &str) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let x509 = match error {
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
            let names: Vec<&str> = presented.iter().filter_map(|name| name.split('"').nth(1)).collect();
            format!("x509: certificate is valid for {}, not {host}", names.join(", "))
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidForName) => {
            format!("x509: certificate is not valid for any names, but wanted to match {host}")
        }
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => "x509: certificate has expired or is not yet valid".to_owned(),
        rustls::Error::InvalidCertificate(_) => "x509: certificate signed by unknown authority".to_owned(),
        rustls::Error::AlertReceived(alert) => return Some(format!("remote error: tls: {alert:?}")),
        _ => return Some("tls: first record does not look like a TLS handshake".to_owned()),
    };
    Some(format!("tls: failed to verify certificate: {x509}"))
}
