//! The world of a real Kubernetes: a kind cluster of one node, with the same world outside in a container beside it.
//!
//! ```text
//!   engine, preflight   the programs docker and kind, and what they need
//!   cluster, ways       the node: its resolver, its registries, its volumes           labelled and swept by the run's name
//!   helper              resolvers, registry and portal in a container (fake-outside)  on the same network
//!   shelf               real images, out of the engine
//!   standing            all of that, kept from one scenario to the next
//!   starts              what was started on the node                                  machine: what is done to it
//!   audit               whom its API has refused something
//! ```
//! Time is the machine's. Faults, receipts and heals are those of every world, in `world/faults`.

mod audit;
mod cluster;
mod emptying;
mod engine;
mod helper;
mod home;
mod leftovers;
mod machine;
mod preflight;
mod shelf;
mod standing;
mod starts;
mod ways;

use std::cell::RefCell;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use cluster_api::kinds;
use field_clock::Clock;
use futures::stream::LocalBoxStream;
use tokio::sync::{mpsc, watch};

pub use self::leftovers::{Leftovers, clean};
use self::standing::{Standing, Stock};
use super::addresses::Network;
use super::faults::{Archive, Faults, Ground};
use super::objects::Objects;
use super::outside::Outside;
use super::runtime::SharedRuntime;
use super::{
    Access, BootError, BootRequest, BootstrapOptions, Capability, Concealed, InjectError, ObjectWrite, Onto,
    OperatorCommand, OperatorEnd, OperatorLine, Play, Receipt, Speed, World, WorldError, WorldFactory,
    evidence, writes,
};
use crate::diagnosis::Kind;
use crate::fault::{FaultUse, HealStep};
use crate::run::{Budgets, directory};
use crate::timeline::Timeline;

const NAME: &str = "kind";
/// Ports of the node.
const STATUS_PORT: u16 = 8080;
const APP_PORT: u16 = 3000;

/// Makes worlds of a real Kubernetes.
pub fn factory() -> Box<dyn WorldFactory> {
    Box::new(KindFactory::default())
}

/// As many clusters as there are scenarios at once, kept from one scenario to the next.
#[derive(Default)]
struct KindFactory {
    runtime: SharedRuntime,
    stock: Arc<Stock>,
}

impl WorldFactory for KindFactory {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "a real Kubernetes in a container; needs a container engine, the kind program and a node image"
    }

    fn capabilities(&self) -> &'static [Capability] {
        &Capability::OF_A_CLUSTER
    }

    fn usually_at_once(&self) -> usize {
        1
    }

    fn speed(&self, _wanted: Speed) -> Speed {
        Speed(1.0)
    }

    fn budgets(&self, _speed: Speed) -> Budgets {
        Budgets::real()
    }

    fn play(&self, request: &BootRequest, play: Play<'_>) -> Result<(), BootError> {
        let failed = |source: WorldError| BootError::Failed { world: NAME, source };
        let runtime = self.runtime.get().map_err(|error| failed(error.into()))?;
        runtime.block_on(async {
            let standing = self.stock.take(request).await?;
            let world = KindWorld::boot(request, standing, Arc::clone(&self.stock)).await.map_err(failed)?;
            play(Box::new(world)).await;
            Ok(())
        })
    }

    fn finish(&self) -> Result<(), WorldError> {
        match self.runtime.made() {
            Some(runtime) => runtime.block_on(self.stock.clear()),
            None => Ok(()),
        }
    }
}

/// A cluster in which a scenario is played.
struct KindWorld {
    access: Access,
    /// The directory of this scenario.
    directory: PathBuf,
    operator: Vec<String>,
    standing: Standing,
    stock: Arc<Stock>,
    objects: Objects,
    outside: Outside,
    faults: Faults,
    archive: Archive,
    changes: watch::Receiver<u64>,
    resolvers: RefCell<Vec<IpAddr>>,
    /// Addresses of this machine alone, where it has any: an earlier install's database answers at one.
    loopback: Option<Network>,
    /// The install that the next scenario may begin with.
    stands: RefCell<Option<Arc<Timeline>>>,
}

