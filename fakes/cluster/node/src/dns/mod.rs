//! Names: questions as Go programs ask them, and the network of a pod.

mod error;
mod exchange;
mod lookup;
mod network;

pub(crate) use error::errno_text;
pub use error::{DialError, DnsError, DnsFailure};
pub use network::PodNetwork;
pub(crate) use network::connect_from;
