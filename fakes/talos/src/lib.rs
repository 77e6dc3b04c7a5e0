//! A Talos machine that is none: its API, mutual TLS and all, as `talosctl` speaks it, and behind it a machine that waits in
//! maintenance mode, installs itself, starts again, pulls its images and becomes a cluster.
//!
//! ```text
//!   server ── TLS, HTTP/2 ──► grpc ──► api ──► machine          what is done to it: configure, bootstrap, restart
//!     identity   whose certificates       caller   roles, and the proxy's wrapping    life   what happens in it, in field time
//!                                         resources  kinds that `talosctl get` asks for   pull  through the site's resolver
//!     wire       messages                 services, journal   what it tells of itself    visits   who came
//! ```
//! Pulls are real: they go through the resolver and the registry that the machine is given, and fail in their words. What the
//! machine becomes is a [`Cluster`] of whoever makes it.

mod api;
mod caller;
mod configuration;
mod grpc;
mod identity;
mod journal;
mod machine;
mod resources;
mod server;
mod services;
mod visits;
mod wire;

pub use api::METHODS;
pub use machine::{Cluster, Disk, Machine, Medium, Memory, Moment, Parts, Power, Room, Voice};
pub use server::Server;
pub use visits::Visit;
