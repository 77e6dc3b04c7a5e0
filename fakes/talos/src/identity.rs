//! What a machine shows of itself, and whom it lets in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, SanType,
};
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::caller::Role;
use crate::configuration::Configuration;

/// A machine cannot show what it should.
pub(crate) type IdentityError = Box<dyn std::error::Error + Send + Sync>;

/// How long a certificate of a machine is good.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// In maintenance mode: a certificate of nobody's, and everybody may come in.
pub(crate) fn of_maintenance(address: IpAddr) -> Result<Arc<ServerConfig>, IdentityError> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let certificate = parameters("maintenance-service.talos.dev", address, &[]).self_signed(&key)?;
    let chain = vec![certificate.der().clone()];
    finish(ServerConfig::builder_with_provider(Arc::new(ring::default_provider())), |it| {
        Ok(it.with_no_client_auth().with_single_cert(chain, private(&key)?)?)
    })
}

/// Configured: a certificate of its authority, and only those may come in to whom that has given one.
///
/// Its certificate is good from that moment on; since long ago where there is none.
pub(crate) fn of(
    configuration: &Configuration,
    address: IpAddr,
    from: Option<Timestamp>,
) -> Result<Arc<ServerConfig>, IdentityError> {
    let (authority, authority_key) =
        configuration.machine.ca.pem().ok_or("machine.ca is no certificate and key")?;
    let issuer = Issuer::from_ca_cert_pem(&authority, KeyPair::from_pem(&authority_key)?)?;
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let name = configuration.machine.network.hostname.as_deref().unwrap_or("talos");
    let mut wanted = parameters(name, address, &configuration.machine.names);
    if let Some(from) = from.map(SystemTime::from) {
        (wanted.not_before, wanted.not_after) = (from.into(), (from + LIFE).into());
    }
    let certificate = wanted.signed_by(&key, &issuer)?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
    let provider = Arc::new(ring::default_provider());
    let callers =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
    let chain = vec![certificate.der().clone()];
    finish(ServerConfig::builder_with_provider(provider), |it| {
        Ok(it.with_client_cert_verifier(callers).with_single_cert(chain, private(&key)?)?)
    })
}

type Builder<S> = rustls::ConfigBuilder<ServerConfig, S>;

fn finish(
    builder: Builder<rustls::WantsVersions>,
    rest: impl FnOnce(Builder<rustls::WantsVerifier>) -> Result<ServerConfig, IdentityError>,
) -> Result<Arc<ServerConfig>, IdentityError> {
    let mut config = rest(builder.with_protocol_versions(&[&rustls::version::TLS13])?)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

fn private(key: &KeyPair) -> Result<PrivateKeyDer<'static>, IdentityError> {
    Ok(PrivateKeyDer::try_from(key.serialize_der())?)
}

fn parameters(name: &str, address: IpAddr, others: &[String]) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.subject_alt_names =
        vec![SanType::IpAddress(address), SanType::IpAddress([127, 0, 0, 1].into())];
    let others = others.iter().filter_map(|it| it.parse().ok().map(SanType::IpAddress));
    parameters.subject_alt_names.extend(others);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters
}

/// What the certificates that a caller has shown permit.
pub(crate) fn role(shown: Option<&[CertificateDer<'_>]>) -> Role {
    let Some(certificate) = shown.and_then(<[_]>::first) else { return Role::Nobody };
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Role::Nobody };
    let organisations = certificate.subject().iter_organization();
    Role::of(organisations.filter_map(|it| it.as_str().ok()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_machine_in_maintenance_mode_has_something_to_show() {
        super::of_maintenance([127, 0, 0, 1].into()).unwrap();
    }
}
