//! Watches on the Kubernetes API, turned into facts.
//!
//! One watch per kind; each tells its changes over one channel to [`Collector::run`], which holds the
//! [`Knowledge`](appliance_assess::Knowledge) and shows it to the caller after every batch of changes. Nothing
//! is looked at by the clock: the node's lease, renewed every ten seconds, is the pulse for whatever has to be
//! asked again, and the source of the time. Where it is not renewed, and where the API is gone, a [`Clock`] tells how time
//! passes.

mod clock;
mod collector;
mod connect;
mod convert;
mod follow;
mod inquiries;
mod kinds;
mod login;
mod wake;
mod watchman;

pub use clock::{Clock, NoClock};
pub use collector::Collector;
pub use connect::{ConnectError, InCluster, client};
