//! The controllers of a simulated cluster: workloads, jobs, endpoints, volumes, garbage collection.
//!
//! Each kind has one reconcile function, called for an object whenever something it depends on has changed ([`Queue`]) or a
//! moment of field time has come; it looks at the store as it is then and writes what follows. Nothing polls.

mod conditions;
mod control;
mod daemon_set;
mod deployment;
mod endpoints;
mod garbage;
mod hash;
mod job;
mod members;
mod namespaces;
mod nodes;
mod pods;
mod queue;
mod replica_set;
mod resources;
mod service_accounts;
mod stateful_set;
mod volumes;

use cluster_api::Store;
use tokio_util::sync::CancellationToken;

pub use queue::{Key, Queue};

/// What the controllers have to be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The API's CA, published as `kube-root-ca.crt` in every namespace.
    pub ca_pem: String,
}

/// Starts all controllers on the runtime of the caller; they end with the token.
pub fn start(store: &Store, stop: CancellationToken, options: &Options) {
    deployment::start(store, &stop);
    replica_set::start(store, &stop);
    stateful_set::start(store, &stop);
    daemon_set::start(store, &stop);
    job::start(store, &stop);
    endpoints::start(store, &stop);
    volumes::start(store, &stop);
    garbage::start(store, &stop);
    namespaces::start(store, &stop);
    service_accounts::start(store, &stop, &options.ca_pem);
    nodes::start(store, &stop);
}