impl KindWorld {
    async fn boot(request: &BootRequest, standing: Standing, stock: Arc<Stock>) -> Result<Self, WorldError> {
        let outside = standing.outside(&request.release).await?;
        let node = standing.machine.cluster.address;
        let at = |port: u16| format!("http://{}", std::net::SocketAddr::new(node, port));
        let access = Access {
            kubeconfig: standing.machine.cluster.kubeconfig.clone(),
            node_ip: node,
            status_url: at(STATUS_PORT),
            app_url: at(APP_PORT),
        };
        let seen = &standing.mirror.seen;
        Ok(Self {
            access,
            directory: request.directory.clone(),
            operator: request.operator(),
            objects: Objects::real(seen.clone(), standing.client.clone()),
            changes: seen.changes(),
            resolvers: RefCell::new(vec![standing.helper.address]),
            loopback: Network::claim().ok(),
            faults: Faults::default(),
            archive: Archive::default(),
            stands: RefCell::default(),
            outside,
            standing,
            stock,
        })
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            outside: &self.outside,
            objects: &self.objects,
            machine: &self.standing.machine,
            host: None,
            starts: &self.standing.starts,
            quotas: None,
            disk: &self.standing.machine.cluster.disk,
            configuration: OperatorCommand::configuration(self.standing.site()),
            former: self.loopback.as_ref().map(Network::former),
            archive: &self.archive,
        }
    }

    /// There is no machine below this cluster whose configuration the command could write: what it is told of the machine's
    /// resolvers is done here in its place.
    async fn configure_machine(&self, options: &BootstrapOptions) -> Result<(), WorldError> {
        let servers: Vec<IpAddr> = options.dns_servers.iter().filter_map(|it| it.parse().ok()).collect();
        if !servers.is_empty() && *self.resolvers.borrow() != servers {
            self.standing.machine.cluster.resolve_by(&servers).await?;
            self.resolvers.replace(servers);
        }
        Ok(())
    }
}

#[async_trait(?Send)]
impl World for KindWorld {
    fn name(&self) -> &str {
        NAME
    }

    fn clock(&self) -> Clock {
        Clock::wall()
    }

    fn access(&self) -> &Access {
        &self.access
    }

    fn installed(&self) -> Option<Arc<Timeline>> {
        self.standing.installed()
    }

    fn stands(&self, timeline: &Timeline) {
        self.stands.replace(timeline.install().map(Arc::new));
    }

    async fn identity(&self) -> std::collections::BTreeMap<String, String> {
        self.standing.identity()
    }

    async fn status_token(&self) -> Option<String> {
        evidence::status_token(&self.standing.mirror.seen)
    }

    async fn secrets(&self) -> Concealed {
        evidence::concealed(&self.standing.mirror.seen)
    }

    async fn run_bootstrap(
        &self,
        options: &BootstrapOptions,
        lines: mpsc::UnboundedSender<OperatorLine>,
    ) -> Result<OperatorEnd, WorldError> {
        self.configure_machine(options).await?;
        let command = OperatorCommand::bootstrap(
            self.operator.clone(),
            Onto::Cluster,
            &self.access,
            options,
            self.standing.site(),
        );
        let site = self.standing.environment();
        let command = site.into_iter().fold(command, |command, (name, value)| command.env(name, value));
        let directory = self.directory.clone();
        let started = move |pid| {
            // Without the record only a runner that is killed leaves this process to its own end.
            let _ = directory::record_process(&directory, pid);
        };
        Ok(command.run(&Clock::wall(), options, lines, started).await?)
    }

    async fn inject(&self, fault: &FaultUse) -> Result<(), InjectError> {
        self.faults.inject(&self.ground(), fault).await
    }

    async fn heal(&self, step: &HealStep) -> Result<(), InjectError> {
        self.faults.heal(&self.ground(), step).await
    }

    async fn receipt(&self, fault: &FaultUse) -> Receipt {
        self.faults.receipt(&self.ground(), fault).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    fn writes(&self, kinds: &[Kind]) -> Option<LocalBoxStream<'static, ObjectWrite>> {
        Some(writes::writes(&self.standing.mirror.seen, kinds))
    }

    async fn evidence(&self, directory: &Path) -> Result<(), WorldError> {
        evidence::write_objects(&self.standing.mirror.seen, directory)?;
        evidence::write_json(&directory.join("resolver.json"), &self.outside.resolver().receipts().await?)?;
        evidence::write_json(&directory.join("registry.json"), &self.outside.registry().receipts().await?)?;
        self.standing.logs(directory).await
    }

    async fn down(self: Box<Self>) -> Result<(), WorldError> {
        let Self { mut standing, stock, faults, stands, .. } = *self;
        // Who troubles the API ends when it is forgotten; the cluster is emptied before the next scenario.
        drop(faults);
        standing.leave(stands.into_inner());
        stock.put_back(standing);
        Ok(())
    }
}

/// Whether the cluster has nothing of an appliance.
fn is_empty(seen: &cluster_api::Store) -> bool {
    let namespaces = ["msp", "alga-system", "flux-system", "appliance-system", "local-path-storage"];
    namespaces.iter().all(|name| seen.get(&kinds::NAMESPACES, "", name).is_none())
        && seen.list(&kinds::PERSISTENT_VOLUMES, None).is_empty()
        && seen.list(&kinds::STORAGE_CLASSES, None).is_empty()
}
