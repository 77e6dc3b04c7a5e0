//! A Kubernetes API server in one process: store, watch, apply, RBAC, discovery, tables.
//!
//! [`Store`] holds the objects and is what components of the simulated cluster use directly; [`ApiServer`] serves it over
//! HTTPS to everybody else. Neither knows what happens in the cluster: they keep objects and tell of changes.

mod admission;
mod built_in;
mod chance;
mod crd;
mod error;
pub mod events;
mod http;
mod kind;
mod node;
pub mod object;
mod patch;
pub mod pki;
mod pod_security;
mod res;
mod schema;
pub mod selector;
mod shapes;
mod store;
pub mod tokens;

pub use chance::Chance;
pub use error::{ApiError, Cause};
pub use http::{
    ApiConfig, ApiControl, ApiServer, Encounter, Hang, Outage, Slow, StartError, Trouble, kubeconfig,
};
pub use kind::{Generation, KindInfo, Scope, ServedVersion};
pub use node::{Ended, ExecRequest, LogOptions, LogStream, NoNode, NodeAccess, Session, Streams};
pub use res::{Res, kinds};
pub use store::{Applied, Conflicts, Outcome, Propagation, Store, Subresource, Verb, Watch, WatchEvent};
