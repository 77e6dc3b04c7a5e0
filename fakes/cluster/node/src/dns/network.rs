//! The network as a pod, or the node itself, sees it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use field_clock::Clock;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use super::error::{DialError, DnsError};
use super::lookup::{ResolvConf, lookup};
use crate::wire::{Resolvers, Wire};

/// How long Go's default transport waits for a connection.
const DIAL_WITHIN: Duration = Duration::from_secs(30);

/// Whom to ask for names.
#[derive(Clone, Debug)]
enum Names {
    /// The servers of the node's own `resolv.conf`.
    Node(Resolvers),
    /// The cluster's DNS service.
    Cluster { server: SocketAddr, search: Vec<String> },
}

#[derive(Debug)]
struct Inner {
    clock: Clock,
    wire: Wire,
    from: IpAddr,
    names: Names,
}

/// Names and connections as a process in a pod has them. Clones are cheap.
#[derive(Clone, Debug)]
pub struct PodNetwork {
    inner: Arc<Inner>,
}

impl PodNetwork {
    /// The network of the node itself, and of pods with `dnsPolicy: Default`.
    pub fn of_node(clock: Clock, wire: Wire, from: IpAddr, resolvers: Resolvers) -> Self {
        Self { inner: Arc::new(Inner { clock, wire, from, names: Names::Node(resolvers) }) }
    }

    /// The network of a pod that asks the cluster's DNS at `server`.
    pub fn of_pod(clock: Clock, wire: Wire, from: IpAddr, server: SocketAddr, namespace: &str) -> Self {
        let search = vec![
            format!("{namespace}.svc.cluster.local"),
            "svc.cluster.local".into(),
            "cluster.local".into(),
        ];
        Self { inner: Arc::new(Inner { clock, wire, from, names: Names::Cluster { server, search } }) }
    }

    /// The address that connections come from.
    pub fn address(&self) -> IpAddr {
        self.inner.from
    }

    /// The name servers that a process finds in its `resolv.conf`.
    pub fn servers(&self) -> Vec<SocketAddr> {
        match &self.inner.names {
            Names::Node(resolvers) => resolvers.get(),
            Names::Cluster { server, .. } => vec![*server],
        }
    }

    /// The domains in which a process looks for short names.
    pub fn search(&self) -> Vec<String> {
        match &self.inner.names {
            Names::Node(_) => Vec::new(),
            Names::Cluster { search, .. } => search.clone(),
        }
    }

    /// A socket for questions to a name server.
    ///
    /// # Errors
    /// The system's.
    pub async fn datagrams(&self, server: SocketAddr) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind(SocketAddr::new(self.inner.from, 0)).await?;
        socket.connect(self.inner.wire.actual(server)).await?;
        Ok(socket)
    }

    /// Connects to an address: what the system says.
    ///
    /// # Errors
    /// The system's.
    pub async fn connect_to(&self, address: SocketAddr) -> io::Result<TcpStream> {
        connect_from(self.inner.from, self.inner.wire.actual(address)).await
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The addresses of a name.
    ///
    /// # Errors
    /// A [`DnsError`] in Go's words.
    pub async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let (search, ndots) = match &self.inner.names {
            Names::Node(_) => (Vec::new(), 1),
            Names::Cluster { search, .. } => (search.clone(), 5),
        };
        let conf = ResolvConf { servers: self.servers(), search, ndots };
        lookup(&self.inner.clock, &self.inner.wire, self.inner.from, &conf, host).await
    }

    /// Connects to a name or an address.
    ///
    /// # Errors
    /// The system's kind of error; the text, and the error inside, is that of [`DialError`].
    pub async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        self.dial(host, port).await.map_err(io::Error::from)
    }

    /// As [`PodNetwork::connect`], with Go's errors.
    ///
    /// # Errors
    /// A [`DialError`] with the address as the caller knows it.
    pub async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        Ok(self.dial_known(host, port).await?.0)
    }

    /// Connects, and says which address, as the caller knows it, it is.
    ///
    /// # Errors
    /// A [`DialError`] with the address as the caller knows it.
    pub async fn dial_known(&self, host: &str, port: u16) -> Result<(TcpStream, SocketAddr), DialError> {
        let found = self.resolve(host).await.map_err(DialError::Lookup)?;
        let mut last = None;
        for ip in found {
            let address = SocketAddr::new(ip, port);
            match self.dial_address(address).await {
                Ok(stream) => return Ok((stream, address)),
                Err(error) => last = last.or(Some(error)),
            }
        }
        Err(last.expect("a lookup that succeeds has an address"))
    }

    async fn dial_address(&self, address: SocketAddr) -> Result<TcpStream, DialError> {
        let attempt = async {
            if self.inner.wire.leads_nowhere(address) {
                return std::future::pending().await;
            }
            connect_from(self.inner.from, self.inner.wire.actual(address)).await
        };
        match self.inner.clock.timeout(DIAL_WITHIN, attempt).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(DialError::Connect { address, kind: error.kind() }),
            Err(_) => Err(DialError::Timeout { address }),
        }
    }
}

/// Connects from an address of one's own.
pub(crate) async fn connect_from(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    if from.is_ipv4() != to.is_ipv4() {
        return TcpStream::connect(to).await;
    }
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(from, 0))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
