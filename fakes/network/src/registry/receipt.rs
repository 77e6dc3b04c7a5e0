//! Proof that a request was made.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::FaultId;

/// One HTTP request that reached the registry. There is one for each, no more, no less; it is there as soon as the request's
/// head was read, and is kept up to date until the last byte of the answer is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryReceipt {
    /// When it came, in field time.
    pub at: Timestamp,
    /// Where the client was.
    pub client: IpAddr,
    /// The host that it was for, without the port; `docker.io` for all hosts of the Docker Hub.
    pub host: String,
    /// The method.
    pub method: String,
    /// The path, with the query.
    pub path: String,
    /// The repository's path at the host, if the request was about one.
    pub repository: Option<String>,
    /// The tag or digest, if the request was about one.
    pub reference: Option<String>,
    /// The status of the answer, once it is decided.
    pub status: Option<u16>,
    /// The bytes of the body that were handed to the connection so far.
    pub bytes: u64,
    /// How far the answer is.
    pub progress: Progress,
    /// The faults that changed the answer.
    pub faults: Vec<AppliedFault>,
}

/// How far an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// It is not decided yet: the request's body is still coming.
    Asked,
    /// Its body is being sent.
    Sending,
    /// All of it was sent.
    Complete,
    /// A fault broke the connection.
    Cut,
    /// The client went away, or the registry was stopped.
    Abandoned,
}

/// A fault that changed an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedFault {
    /// Which one.
    pub id: FaultId,
    /// What it does, such as `slow`.
    pub effect: Cow<'static, str>,
}

/// A receipt that may still change.
#[derive(Debug)]
pub(crate) struct LiveReceipt(Mutex<RegistryReceipt>);

impl LiveReceipt {
    /// The receipt as of now.
    pub(crate) fn read(&self) -> RegistryReceipt {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, RegistryReceipt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side that changes a receipt; an answer that is dropped before its end was abandoned.
#[derive(Debug)]
pub(crate) struct OpenReceipt(Arc<LiveReceipt>);

impl OpenReceipt {
    pub(crate) fn new(receipt: RegistryReceipt) -> Self {
        Self(Arc::new(LiveReceipt(Mutex::new(receipt))))
    }

    pub(crate) fn live(&self) -> Arc<LiveReceipt> {
        Arc::clone(&self.0)
    }

    pub(crate) fn answered(&self, status: u16) {
        let mut receipt = self.0.lock();
        receipt.status = Some(status);
        receipt.progress = Progress::Sending;
    }

    pub(crate) fn struck(&self, id: FaultId, effect: &'static str) {
        self.0.lock().faults.push(AppliedFault { id, effect: effect.into() });
    }

    pub(crate) fn sent(&self, bytes: u64) {
        self.0.lock().bytes += bytes;
    }

    pub(crate) fn end(&self, progress: Progress) {
        self.0.lock().progress = progress;
    }
}

impl Drop for OpenReceipt {
    fn drop(&mut self) {
        let mut receipt = self.0.lock();
        if matches!(receipt.progress, Progress::Asked | Progress::Sending) {
            receipt.progress = Progress::Abandoned;
        }
    }
}
