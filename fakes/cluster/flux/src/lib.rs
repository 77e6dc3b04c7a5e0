//! The Flux controllers of a simulated cluster: sources, Kustomizations, HelmReleases.
//!
//! Each controller is a program of an image: it runs until its stop token, and stops where it stands, as a killed process
//! does; what it had begun is found in the objects by whoever comes next.

mod apply;
mod artifacts;
mod duration;
mod helm;
mod kind_order;
mod kstatus;
mod kustomize;
mod log;
mod pace;
mod render;
mod source;
mod status;
mod trigger;
mod wait;
mod work;
mod yaml;

use cluster_api::Store;
use cluster_node::{LogSink, PodNetwork, Wire};
use field_clock::Clock;
use tokio_util::sync::CancellationToken;

pub use artifacts::ArtifactStore;
pub use helm::{HelmError, HelmProgram};

/// What a Flux controller is given.
#[derive(Clone)]
pub struct FluxContext {
    /// The cluster's objects.
    pub store: Store,
    /// Field time.
    pub clock: Clock,
    /// Where the source-controller keeps what the others fetch; one for all three.
    pub artifacts: ArtifactStore,
    /// The network of the controller's pod.
    pub network: PodNetwork,
    /// Authorities that registries are trusted by, in PEM.
    pub trust: Vec<String>,
    /// Where known addresses really are.
    pub wire: Wire,
    /// The controller's own log.
    pub log: LogSink,
    /// Ends the controller.
    pub stop: CancellationToken,
}

/// Fetches artifacts and charts from registries. Returns when it is stopped.
pub async fn source_controller(context: FluxContext) {
    let stop = context.stop.clone();
    stop.run_until_cancelled(source::run(context)).await;
}

/// Builds and applies Kustomizations. Returns when it is stopped.
pub async fn kustomize_controller(context: FluxContext) {
    let stop = context.stop.clone();
    stop.run_until_cancelled(kustomize::run(context)).await;
}

/// Installs and upgrades HelmReleases. Returns when it is stopped.
pub async fn helm_controller(context: FluxContext) {
    let stop = context.stop.clone();
    stop.run_until_cancelled(helm::run(context)).await;
}
