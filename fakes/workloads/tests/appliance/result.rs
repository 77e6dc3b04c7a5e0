use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::world::{World, in_world};

type Seen = Arc<Mutex<Vec<(String, Value)>>>;

/// An API that answers each request by its first line, over TLS, to one token.
async fn api(world: &World, answers: &'static [(&'static str, u16, &'static str)]) -> (Seen, u16) {
    let certified = rcgen::generate_simple_self_signed(vec![world.ip.to_string()]).unwrap();
    let account = world.volume.join("account");
    std::fs::create_dir_all(&account).unwrap();
    std::fs::write(account.join("ca.crt"), certified.cert.pem()).unwrap();
    std::fs::write(account.join("token"), "the-token\n").unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config =
        config.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((world.ip, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let recorded = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
            let (head, body) = request(&mut stream).await;
            let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
            let token = head.to_lowercase().contains("authorization: bearer the-token\r\n");
            let (status, answer) = match answers.iter().find(|(known, ..)| *known == line) {
                Some((_, status, answer)) if token => (*status, *answer),
                _ => (403, r#"{"message":"forbidden"}"#),
            };
            recorded.lock().unwrap().push((line, serde_json::from_slice(&body).unwrap_or_default()));
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        }
    });
    (seen, port)
}

async fn request(stream: &mut (impl AsyncReadExt + Unpin)) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        stream.read_buf(&mut bytes).await.unwrap();
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end + 2]).into_owned();
        let length = head
            .to_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if bytes.len() >= end + 4 + length.unwrap_or(0) {
            return (head, bytes[end + 4..].to_vec());
        }
    }
}

const CLAIM: &str = "GET /api/v1/namespaces/msp/persistentvolumeclaims/alga-core-sebastian-postgres-data";
const CREATE: &str = "POST /api/v1/namespaces/msp/configmaps";
const PATCH: &str = "PATCH /api/v1/namespaces/msp/configmaps/appliance-bootstrap-result";

#[test]
fn the_result_is_bound_to_the_volume_by_its_uid() {
    in_world(|world| async move {
        let _db = world.database().await;
        let (seen, port) = api(
            &world,
            &[(CLAIM, 200, r#"{"metadata":{"uid":"5a3e"}}"#), (CREATE, 409, "{}"), (PATCH, 200, "{}")],
        )
        .await;
        let (ip, port) = (world.ip.to_string(), port.to_string());
        let account = world.volume.join("account").display().to_string();
        let env = [
            ("SERVICE_ACCOUNT_DIR", account.as_str()),
            ("KUBERNETES_SERVICE_HOST", &ip),
            ("KUBERNETES_SERVICE_PORT", &port),
            ("RELEASE_REVISION", "3"),
        ];
        let (code, log) = world.start("/bin/bootstrap", &[], &env).end().await;
        assert_eq!((code, log.last().unwrap().as_str()), (0, "Appliance setup completed"), "{log:#?}");
        assert!(!log.iter().any(|line| line.starts_with("WARNING")), "{log:#?}");
        let seen = seen.lock().unwrap();
        let lines: Vec<&str> = seen.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(lines, [CLAIM, CREATE, PATCH]);
        let (created, patched) = (&seen[1].1, &seen[2].1);
        assert_eq!(created["data"]["usersCount"], "1");
        assert_eq!(created["data"]["revision"], "3");
        assert_eq!(created["data"]["mode"], "fresh");
        assert_eq!(created["data"]["pvcUid"], "5a3e");
        assert_eq!(created["metadata"]["ownerReferences"][0]["uid"], "5a3e");
        assert_eq!(patched["data"], created["data"]);
        assert_eq!(patched["metadata"], json!({"ownerReferences": created["metadata"]["ownerReferences"]}));
    });
}

#[test]
fn a_result_that_cannot_be_written_is_a_warning() {
    in_world(|world| async move {
        let _db = world.database().await;
        let (_, port) = api(&world, &[]).await;
        let (ip, port) = (world.ip.to_string(), port.to_string());
        let account = world.volume.join("account").display().to_string();
        let env = [
            ("SERVICE_ACCOUNT_DIR", account.as_str()),
            ("KUBERNETES_SERVICE_HOST", &ip),
            ("KUBERNETES_SERVICE_PORT", &port),
        ];
        let (code, log) = world.start("/bin/bootstrap", &[], &env).end().await;
        assert_eq!(code, 0);
        assert!(
            log.iter().any(|line| line.starts_with("WARNING: could not record the bootstrap result: GET ")),
            "{log:#?}"
        );
    });
}
