//! Pods: one worker each, that brings what runs nearer to what is wanted, sync by sync.
//!
//! A sync writes the status as it was *before* it acts, then acts. What comes of the acting is seen at the next sync: a second
//! later when a container started or ended (the kubelet's event generator looks once a second), 10 to 15 seconds later
//! when something failed. The lags between events and statuses that a real cluster shows follow from this.

mod backoff;
mod conditions;
mod config;
mod container_status;
mod end;
mod env;
mod image;
mod init;
mod instance;
mod leave;
mod mounts;
mod phase;
mod service_links;
mod spec;
mod start;
mod status;
mod sync;
mod worker;

pub(crate) use env::field;
pub(crate) use worker::{Update, Worker};
