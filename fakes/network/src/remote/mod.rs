//! Resolvers and a registry that run somewhere else, told what to do over a socket.
//!
//! One line of JSON asks, one answers. Every line carries a word that only the two know; a line without it is answered by
//! the end of the connection. What is asked is what the handles [`DnsControl`](crate::DnsControl) and
//! [`RegistryControl`](crate::RegistryControl) do where they are.

mod client;
mod server;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use client::{Remote, RemoteError};
pub use server::{Served, serve};

use crate::dns::DnsFault;
use crate::fault::FaultId;
use crate::registry::{Digest, RegistryFault};

/// Which of the resolvers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The site's own.
    Site,
    /// The ones that everybody can use.
    Public,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    word: String,
    ask: Ask,
}

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ask {
    /// A question to one of the resolvers.
    Resolver(Which, ToResolver),
    /// A question to the registry.
    Registry(ToRegistry),
    /// Keeps bytes, in base64, for packages that name them by their digest.
    Keep(String),
    /// Everybody begins anew: no fault, no tag, no receipt.
    BeginAnew,
    /// Which of these are kept.
    Kept(Vec<Digest>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ToResolver {
    Set(String, Vec<IpAddr>),
    Inject(DnsFault),
    Heal(FaultId),
    Faults,
    Receipts,
    Probe,
    Probes,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ToRegistry {
    Inject(RegistryFault),
    Heal(FaultId),
    Faults,
    Receipts,
    Probe,
    Probes,
    TagDigest { repository: String, tag: String },
    Push { repository: String, tag: String, manifest: String, blobs: Vec<Digest> },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Done(Value),
    Failed(String),
}

/// The ports at which the program `fake-outside` listens.
pub mod outside_ports {
    /// The site's resolver.
    pub const SITE: u16 = 53;
    /// The resolver that everybody can use; it has addresses of its own elsewhere.
    pub const PUBLIC: u16 = 5300;
    /// The registry.
    pub const REGISTRY: u16 = 443;
    /// The portal at which guests of the site sign in.
    pub const PORTAL: u16 = 8443;
    /// Where it is told what to do.
    pub const DESK: u16 = 7053;
}
