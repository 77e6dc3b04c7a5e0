//! The way from the operator's desk to the registries: a proxy, as many sites have one.
//!
//! The operator's command runs on this machine, whose own resolver knows nothing of the simulated world and whose network, if
//! there is one, is nobody's business. It is given this proxy, which knows the simulated registries and nothing else.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// A request that is longer is no request of a client that means well.
const LONGEST_REQUEST: u64 = 16 * 1024;

/// The file of certificates in a directory of trust.
const REGISTRIES: &str = "registries.pem";
/// Addresses of this machine alone, which nobody reaches by a proxy.
pub(in crate::world) const LOOPBACK: &str = "127.0.0.0/8";

/// A directory that holds what clients of the registries have to trust.
pub(in crate::world) fn write_trust(directory: &Path, certificates: &str) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join(REGISTRIES), certificates)
}

/// A proxy that speaks `CONNECT`.
pub(in crate::world) struct Gateway {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Gateway {
    /// Leads from `listen` to the registry, for each of its names. The registry sees clients at the address of `listen`.
    pub(in crate::world) async fn start(
        listen: SocketAddr,
        hosts: &[&str],
        registry: SocketAddr,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let hosts: Arc<[String]> = hosts.iter().map(|host| format!("{host}:443")).collect();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let hosts = Arc::clone(&hosts);
                // A client that hangs up has no answer to miss.
                tokio::spawn(async move { drop(lead(client, &hosts, address.ip(), registry).await) });
            }
        });
        Ok(Self { address, accepting })
    }

    /// Where the registry sees those who come this way.
    pub(in crate::world) fn address(&self) -> IpAddr {
        self.address.ip()
    }

    /// What a client's `ALL_PROXY` is set to.
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a machine on this site is told of its network: variables that HTTP clients know. `trust` is a directory with the
    /// certificates of the registries, `direct` whom it reaches without this proxy.
    pub(in crate::world) fn environment(&self, trust: &Path, direct: &str) -> [(&'static str, OsString); 4] {
        [
            ("ALL_PROXY", self.url().into()),
            ("NO_PROXY", direct.into()),
            ("SSL_CERT_FILE", trust.join(REGISTRIES).into()),
            // Whom this machine trusts is no matter of the world's.
            ("SSL_CERT_DIR", trust.into()),
        ]
    }

    /// Accepts nobody any more.
    pub(in crate::world) fn stop(self) {
        self.accepting.abort();
    }
}

async fn lead(client: TcpStream, hosts: &[String], from: IpAddr, registry: SocketAddr) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let wanted = wanted(&mut client).await?;
    if !wanted.is_some_and(|host| hosts.contains(&host)) {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
    }
    let Ok(mut registry) = connect(from, registry).await else {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
    };
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut registry).await?;
    Ok(())
}

async fn connect(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

/// `ghcr.io:443` of `CONNECT ghcr.io:443 HTTP/1.1`; the rest of the head is read over.
async fn wanted(client: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut head = client.take(LONGEST_REQUEST);
    let mut first = String::new();
    head.read_line(&mut first).await?;
    let mut line = String::new();
    while head.read_line(&mut line).await? > 0 && !line.trim().is_empty() {
        line.clear();
    }
    let mut words = first.split_whitespace();
    Ok(words.next().filter(|method| *method == "CONNECT").and_then(|_| words.next()).map(str::to_owned))
}
