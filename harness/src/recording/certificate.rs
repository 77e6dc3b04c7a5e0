//! An API that knows its clients by their certificates, as that of a kind cluster does.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::api::Api;
use super::kubeconfig::Kubeconfig;

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn certify(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap(), key)
    }

    /// Answers one request of whoever shows a certificate of this authority.
    fn serve(&self) -> (SocketAddr, JoinHandle<std::io::Result<()>>) {
        let mut clients = RootCertStore::empty();
        clients.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(clients), Arc::clone(&provider));
        let (certificate, key) = self.certify("127.0.0.1");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = std::thread::spawn(move || {
            let (socket, _) = listener.accept()?;
            let tls = ServerConnection::new(Arc::new(config)).map_err(std::io::Error::other)?;
            let mut stream = StreamOwned::new(tls, socket);
            let mut asked = Vec::new();
            while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut part = [0; 1024];
                let count = stream.read(&mut part)?;
                asked.extend_from_slice(&part[..count]);
            }
            let body = json!({"kind": "PodList", "items": []}).to_string();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes())?;
            stream.flush()
        });
        (address, serving)
    }

    /// As kind writes it, with a certificate that `issuer` has given.
    fn kubeconfig(&self, address: SocketAddr, issuer: &Self) -> Kubeconfig {
        let (certificate, key) = issuer.certify("kubernetes-admin");
        let text = json!({
            "clusters": [{ "name": "kind", "cluster": {
                "server": format!("https://{address}"), "certificate-authority-data": STANDARD.encode(self.0.pem()),
            }}],
            "users": [{ "name": "kind", "user": {
                "client-certificate-data": STANDARD.encode(certificate.pem()),
                "client-key-data": STANDARD.encode(key.serialize_pem()),
            }}],
            "contexts": [{ "name": "kind", "context": { "cluster": "kind", "user": "kind" } }],
            "current-context": "kind",
        });
        Kubeconfig::parse(&text.to_string()).unwrap()
    }
}

#[tokio::test]
async fn an_api_is_asked_with_the_certificate_of_the_kubeconfig() {
    let authority = Authority::new();
    let (address, serving) = authority.serve();
    let api = Api::of(&authority.kubeconfig(address, &authority)).unwrap();
    assert_eq!(api.get("/api/v1/pods").await.unwrap()["kind"], "PodList");
    serving.join().unwrap().unwrap();
}

#[tokio::test]
async fn an_api_lets_nobody_in_with_a_certificate_of_somebody_else() {
    let authority = Authority::new();
    let (address, serving) = authority.serve();
    let api = Api::of(&authority.kubeconfig(address, &Authority::new())).unwrap();
    let refused = api.get("/api/v1/pods").await.unwrap_err();
    assert!(refused.starts_with("Unable to connect to the server"), "{refused}");
    assert!(serving.join().unwrap().is_err(), "the API saw a stranger");
}
