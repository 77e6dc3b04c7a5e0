//! What can go wrong between a client and a registry.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::Value;

use crate::dns::DialError;

/// One entry of a registry's error document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RegistryError {
    /// `MANIFEST_UNKNOWN` and the like.
    pub code: String,
    /// The registry's words.
    pub message: String,
    /// What else the registry says of it, in whatever form.
    pub detail: Option<Value>,
}

impl RegistryError {
    /// The detail as a Go program prints a value that it knows nothing of; nothing where there is none.
    #[must_use]
    pub fn detail_in_go(&self) -> Option<String> {
        self.detail.as_ref().map(in_go)
    }
}

fn in_go(value: &Value) -> String {
    let joined = |words: Vec<String>| words.join(" ");
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(in_go).collect())),
        Value::Object(fields) => {
            let sorted: std::collections::BTreeMap<_, _> = fields.iter().collect();
            let words = sorted.into_iter().map(|(name, value)| format!("{name}:{}", in_go(value)));
            format!("map[{}]", joined(words.collect()))
        }
        other => other.to_string(),
    }
}

/// A request that got no answer: `Head "https://ghcr.io/v2/…": dial tcp: lookup …`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{method} \"{url}\": {failure}")]
pub struct RequestError {
    /// Method as Go writes it: `Head`, `Get`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// What failed.
    pub failure: RequestFailure,
}

/// Why a request got no answer.
#[derive(Clone, Debug)]
pub enum RequestFailure {
    /// There was no connection.
    Dial(DialError),
    /// TLS could not be agreed upon; Go's text.
    Tls(String),
    /// The connection ended before the answer.
    Eof,
    /// The connection broke.
    Broken {
        /// Both ends, `10.0.0.1:4242->10.0.0.2:443`.
        route: String,
        /// The system's word.
        word: &'static str,
    },
    /// Too long without progress.
    Canceled,
}

impl fmt::Display for RequestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dial(error) => error.fmt(f),
            Self::Tls(text) => f.write_str(text),
            Self::Eof => f.write_str("EOF"),
            Self::Broken { route, word } => write!(f, "read tcp {route}: read: {word}"),
            Self::Canceled => f.write_str("context canceled"),
        }
    }
}

/// A body that ended too early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The connection was closed in the middle.
    #[error("unexpected EOF")]
    UnexpectedEof,
    /// The connection broke in the middle.
    #[error("read tcp {route}: read: {word}")]
    Broken {
        /// Both ends.
        route: String,
        /// The system's word.
        word: &'static str,
    },
}

/// What a question to a registry can end with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No answer.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// An answer that is not a good one.
    #[error("unexpected status from {method} request to {url}: {status}")]
    Status {
        /// `HEAD` or `GET`.
        method: String,
        /// The whole URL.
        url: String,
        /// Code and words, `403 Forbidden`.
        status: String,
        /// Code alone.
        code: u16,
        /// The registry's own errors, from a body.
        errors: Vec<RegistryError>,
    },
    /// No anonymous token to be had.
    #[error("failed to authorize: failed to fetch anonymous token: {0}")]
    Authorize(#[source] Box<Error>),
    /// A body that ended too early.
    #[error("short read: expected {expected} bytes but got {got}: {cause}")]
    ShortRead {
        /// Bytes announced.
        expected: u64,
        /// Bytes that came.
        got: u64,
        /// How it ended.
        cause: BodyError,
    },
    /// A document that cannot be read.
    #[error("invalid document at {url}")]
    Document {
        /// The whole URL.
        url: String,
        /// What the reader says.
        #[source]
        source: std::sync::Arc<serde_json::Error>,
    },
}

impl Error {
    /// The HTTP status, when there was an answer.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }
}

/// Both ends of a connection, as the caller knows them.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) local: Option<SocketAddr>,
    pub(super) remote: SocketAddr,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.local {
            Some(local) => write!(f, "{local}->{}", self.remote),
            None => write!(f, "->{}", self.remote),
        }
    }
}

/// The first system error in a chain.
pub(super) fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}
