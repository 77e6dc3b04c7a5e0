//! What the receipts say against what somebody in between counts, who knows nothing of the fakes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fake_network::{DnsEffect, DnsFault, Effect, RegistryFault, Transport, Zone};
use hickory_proto::rr::RecordType;
use reqwest::Method;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::setup::{HOSTS, World, client, dns, ip, over_tcp, over_udp, question, url};

/// Counts the datagrams from clients.
async fn udp_proxy(server: SocketAddr, count: Arc<AtomicUsize>) -> SocketAddr {
    let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = front.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, client)) = front.recv_from(&mut buffer).await {
            count.fetch_add(1, Ordering::SeqCst);
            let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            back.connect(server).await.unwrap();
            back.send(&buffer[..length]).await.unwrap();
            let front = Arc::clone(&front);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                if let Ok(length) = back.recv(&mut buffer).await {
                    front.send_to(&buffer[..length], client).await.unwrap();
                }
            });
        }
    });
    address
}

/// Copies one way and counts what `seen` makes of all the bytes so far.
async fn copy_counting(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    count: Arc<AtomicUsize>,
    seen: fn(&[u8]) -> usize,
) {
    let mut all = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let mut counted = 0;
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        all.extend_from_slice(&buffer[..length]);
        let now = seen(&all);
        count.fetch_add(now - counted, Ordering::SeqCst);
        counted = now;
        if to.write_all(&buffer[..length]).await.is_err() || to.flush().await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

fn framed_messages(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let [high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(after) = rest.get(length..) else { break };
        count += 1;
        bytes = after;
    }
    count
}

fn http_requests(bytes: &[u8]) -> usize {
    bytes.windows(11).filter(|window| window == b" HTTP/1.1\r\n").count()
}

async fn tcp_proxy(server: SocketAddr, count: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((front, _)) = listener.accept().await {
            let back = TcpStream::connect(server).await.unwrap();
            let ((front_in, front_out), (back_in, back_out)) = (front.into_split(), back.into_split());
            tokio::spawn(copy_counting(front_in, back_out, Arc::clone(&count), framed_messages));
            tokio::spawn(copy_counting(back_in, front_out, Arc::default(), |_| 0));
        }
    });
    address
}

/// Ends the client's TLS, reads along, and goes on over TLS of its own.
async fn tls_proxy(world: &World, count: Arc<AtomicUsize>) -> SocketAddr {
    let identity = world.authority.server(&HOSTS).unwrap();
    let chain =
        CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
    let accepting =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(world.authority.pem().as_bytes()).unwrap()).unwrap();
    let connecting = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let (accepting, connecting) =
        (TlsAcceptor::from(Arc::new(accepting)), TlsConnector::from(Arc::new(connecting)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, server) = (listener.local_addr().unwrap(), world.registry.address());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let front = accepting.accept(stream).await.unwrap();
            let name = front.get_ref().1.server_name().unwrap().to_owned();
            let back = TcpStream::connect(server).await.unwrap();
            let back = connecting.connect(ServerName::try_from(name).unwrap(), back).await.unwrap();
            let ((front_in, front_out), (back_in, back_out)) = (split(front), split(back));
            tokio::spawn(copy_counting(front_in, back_out, Arc::clone(&count), http_requests));
            tokio::spawn(copy_counting(back_in, front_out, Arc::default(), |_| 0));
        }
    });
    address
}

#[tokio::test]
async fn dns_receipts_are_the_questions_that_a_proxy_counts() {
    let server = dns("127.0.0.1:0", Zone::new().with("ghcr.io", [ip("127.9.0.1")])).await;
    let (datagrams, messages) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let udp = udp_proxy(server.address(), Arc::clone(&datagrams)).await;
    let tcp = tcp_proxy(server.address(), Arc::clone(&messages)).await;
    let control = server.control();
    let questions = [RecordType::A, RecordType::AAAA].map(|kind| question(1, "ghcr.io.", kind));
    for effect in [None, Some(DnsEffect::ServFail), Some(DnsEffect::NxDomain)] {
        let fault = match effect {
            Some(effect) => Some(control.inject(DnsFault::all(effect)).await),
            None => None,
        };
        for question in &questions {
            over_udp(udp, question).await.unwrap();
            over_udp(udp, question).await.unwrap();
            over_tcp(tcp, question).await.unwrap();
        }
        if let Some(fault) = fault {
            control.heal(fault).await.unwrap();
        }
    }
    let fault = control.inject(DnsFault::ClosedPort).await;
    control.heal(fault).await.unwrap();
    let receipts = control.receipts();
    let by = |transport| receipts.iter().filter(|receipt| receipt.transport == transport).count();
    assert_eq!(by(Transport::Udp), datagrams.load(Ordering::SeqCst));
    assert_eq!(by(Transport::Tcp), messages.load(Ordering::SeqCst));
    assert_eq!(receipts.len(), 18);
}

#[tokio::test]
async fn registry_receipts_are_the_requests_that_a_proxy_counts() {
    let world = World::start().await;
    world.push_app("1", 50_000);
    let count = Arc::new(AtomicUsize::new(0));
    let proxy = tls_proxy(&world, Arc::clone(&count)).await;
    let client = client(&world.authority, proxy);
    let ask =
        async |method: Method, path: &str| client.request(method, url(path, proxy)).send().await.unwrap();
    let manifest = "ghcr.io/v2/org/app/manifests/1";
    let json: serde_json::Value = ask(Method::GET, manifest).await.json().await.unwrap();
    let blob = format!("ghcr.io/v2/org/app/blobs/{}", json["layers"][0]["digest"].as_str().unwrap());
    for effect in [
        Effect::MissingTag,
        Effect::Cut { after: 10_000 },
        Effect::Unauthorized,
        Effect::RateLimited { retry_after: 1 },
        Effect::Error { status: 502 },
        Effect::BadDigest,
    ] {
        let fault = world.control.inject(RegistryFault::on("ghcr.io/org/app:1", effect)).await;
        ask(Method::HEAD, manifest).await;
        ask(Method::GET, "quay.io/v2/").await;
        // Broken off or not.
        let _ = ask(Method::GET, &blob).await.bytes().await;
        world.control.heal(fault).await.unwrap();
    }
    let upload = "ghcr.io/v2/org/app/blobs/uploads/";
    client.post(url(upload, proxy)).body("whole").send().await.unwrap();
    assert_eq!(world.control.receipts().len(), count.load(Ordering::SeqCst));
    assert_eq!(world.control.receipts().len(), 20);
}
