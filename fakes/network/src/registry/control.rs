//! The handle to a registry: faults, receipts, stop and start. What it holds is in `content.rs`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use super::answer::Wording;
use super::content::RemovedTag;
use super::fault::{Effect, RegistryFault, Target};
use super::name::Repository;
use super::receipt::RegistryReceipt;
use super::{Said, Shared};
use crate::door::{Door, Shut};
use crate::fault::FaultId;
use crate::probe::PortProbe;

/// Changes a registry and reads its receipts, also while it is stopped. Clones are the same handle.
#[derive(Debug, Clone)]
pub struct RegistryControl {
    shared: Arc<Shared>,
    door: Arc<Door>,
}

impl RegistryControl {
    pub(crate) fn new(shared: Arc<Shared>, door: Arc<Door>) -> Self {
        Self { shared, door }
    }

    /// Where the registry listens, or did.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Whether the port is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.door.is_open()
    }

    /// Puts a fault in force; it is in force when this returns. Of several of one kind that fit, the oldest decides; those that
    /// refuse come before those that spoil a transfer, and these add up.
    pub async fn inject(&self, fault: RegistryFault) -> FaultId {
        let closes = fault.effect == Effect::Unreachable;
        let id = {
            let mut said = self.shared.said();
            let taken = (fault.effect == Effect::MissingTag).then(|| take_tags(&mut said, &fault.target));
            let times = fault.times;
            let id = said.faults.add(fault, times);
            if let Some(taken) = taken {
                said.taken.insert(id, taken);
            }
            id
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
        let closed = {
            let mut said = self.shared.said();
            let fault = said.faults.remove(id);
            for tag in said.taken.remove(&id).into_iter().flatten() {
                put_back(&mut said, &tag);
            }
            fault.is_some_and(|fault| fault.effect == Effect::Unreachable)
        };
        if closed { self.door.lift(Shut::Fault(id)).await } else { Ok(()) }
    }

    /// Heals everything, takes every tag out and forgets every request; what was tagged stays and can be had by digest.
    ///
    /// # Errors
    /// The port cannot be opened again.
    pub async fn begin_anew(&self) -> io::Result<()> {
        for (id, _) in self.faults() {
            self.heal(id).await?;
        }
        let everything = Target::default();
        take_tags(&mut self.shared.said(), &everything);
        self.shared.receipts.clear();
        Ok(())
    }

    /// Errors are told in these words from now on.
    pub fn word_errors_as(&self, wording: Wording) {
        self.shared.said().wording = wording;
    }

    /// The faults in force, oldest first.
    #[must_use]
    pub fn faults(&self) -> Vec<(FaultId, RegistryFault)> {
        self.shared.said().faults.list()
    }

    /// The tags that a fault has taken out. None means that the fault did not land.
    #[must_use]
    pub fn taken_by(&self, id: FaultId) -> Vec<RemovedTag> {
        self.shared.said().taken.get(&id).cloned().unwrap_or_default()
    }

    /// Closes the port and every connection: clients get "connection refused". The port stays reserved.
    pub async fn stop(&self) {
        self.door.shut(Shut::Stopped).await;
    }

    /// Undoes [`RegistryControl::stop`]; the port opens unless a fault keeps it closed.
    ///
    /// # Errors
    /// The port cannot be opened, or the registry has ended.
    pub async fn start(&self) -> io::Result<()> {
        self.door.lift(Shut::Stopped).await
    }

    /// Every request so far, in the order of arrival.
    #[must_use]
    pub fn receipts(&self) -> Vec<RegistryReceipt> {
        self.receipts_from(0)
    }

    /// The requests from number `start` on.
    #[must_use]
    pub fn receipts_from(&self, start: usize) -> Vec<RegistryReceipt> {
        self.shared.receipts.copy_from(start, |receipt| receipt.read())
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

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) async fn end(&self) {
        self.door.end().await;
    }

    pub(crate) fn abandon(&self) {
        self.door.abandon();
    }
}

fn take_tags(said: &mut Said, target: &Target) -> Vec<RemovedTag> {
    let fits = |repository: &Repository, tag: &str| {
        target.host.matches(&repository.host)
            && target.repository.matches(&repository.path)
            && target.reference.matches(tag)
    };
    let found: Vec<(Repository, String)> = said
        .store
        .all_tags()
        .filter(|(repository, tag, _)| fits(repository, tag))
        .map(|(repository, tag, _)| (repository.clone(), tag.to_owned()))
        .collect();
    found
        .into_iter()
        .filter_map(|(repository, tag)| {
            let digest = said.store.remove_tag(&repository, &tag)?;
            Some(RemovedTag::new(&repository, &tag, digest))
        })
        .collect()
}

/// A tag that was published again meanwhile is left as it is.
fn put_back(said: &mut Said, removed: &RemovedTag) {
    let Ok(repository) = Repository::parse(removed.repository()) else { return };
    if said.store.tag(&repository, removed.tag()).is_none() {
        said.store.set_tag(&repository, removed.tag(), removed.digest().clone());
    }
}
