//! An image registry over TLS that plays several hosts, well or badly, as it is told.
//!
//! The host is the one that the request names, or that a client of a mirror names (`?ns=HOST`), so one registry can be `ghcr.io`, `quay.io` and the Docker Hub at once; its
//! certificate has to have the names.

mod answer;
mod archive;
mod connection;
mod content;
mod control;
mod fault;
mod image;
mod judge;
mod name;
mod payload;
mod pull;
mod push;
mod receipt;
mod route;
mod serve;
mod store;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use field_clock::Clock;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

pub use answer::Wording;
pub use archive::tar_gz;
pub use content::{RegistryError, RemovedTag};
pub use control::RegistryControl;
pub use fault::{Effect, RegistryFault, Target};
pub use image::{ArtifactLayer, ArtifactSpec, FluxArtifact, HelmChart, ImageSpec, Layer, Package};
pub use name::{Digest, InvalidReference};
pub use receipt::{AppliedFault, Progress, RegistryReceipt};

use crate::authority::TlsIdentity;
use crate::door::{Door, Opener};
use crate::fault::{FaultBook, FaultId};
use crate::ledger::Ledger;
use crate::probe::Transport;
use crate::reserve::ReservedTcp;
use receipt::LiveReceipt;
use store::Store;

/// What a registry is started with.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// The time of receipts, of dates, and of slow transfers.
    pub clock: Clock,
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What it shows to clients; it has to be good for every host that it plays. Without it the registry speaks in the
    /// clear, as mirrors and registries inside of clusters do.
    pub tls: Option<TlsIdentity>,
}

/// What connections and handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    clock: Clock,
    said: Mutex<Said>,
    receipts: Ledger<Arc<LiveReceipt>>,
}

/// What the registry has, and what it was told.
#[derive(Debug, Default)]
pub(crate) struct Said {
    store: Store,
    faults: FaultBook<RegistryFault>,
    wording: Wording,
    /// The tags that a fault took away.
    taken: BTreeMap<FaultId, Vec<RemovedTag>>,
}

impl Shared {
    pub(crate) fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running registry; it ends when this is dropped.
#[derive(Debug)]
pub struct Registry {
    control: RegistryControl,
}

impl Registry {
    /// Reserves the port and serves it on the current tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or the certificate or key cannot be used.
    pub async fn start(config: RegistryConfig) -> io::Result<Self> {
        let RegistryConfig { clock, listen, tls } = config;
        let acceptor = tls.as_ref().map(acceptor).transpose()?;
        let port = ReservedTcp::new(listen)?;
        let address = port.address();
        let shared =
            Arc::new(Shared { clock: clock.clone(), said: Mutex::default(), receipts: Ledger::default() });
        let serving = Arc::clone(&shared);
        let opener: Opener = Box::new(move |stop| {
            let listener = port.listen()?;
            Ok(tokio::spawn(connection::accept(Arc::clone(&serving), listener, acceptor.clone(), stop)))
        });
        let door = Door::open(clock, address, &[Transport::Tcp], opener)?;
        Ok(Self { control: RegistryControl::new(shared, Arc::new(door)) })
    }

    /// A handle to change it and to read its receipts.
    #[must_use]
    pub fn control(&self) -> RegistryControl {
        self.control.clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.control.address()
    }

    /// Ends it; the port is free again when this returns.
    pub async fn stop(self) {
        self.control.end().await;
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.control.abandon();
    }
}

fn acceptor(tls: &TlsIdentity) -> io::Result<TlsAcceptor> {
    let unusable = |what: &str, error: &dyn std::error::Error| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("read the registry's {what}: {error}"))
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(tls.chain_pem.as_bytes()).collect();
    let chain = chain.map_err(|error| unusable("certificates", &error))?;
    let key = PrivateKeyDer::from_pem_slice(tls.key_pem.as_bytes())
        .map_err(|error| unusable("private key", &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable("identity", &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
