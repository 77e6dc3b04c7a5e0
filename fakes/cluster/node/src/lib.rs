//! The node of a simulated cluster: scheduler, kubelet, image pulls, volumes, probes, service network, cluster DNS.
//!
//! [`Node::start`] takes a [`Store`](cluster_api::Store) and a [`Runtime`] and does what a node does: pods that are bound to it get
//! addresses, volumes, images and processes, and their statuses and events follow. Everything that can go wrong goes wrong by itself:
//! names are asked for with real packets, registries are spoken to over real TLS, probes and services use real sockets. Time is
//! field time throughout.

mod config;
pub mod dns;
mod exec;
mod go_time;
mod identity;
mod kubelet;
mod logs;
mod memory;
mod network;
mod node;
pub mod oci;
mod pod;
mod pod_logs;
mod pool;
mod probes;
mod process;
pub mod programs;
mod proxy;
mod pull;
mod quantity;
mod runtime;
mod scheduler;
mod sessions;
mod volumes;
mod wire;

pub use config::{ApiAccess, DEFAULT_MAX_PODS, NodeConfig, Pace, host_path};
pub use dns::PodNetwork;
pub use exec::{Captured, ExecIo, ExecOutcome, ExecTarget};
pub use logs::LogSink;
pub use network::Network;
pub use node::{Node, NodeError};
pub use pull::{PreloadedImage, pull};
pub use runtime::{
    Access, Container, ContainerSpec, Exit, ExitCause, ImageConfig, Mount, Runtime, StartError,
};
pub use wire::{Addresses, Resolvers, Wire};
