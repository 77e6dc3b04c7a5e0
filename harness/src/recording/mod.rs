//! Recordings: what a cluster said while something happened in it, in files.
//!
//! ```text
//!   kubeconfig ── api ──┬─ watcher       a watch per kind ─┐
//!                       ├─ controllers   Flux' own logs    ├─▶ notes ──▶ stream ──▶ DIR/NAME/…
//!                       └─ logs          of containers     ┘
//!   files         a stream in the format of the recordings
//!   tape          all of that beside the run of a scenario, in whichever world
//!   description   case.json: what was run where, and which causes came and went when
//!   keeping       the directory, without secrets
//! ```
//! Nobody here knows in which world a cluster is. Who replays recordings is `fidelity`.

mod api;
#[cfg(test)]
mod certificate;
mod controllers;
mod description;
mod files;
mod keeping;
mod kinds;
mod kubeconfig;
mod logs;
mod notes;
mod stream;
mod tape;
mod watcher;

pub use api::ApiError;
pub use files::StreamError;
pub use keeping::KeepingError;
pub use kubeconfig::KubeconfigError;
pub use stream::{Instance, Line, LogLook, Stream};

pub(crate) use api::Api;
pub(crate) use controllers::{CONTROLLERS, follow};
pub(crate) use description::{Description, Opening};
pub(crate) use keeping::is_free;
pub(crate) use kinds::watched;
pub(crate) use kubeconfig::Kubeconfig;
pub(crate) use logs::{Look, look_at};
pub(crate) use notes::Notes;
pub(crate) use tape::Tape;
pub(crate) use watcher::{Collection, Scope, watch};
