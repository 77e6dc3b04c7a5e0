//! A DNS server and a registry to ask, and clients that ask.

use std::io;
use std::net::{IpAddr, SocketAddr};

use fake_network::{
    Authority, DnsConfig, DnsServer, ImageSpec, Registry, RegistryConfig, RegistryControl, Zone,
};
use field_clock::Clock;
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use reqwest::{Method, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

pub(crate) const HOSTS: [&str; 5] =
    ["ghcr.io", "registry-1.docker.io", "registry.k8s.io", "quay.io", "127.77.4.1"];

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) async fn dns(listen: &str, zone: Zone) -> DnsServer {
    DnsServer::start(DnsConfig { clock: Clock::wall(), listen: listen.parse().unwrap(), zone }).await.unwrap()
}

pub(crate) fn question(id: u16, name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

pub(crate) async fn over_udp(server: SocketAddr, question: &[u8]) -> io::Result<Message> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).await?;
    Message::from_vec(&buffer[..length]).map_err(io::Error::other)
}

pub(crate) async fn over_tcp(server: SocketAddr, question: &[u8]) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_u16(question.len().try_into().unwrap()).await?;
    stream.write_all(question).await?;
    let mut answer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut answer).await?;
    Message::from_vec(&answer).map_err(io::Error::other)
}

pub(crate) async fn ask(server: SocketAddr, name: &str) -> Message {
    over_udp(server, &question(7, name, RecordType::A)).await.unwrap()
}

pub(crate) fn addresses(message: &Message) -> Vec<IpAddr> {
    let address = |data: &RData| match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    };
    message.answers.iter().filter_map(|record| address(&record.data)).collect()
}

/// A registry that plays all of [`HOSTS`], and a client that trusts it.
pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) control: RegistryControl,
    pub(crate) authority: Authority,
    pub(crate) client: reqwest::Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::at(Clock::wall()).await
    }

    pub(crate) async fn at(clock: Clock) -> Self {
        let authority = Authority::new("Test authority").unwrap();
        let tls = authority.server(&HOSTS).unwrap();
        // No client's own port is at this address, so a port that is given back stays free.
        let listen = "127.77.4.1:0".parse().unwrap();
        let registry = Registry::start(RegistryConfig { clock, listen, tls: Some(tls) }).await.unwrap();
        let control = registry.control();
        let client = client(&authority, registry.address());
        Self { registry, control, authority, client }
    }

    /// Asks `https://ghcr.io:PORT/v2/…` and the like; `path` begins with the host.
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn head(&self, path: &str) -> Response {
        self.request(Method::HEAD, path).send().await.unwrap()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, url(path, self.registry.address()))
    }

    /// Puts an image with one layer of some size into `ghcr.io/org/app`.
    pub(crate) fn push_app(&self, tag: &str, extra_bytes: usize) -> String {
        let spec = ImageSpec { extra_bytes, ..ImageSpec::program(["/bin/app"]) };
        self.control.push_image("ghcr.io/org/app", tag, &spec).unwrap().to_string()
    }

    /// The path of the only layer of `ghcr.io/org/app`, and its length.
    pub(crate) async fn app_layer(&self, tag: &str) -> (String, u64) {
        let response = self.get(&format!("ghcr.io/v2/org/app/manifests/{tag}")).await;
        let manifest: serde_json::Value = response.json().await.unwrap();
        let layer = &manifest["layers"][0];
        let digest = layer["digest"].as_str().unwrap();
        (format!("ghcr.io/v2/org/app/blobs/{digest}"), layer["size"].as_u64().unwrap())
    }
}

pub(crate) fn url(path: &str, server: SocketAddr) -> String {
    let (host, rest) = path.split_once('/').unwrap();
    format!("https://{host}:{}/{rest}", server.port())
}

pub(crate) fn client(authority: &Authority, server: SocketAddr) -> reqwest::Client {
    // Another test of the process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let builder = reqwest::Client::builder().tls_certs_only([root]).no_proxy();
    HOSTS.iter().fold(builder, |builder, host| builder.resolve(host, server)).build().unwrap()
}
