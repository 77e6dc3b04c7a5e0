//! Programs that every cluster needs and that are part of this one: CoreDNS and the local-path provisioner.

mod coredns;
mod local_path;

use std::path::PathBuf;

use cluster_api::Store;
use tokio_util::sync::CancellationToken;

use crate::runtime::ContainerSpec;
use crate::wire::{Resolvers, Wire};

/// What the programs have to do with; clones are cheap.
#[derive(Clone)]
pub struct SystemPrograms {
    /// The cluster's objects.
    pub store: Store,
    /// Where the sockets really are.
    pub wire: Wire,
    /// Name servers of the node.
    pub resolvers: Resolvers,
    /// The node's directory for volumes, as in [`NodeConfig`](crate::NodeConfig).
    pub volumes: PathBuf,
}

impl SystemPrograms {
    /// Whether [`SystemPrograms::run`] knows an entrypoint: `/coredns`, `/local-path-provisioner`, with or without directories before.
    pub fn knows(entrypoint: &str) -> bool {
        matches!(base(entrypoint), "coredns" | "local-path-provisioner")
    }

    /// Runs the program that `spec.argv` names until `stop`; `None` when it is none of these. Returns the exit code.
    pub async fn run(&self, spec: ContainerSpec, stop: CancellationToken) -> Option<i32> {
        let entrypoint = spec.argv.first().map_or("", String::as_str);
        match base(entrypoint) {
            "coredns" => Some(coredns::run(self, &spec, stop).await),
            "local-path-provisioner" => Some(local_path::run(self, &spec, stop).await),
            _ => None,
        }
    }
}

fn base(entrypoint: &str) -> &str {
    entrypoint.rsplit('/').next().unwrap_or(entrypoint)
}
