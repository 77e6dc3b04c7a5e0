//! The status service: HTTP routes, pages, sign-in.
//!
//! | route | answer |
//! |---|---|
//! | `GET /healthz` | `ok`, open to everyone |
//! | `GET /api/status` | the status document |
//! | `GET /api/overview` | its summary |
//! | `GET /api/diagnostics` | the document and Flux's objects |
//! | `GET /api/events` | server-sent events: a status document at every change |
//! | `GET /`, `GET /diagnostics` | pages |
//! | `/api/auth/…` | sign-in by token, for a session |
//!
//! A document is serialised once per change; reads cost no call of the Kubernetes API.

mod attempts;
mod command;
mod pages;
mod publish;
mod routes;
mod sign_in;

pub use command::{Cli, Options, RunError, main, run};
