//! The world outside an appliance: a DNS server, an image registry and a time server, all on real sockets, with faults by data.
//!
//! ```text
//!   appliance ──UDP/TCP──▶ DnsServer   zone ─▶ faults ─▶ answer ─▶ receipt
//!             ──TLS──────▶ Registry    faults ─▶ content store ─▶ answer ─▶ receipt
//!                              ▲
//!   scenario ──────────────────┘ control handle: content, faults, receipts, stop and start
//! ```
//!
//! Start with [`DnsServer::start`] and [`Registry::start`]; everything else is said to their control handles.
//! A fault is a cause, never a symptom: a port that is closed, a tag that is gone, bytes that come slowly. Every request leaves
//! exactly one *receipt*, the proof that a fault met somebody; a port that is closed leaves [`PortProbe`]s instead, since no
//! server can see what the kernel turned away.
//!
//! All times are those of the [`Clock`](field_clock::Clock) that the servers are given. All tasks run on the tokio runtime on
//! which a server was started and end with it.

mod authority;
mod dns;
mod door;
mod fault;
mod ledger;
mod pattern;
mod probe;
mod registry;
mod remote;
mod reserve;
mod time;

pub use authority::{Authority, AuthorityError, TlsIdentity};
pub use dns::{
    DnsConfig, DnsControl, DnsEffect, DnsFault, DnsOutcome, DnsReceipt, DnsServer, Otherwise, Zone,
};
pub use fault::{FaultId, Times};
pub use pattern::Pattern;
pub use probe::{Finding, PortProbe, Transport};
pub use registry::{
    AppliedFault, ArtifactLayer, ArtifactSpec, Digest, Effect, FluxArtifact, HelmChart, ImageSpec,
    InvalidReference, Layer, Package, Progress, Registry, RegistryConfig, RegistryControl, RegistryError,
    RegistryFault, RegistryReceipt, RemovedTag, Target, Wording, tar_gz,
};
pub use remote::{Remote, RemoteError, Served, Which, outside_ports, serve};
pub use time::{TimeReceipt, TimeServer};
