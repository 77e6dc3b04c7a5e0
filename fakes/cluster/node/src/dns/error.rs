//! Why a name or a connection failed, in Go's words.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// What kind of failure a lookup ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsFailure {
    /// The server says that there is no such name.
    NoSuchHost,
    /// The server answered with an error.
    Misbehaving,
    /// Nobody answered in time; the text of the socket's error.
    Timeout(String),
    /// The question could not be asked; the text of the socket's error.
    Unreachable(String),
}

/// A failed lookup. Its text is Go's: `lookup ghcr.io on 10.96.0.10:53: no such host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsError {
    /// The name as it was asked for.
    pub name: String,
    /// The server that was asked last.
    pub server: SocketAddr,
    /// What went wrong.
    pub failure: DnsFailure,
}

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lookup {} on {}: ", self.name, self.server)?;
        match &self.failure {
            DnsFailure::NoSuchHost => f.write_str("no such host"),
            DnsFailure::Misbehaving => f.write_str("server misbehaving"),
            DnsFailure::Timeout(text) | DnsFailure::Unreachable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for DnsError {}

/// Why there is no connection. Its text is Go's: `dial tcp 10.96.0.20:5432: connect: connection refused`.
#[derive(Clone, Debug)]
pub enum DialError {
    /// The name could not be resolved.
    Lookup(DnsError),
    /// The address answered with a refusal, or could not be reached at all.
    Connect {
        /// The address as the caller knows it.
        address: SocketAddr,
        /// The system's error.
        kind: io::ErrorKind,
    },
    /// The address did not answer in time.
    Timeout {
        /// The address as the caller knows it.
        address: SocketAddr,
    },
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup(error) => write!(f, "dial tcp: {error}"),
            Self::Connect { address, kind } => {
                write!(f, "dial tcp {address}: connect: {}", errno_text(*kind))
            }
            Self::Timeout { address } => write!(f, "dial tcp {address}: i/o timeout"),
        }
    }
}

impl std::error::Error for DialError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Lookup(error) => Some(error),
            Self::Connect { .. } | Self::Timeout { .. } => None,
        }
    }
}

impl From<DialError> for io::Error {
    fn from(error: DialError) -> Self {
        let kind = match &error {
            DialError::Lookup(DnsError { failure: DnsFailure::NoSuchHost, .. }) => io::ErrorKind::NotFound,
            DialError::Lookup(DnsError { failure: DnsFailure::Timeout(_), .. })
            | DialError::Timeout { .. } => io::ErrorKind::TimedOut,
            DialError::Lookup(_) => io::ErrorKind::Other,
            DialError::Connect { kind, .. } => *kind,
        };
        Self::new(kind, error)
    }
}

/// The system's word for an error, as Go prints it.
pub(crate) fn errno_text(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset by peer",
        io::ErrorKind::BrokenPipe => "broken pipe",
        io::ErrorKind::TimedOut => "connection timed out",
        io::ErrorKind::HostUnreachable => "no route to host",
        io::ErrorKind::AddrNotAvailable => "cannot assign requested address",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::InvalidInput => "invalid argument",
        _ => "network is unreachable",
    }
}
