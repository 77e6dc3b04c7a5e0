//! Proof that a question was asked.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::FaultId;
use crate::probe::Transport;

/// One question that reached the server. There is one for each datagram and for each message of a stream, no more, no less;
/// only what is shorter than a DNS header is no question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DnsReceipt {
    /// When it came, in field time.
    pub at: Timestamp,
    /// How it came.
    pub transport: Transport,
    /// From where.
    pub client: SocketAddr,
    /// The name that was asked for, lowercase, without the final dot; nothing if it could not be read.
    pub name: Option<String>,
    /// The record type that was asked for, such as `A`.
    pub record_type: Option<String>,
    /// What was done.
    pub outcome: DnsOutcome,
    /// The fault that decided, if one did.
    pub fault: Option<FaultId>,
}

/// What was done about a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsOutcome {
    /// These addresses were given.
    Addresses(Vec<IpAddr>),
    /// The name exists, but has nothing of that type.
    NoData,
    /// There is no such name.
    NxDomain,
    /// The server refused to answer (REFUSED).
    Refused,
    /// The server failed (SERVFAIL).
    ServFail,
    /// The question could not be read (FORMERR).
    FormErr,
    /// It was no question (NOTIMP).
    NotImplemented,
    /// Nothing was said.
    Unanswered,
}
