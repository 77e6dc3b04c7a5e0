//! The side that asks.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::{Answer, Ask, Line, ToRegistry, ToResolver, Which};
use crate::dns::{DnsFault, DnsReceipt};
use crate::fault::FaultId;
use crate::probe::PortProbe;
use crate::registry::{Digest, Package, RegistryFault, RegistryReceipt};

/// Resolvers and a registry elsewhere did not do what they were asked.
#[derive(Debug, Error)]
pub enum RemoteError {
    /// They cannot be reached.
    #[error("ask the fakes at {address}")]
    Unreachable {
        /// Where they should be.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// They tried and failed.
    #[error("the fakes at {address} answer: {reason}")]
    Failed {
        /// Where they are.
        address: SocketAddr,
        /// What they say.
        reason: String,
    },
    /// They answered something else than what was asked.
    #[error("read the answer of the fakes at {address}")]
    Unreadable {
        /// Where they are.
        address: SocketAddr,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Resolvers and a registry somewhere else. Clones share one connection.
#[derive(Clone)]
pub struct Remote {
    address: SocketAddr,
    word: Arc<str>,
    connection: Arc<Mutex<Option<BufReader<TcpStream>>>>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Remote {
    /// Those at this address that know this word; nobody is asked yet.
    #[must_use]
    pub fn at(address: SocketAddr, word: &str) -> Self {
        Self { address, word: word.into(), connection: Arc::default() }
    }

    /// Everybody begins anew: no fault, no tag, no receipt.
    ///
    /// # Errors
    /// See [`RemoteError`]; so with all that follow.
    pub async fn begin_anew(&self) -> Result<(), RemoteError> {
        self.ask(Ask::BeginAnew).await
    }

    /// Gives a name these addresses and no others.
    ///
    /// # Errors
    /// See [`RemoteError`]; so with all that follow.
    pub async fn set(&self, which: Which, name: &str, addresses: Vec<IpAddr>) -> Result<(), RemoteError> {
        self.ask(Ask::Resolver(which, ToResolver::Set(name.to_owned(), addresses))).await
    }

    /// [`DnsControl::inject`](crate::DnsControl::inject).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn inject_dns(&self, which: Which, fault: DnsFault) -> Result<FaultId, RemoteError> {
        self.ask(Ask::Resolver(which, ToResolver::Inject(fault))).await
    }

    /// [`DnsControl::heal`](crate::DnsControl::heal).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn heal_dns(&self, which: Which, id: FaultId) -> Result<(), RemoteError> {
        self.ask(Ask::Resolver(which, ToResolver::Heal(id))).await
    }

    /// [`DnsControl::faults`](crate::DnsControl::faults).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn dns_faults(&self, which: Which) -> Result<Vec<(FaultId, DnsFault)>, RemoteError> {
        self.ask(Ask::Resolver(which, ToResolver::Faults)).await
    }

    /// [`DnsControl::receipts`](crate::DnsControl::receipts).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn dns_receipts(&self, which: Which) -> Result<Vec<DnsReceipt>, RemoteError> {
        self.ask(Ask::Resolver(which, ToResolver::Receipts)).await
    }

    /// [`DnsControl::probe`](crate::DnsControl::probe).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn probe_dns(&self, which: Which) -> Result<Vec<PortProbe>, RemoteError> {
        self.ask(Ask::Resolver(which, ToResolver::Probe)).await
    }

    /// [`DnsControl::probes`](crate::DnsControl::probes).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn dns_probes(&self, which: Which) -> Result<Vec<PortProbe>, RemoteError> {
        self.ask(Ask::Resolver(which, ToResolver::Probes)).await
    }

    /// [`RegistryControl::inject`](crate::RegistryControl::inject).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn inject_registry(&self, fault: RegistryFault) -> Result<FaultId, RemoteError> {
        self.ask(Ask::Registry(ToRegistry::Inject(fault))).await
    }

    /// [`RegistryControl::heal`](crate::RegistryControl::heal).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn heal_registry(&self, id: FaultId) -> Result<(), RemoteError> {
        self.ask(Ask::Registry(ToRegistry::Heal(id))).await
    }

    /// [`RegistryControl::faults`](crate::RegistryControl::faults).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn registry_faults(&self) -> Result<Vec<(FaultId, RegistryFault)>, RemoteError> {
        self.ask(Ask::Registry(ToRegistry::Faults)).await
    }

    /// [`RegistryControl::receipts`](crate::RegistryControl::receipts).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn registry_receipts(&self) -> Result<Vec<RegistryReceipt>, RemoteError> {
        self.ask(Ask::Registry(ToRegistry::Receipts)).await
    }

    /// [`RegistryControl::probe`](crate::RegistryControl::probe).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn probe_registry(&self) -> Result<Vec<PortProbe>, RemoteError> {
        self.ask(Ask::Registry(ToRegistry::Probe)).await
    }

    /// [`RegistryControl::probes`](crate::RegistryControl::probes).
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn registry_probes(&self) -> Result<Vec<PortProbe>, RemoteError> {
        self.ask(Ask::Registry(ToRegistry::Probes)).await
    }

    /// What a tag stands for.
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn tag_digest(&self, repository: &str, tag: &str) -> Result<Option<Digest>, RemoteError> {
        let (repository, tag) = (repository.to_owned(), tag.to_owned());
        self.ask(Ask::Registry(ToRegistry::TagDigest { repository, tag })).await
    }

    /// Puts what is packed in under a tag; what is there already does not travel again.
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn push(&self, repository: &str, tag: &str, package: &Package) -> Result<Digest, RemoteError> {
        let digests: Vec<Digest> = package.blobs.iter().map(|blob| Digest::of(blob)).collect();
        let kept: Vec<Digest> = self.ask(Ask::Kept(digests.clone())).await?;
        for (blob, digest) in package.blobs.iter().zip(&digests) {
            if !kept.contains(digest) {
                self.ask::<Digest>(Ask::Keep(STANDARD.encode(blob))).await?;
            }
        }
        self.ask(Ask::Registry(ToRegistry::Push {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            manifest: String::from_utf8_lossy(&package.manifest).into_owned(),
            blobs: digests,
        }))
        .await
    }

    async fn ask<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, RemoteError> {
        let address = self.address;
        let unreadable = |source| RemoteError::Unreadable { address, source };
        let mut line = serde_json::to_vec(&Line { word: self.word.to_string(), ask }).map_err(unreadable)?;
        line.push(b'\n');
        let text =
            self.exchange(&line).await.map_err(|source| RemoteError::Unreachable { address, source })?;
        match serde_json::from_str(&text).map_err(unreadable)? {
            Answer::Done(value) => serde_json::from_value(value).map_err(unreadable),
            Answer::Failed(reason) => Err(RemoteError::Failed { address, reason }),
        }
    }

    /// One question and its answer. A connection in whose middle something went wrong is not used again.
    async fn exchange(&self, line: &[u8]) -> io::Result<String> {
        let mut held = self.connection.lock().await;
        let mut connection = match held.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                BufReader::new(stream)
            }
        };
        connection.get_mut().write_all(line).await?;
        let mut answer = String::new();
        if connection.read_line(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *held = Some(connection);
        Ok(answer)
    }
}
