//! Certificates for servers that pose as others.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};
use thiserror::Error;

/// A certificate could not be made.
#[derive(Debug, Error)]
#[error("make a certificate for {subject}")]
pub struct AuthorityError {
    /// For whom.
    subject: String,
    #[source]
    source: rcgen::Error,
}

/// What a TLS server shows and signs with.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The server's certificate, then its issuers, in PEM.
    pub chain_pem: String,
    /// The server's private key in PEM.
    pub key_pem: String,
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}

/// A certificate authority that exists in this process only.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a new one with this common name.
    ///
    /// # Errors
    /// No key or no certificate could be made.
    pub fn new(common_name: &str) -> Result<Self, AuthorityError> {
        let failed = |source| AuthorityError { subject: common_name.to_owned(), source };
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name = named(common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(failed)?;
        Ok(Self { issuer })
    }

    /// The certificate that clients have to trust, in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server's certificate for these names and IP addresses; `*.example` covers one level of names.
    ///
    /// # Errors
    /// A name is none, or no key or certificate could be made.
    pub fn server(&self, names: &[&str]) -> Result<TlsIdentity, AuthorityError> {
        let subject = names.first().copied().unwrap_or("server");
        let failed = |source| AuthorityError { subject: subject.to_owned(), source };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name = named(subject);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(TlsIdentity {
            chain_pem: format!("{}{}", certificate.pem(), self.pem()),
            key_pem: key.serialize_pem(),
        })
    }
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
