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
mod lease;
mod log;
mod pace;
mod render;
mod source;
mod status;
mod trigger;
mod wait;
mod work;
mod yaml;

use std::path::PathBuf;

use cluster_api::Store;
use cluster_node::{LogSink, PodNetwork, Wire};
use field_clock::Clock;
use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

pub use artifacts::ArtifactStore;
pub use helm::{HelmError, HelmProgram};
pub use lease::Leases;
pub use pace::Burden;

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
    /// The controller's arguments.
    pub arguments: Vec<String>,
    /// What the controller's instance is called.
    pub identity: String,
    /// Which instances lead; one for all controllers.
    pub leases: Leases,
    /// How busy the controllers' machine is; one for all three.
    pub burden: Burden,
    /// Where the source-controller's artifacts lie, when that goes away with its pod.
    pub storage: Option<PathBuf>,
    /// Ends the controller.
    pub stop: CancellationToken,
}

impl FluxContext {
    /// How many objects of a kind are worked on at once: what `--concurrent` says.
    fn workers(&self, usual: usize) -> usize {
        let said = self.arguments.iter().find_map(|argument| argument.strip_prefix("--concurrent="));
        said.and_then(|number| number.parse().ok()).unwrap_or(usual)
    }

    /// Works once the lease is there; gives it back when it is told to end.
    async fn lead(self, controller: &str, work: impl Future<Output = ()>) {
        let stop = self.stop.clone();
        let lease = self.leases.acquire(&self.store, &self.clock, controller, &self.identity);
        let Some(lease) = stop.run_until_cancelled(lease).await else { return };
        work.await;
        lease.release();
    }
}

/// Fetches artifacts and charts from registries. Returns when it is stopped.
pub async fn source_controller(context: FluxContext) {
    let work = context.stop.clone().run_until_cancelled_owned(source::run(context.clone()));
    context.lead("source-controller", work.map(|_| ())).await;
}

/// Builds and applies Kustomizations. Returns when it is stopped, after what it does has noticed.
pub async fn kustomize_controller(context: FluxContext) {
    let work = kustomize::run(context.clone());
    context.lead("kustomize-controller", work).await;
}

/// Installs and upgrades HelmReleases. Returns when it is stopped, after what it does has noticed.
pub async fn helm_controller(context: FluxContext) {
    let work = helm::run(context.clone());
    context.lead("helm-controller", work).await;
}
