//! The handle to a DNS server.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::fault::DnsFault;
use super::receipt::DnsReceipt;
use super::{Said, Shared};
use crate::door::{Door, Shut};
use crate::fault::FaultId;
use crate::probe::PortProbe;

/// Changes a DNS server and reads its receipts, also while it is stopped. Clones are the same handle.
#[derive(Debug, Clone)]
pub struct DnsControl {
    shared: Arc<Shared>,
    door: Arc<Door>,
}

impl DnsControl {
    pub(crate) fn new(shared: Arc<Shared>, door: Arc<Door>) -> Self {
        Self { shared, door }
    }

    /// Where the server listens, or did.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Whether the port is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.door.is_open()
    }

    /// Gives a name these addresses and no others.
    pub fn set(&self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        self.said().zone.set(name, addresses);
    }

    /// Takes a name out of the zone.
    pub fn remove(&self, name: &str) {
        self.said().zone.remove(name);
    }

    /// Puts a fault in force; it is in force when this returns. Of several that fit a name, the oldest decides.
    pub async fn inject(&self, fault: DnsFault) -> FaultId {
        let closes = fault == DnsFault::ClosedPort;
        let id = {
            let times = fault.times();
            self.said().faults.add(fault, times)
        };
        if closes {
            self.door.shut(Shut::Fault(id)).await;
        }
        id
    }

    /// Takes a fault away; one that is gone already is none the worse for it.
    ///
    /// # Errors
    /// The port cannot be opened again.
    pub async fn heal(&self, id: FaultId) -> io::Result<()> {
        let fault = self.said().faults.remove(id);
        match fault {
            Some(DnsFault::ClosedPort) => self.door.lift(Shut::Fault(id)).await,
            Some(DnsFault::Names { .. } | DnsFault::UpstreamDead) | None => Ok(()),
        }
    }

    /// Heals everything and forgets every question.
    ///
    /// # Errors
    /// The port cannot be opened again.
    pub async fn begin_anew(&self) -> io::Result<()> {
        for (id, _) in self.faults() {
            self.heal(id).await?;
        }
        self.shared.receipts.clear();
        Ok(())
    }

    /// The faults in force, oldest first.
    #[must_use]
    pub fn faults(&self) -> Vec<(FaultId, DnsFault)> {
        self.said().faults.list()
    }

    /// Closes the port and every stream: clients get "connection refused". The port stays reserved.
    pub async fn stop(&self) {
        self.door.shut(Shut::Stopped).await;
    }

    /// Undoes [`DnsControl::stop`]; the port opens unless a fault keeps it closed.
    ///
    /// # Errors
    /// The port cannot be opened, or the server has ended.
    pub async fn start(&self) -> io::Result<()> {
        self.door.lift(Shut::Stopped).await
    }

    /// Every question so far, in the order of arrival.
    #[must_use]
    pub fn receipts(&self) -> Vec<DnsReceipt> {
        self.receipts_from(0)
    }

    /// The questions from number `start` on.
    #[must_use]
    pub fn receipts_from(&self, start: usize) -> Vec<DnsReceipt> {
        self.shared.receipts.copy_from(start, Clone::clone)
    }

    /// The number of receipts, and a sign at every new one.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<usize> {
        self.shared.receipts.follow()
    }

    /// Knocks at the port, if it is closed, as a client would.
    pub async fn probe(&self) -> Vec<PortProbe> {
        self.door.probe().await
    }

    /// What every knock at the closed port met so far; see [`PortProbe`].
    #[must_use]
    pub fn probes(&self) -> Vec<PortProbe> {
        self.door.probes()
    }

    pub(crate) async fn end(&self) {
        self.door.end().await;
    }

    pub(crate) fn abandon(&self) {
        self.door.abandon();
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.shared.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
