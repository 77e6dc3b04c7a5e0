//! A client of the distribution API, as the kubelet's pulls and source-controller use it: real questions for names,
//! real TLS, errors typed and in Go's words. Each user wraps them in its own.

mod client;
mod connection;
mod endpoint;
mod error;
mod manifest;
mod reference;
mod tls;

pub use client::{Blob, Client, Response, Session};
pub use endpoint::{Endpoint, Mirrors, Scheme};
pub use error::{BodyError, Error, RegistryError, RequestError, RequestFailure};
pub use manifest::{Descriptor, Index, Manifest, Platform};
pub use reference::{Reference, ReferenceError};
pub use tls::TrustError;
