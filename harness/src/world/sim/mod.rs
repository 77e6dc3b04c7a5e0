//! The simulated world: a Kubernetes in this process, on real protocols, in field time.
//!
//! ```text
//!   outside     resolver and registry fakes, and a proxy for the operator's desk
//!   runtime     image entrypoint → stand-in in this process, or the status service as a process
//!   machine     what causes can be set in node and API
//!   below       a machine with an installer, for scenarios that begin at its power button; cluster: what it becomes
//!   evidence    what is kept of a world for people
//! ```

mod below;
mod cluster;
#[cfg(test)]
mod listeners;
mod machine;
mod outside;
mod process;
mod runtime;
mod time;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use cluster_api::Store;
use cluster_node::{Resolvers, Wire};
use fake_cluster::ClusterConfig;
use fake_workloads::Quotas;
use field_clock::{Clock, FieldRuntime, Options};
use futures::stream::LocalBoxStream;
use tokio::sync::{mpsc, watch};

use self::below::{Below, Site};
use self::cluster::SimCluster;
use self::machine::SimMachine;
use self::outside::{Servers, SimPortal};
use self::runtime::SimRuntime;
use self::time::TimeServer;
use super::addresses::{API_PORT, APP_PORT, DNS_KNOWN, Network, STATUS_PORT};
use super::faults::{Archive, Faults, Ground};
use super::host::Host;
use super::objects::Objects;
use super::outside::Outside;
use super::outside::gateway::write_trust;
use super::starts::Starts;
use super::{
    Access, Beginning, BootError, BootRequest, BootstrapOptions, Capability, Concealed, InjectError,
    ObjectWrite, Onto, OperatorCommand, OperatorEnd, OperatorLine, Play, Receipt, World, WorldError,
    WorldFactory, evidence, talosctl, writes,
};
use crate::diagnosis::Kind;
use crate::fault::{FaultUse, HealStep};
use crate::run::directory;

const NAME: &str = "sim";
/// The node's name in objects and texts.
const NODE: &str = "appliance";

/// Makes simulated worlds.
pub fn factory() -> Box<dyn WorldFactory> {
    Box::new(Sim)
}

struct Sim;

impl WorldFactory for Sim {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "a simulated Kubernetes in this process; needs nothing"
    }

    fn capabilities(&self) -> &'static [Capability] {
        if talosctl::find().is_some() { &Capability::ALL } else { &Capability::OF_A_CLUSTER }
    }

    fn lacks(&self, capability: Capability) -> Option<&'static str> {
        (capability == Capability::Host).then_some(talosctl::MISSING)
    }

    fn play(&self, request: &BootRequest, play: Play<'_>) -> Result<(), BootError> {
        let failed = |source: WorldError| BootError::Failed { world: NAME, source };
        let network = Network::claim().map_err(|error| BootError::Unavailable {
            world: NAME,
            reason: format!("no loopback network of its own (127.x.y.0/24): {error}"),
        })?;
        let runtime =
            FieldRuntime::start(Options { speed: request.speed.0 }).map_err(|e| failed(e.into()))?;
        let clock = runtime.clock().clone();
        runtime.block_on(async {
            let world = SimWorld::boot(request, network, clock).await.map_err(failed)?;
            play(Box::new(world)).await;
            Ok(())
        })
    }
}

/// A booted simulated world.
struct SimWorld {
    clock: Clock,
    access: Access,
    directory: PathBuf,
    disk: PathBuf,
    /// A directory with the certificates of the simulated registries, for clients on this machine.
    trust: PathBuf,
    operator: Vec<String>,
    machine: SimMachine,
    below: Option<Below>,
    objects: Objects,
    servers: Servers,
    outside: Outside,
    faults: Faults,
    archive: Archive,
    former: IpAddr,
    quotas: Quotas,
    resolvers: Resolvers,
    changes: watch::Receiver<u64>,
    time: TimeServer,
    _network: Network,
}

impl SimWorld {
    async fn boot(request: &BootRequest, network: Network, clock: Clock) -> Result<Self, WorldError> {
        let wire = Wire::new();
        let servers = Servers::start(&clock, &network, &wire).await?;
        let portal = SimPortal::new(&clock, &network, &wire);
        let outside = servers.outside(portal, &request.release).await?;
        let disk = request.directory.join("disk");
        std::fs::create_dir_all(&disk)?;
        let starts = Starts::default();
        let quotas = Quotas::default();
        let time = TimeServer::start(&clock, network.clock()).await?;
        let runtime = SimRuntime {
            status: request.status(),
            api: (network.node(), API_PORT).into(),
            time: time.address(),
            directory: request.directory.clone(),
            starts: starts.clone(),
            quotas: quotas.clone(),
        };
        let resolvers = Resolvers::new(vec![SocketAddr::from((network.resolver(), DNS_KNOWN))]);
        let cluster = SimCluster::planned(
            ClusterConfig {
                node: NODE.to_owned(),
                api_port: API_PORT,
                resolvers: resolvers.clone(),
                wire: wire.clone(),
                trust: vec![servers.trust.clone()],
                seed: request.seed,
                ..ClusterConfig::at(clock.clone(), network.node(), disk.clone())
            },
            Arc::new(runtime),
        )?;
        let cluster = Arc::new(cluster);
        let below = match request.beginning {
            Beginning::Empty | Beginning::Installed => {
                cluster.start().await?;
                None
            }
            Beginning::Machine => {
                let site = Site {
                    clock: &clock,
                    wire: &wire,
                    address: network.node().into(),
                    resolvers: &resolvers,
                    trust: &servers.trust,
                    outside: &outside,
                    home: request.directory.join("machine"),
                };
                Some(Below::start(site, &cluster).await?)
            }
        };
        let kubeconfig = request.directory.join("kubeconfig");
        std::fs::write(&kubeconfig, cluster.kubeconfig())?;
        let trust = request.directory.join("trust");
        write_trust(&trust, &servers.trust)?;
        let access = Access {
            kubeconfig,
            node_ip: network.node().into(),
            status_url: format!("http://{}", network.on_node(STATUS_PORT)),
            app_url: format!("http://{}", network.on_node(APP_PORT)),
        };
        let changes = cluster.store().changes();
        Ok(Self {
            clock,
            access,
            directory: request.directory.clone(),
            trust,
            operator: request.operator(),
            objects: Objects::simulated(cluster.store().clone()),
            machine: SimMachine { cluster, starts },
            below,
            servers,
            outside,
            faults: Faults::default(),
            archive: Archive::default(),
            former: network.former(),
            quotas,
            resolvers,
            disk,
            changes,
            time,
            _network: network,
        })
    }

    fn store(&self) -> &Store {
        self.machine.cluster.store()
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            outside: &self.outside,
            objects: &self.objects,
            machine: &self.machine,
            host: self.below.as_ref().map(|it| it as &dyn Host),
            starts: &self.machine.starts,
            quotas: Some(&self.quotas),
            disk: &self.disk,
            configuration: OperatorCommand::configuration(&self.directory),
            former: Some(self.former),
            archive: &self.archive,
        }
    }

    /// There is no machine below this cluster whose configuration the command could write: what it is told of the machine's
    /// resolvers is done here in its place.
    fn configure_machine(&self, options: &BootstrapOptions) {
        let servers = options.dns_servers.iter().filter_map(|server| server.parse::<IpAddr>().ok());
        let servers: Vec<SocketAddr> = servers.map(|server| (server, DNS_KNOWN).into()).collect();
        if !servers.is_empty() {
            self.resolvers.set(servers);
        }
    }
}

#[async_trait(?Send)]
impl World for SimWorld {
    fn name(&self) -> &str {
        NAME
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn access(&self) -> &Access {
        &self.access
    }

    async fn identity(&self) -> std::collections::BTreeMap<String, String> {
        let told = self.below.as_ref().map(Below::identity);
        told.unwrap_or_default()
    }

    async fn status_token(&self) -> Option<String> {
        evidence::status_token(self.store())
    }

    async fn secrets(&self) -> Concealed {
        evidence::concealed(self.store())
    }

    async fn run_bootstrap(
        &self,
        options: &BootstrapOptions,
        lines: mpsc::UnboundedSender<OperatorLine>,
    ) -> Result<OperatorEnd, WorldError> {
        let onto = if self.below.is_some() { Onto::Machine } else { Onto::Cluster };
        if onto == Onto::Cluster {
            self.configure_machine(options);
        }
        let command =
            OperatorCommand::bootstrap(self.operator.clone(), onto, &self.access, options, &self.directory);
        let site = self.servers.environment(&self.trust);
        let command = site.into_iter().fold(command, |command, (name, value)| command.env(name, value));
        let mut command = command.env("APPLIANCE_CLOCK", self.time.address().to_string());
        if let Some(below) = &self.below {
            command = command.env(talosctl::VARIABLE, &below.talosctl);
        }
        let directory = self.directory.clone();
        let started = move |pid| {
            // Without the record only a runner that is killed leaves this process to its own end.
            let _ = directory::record_process(&directory, pid);
        };
        let command = command.run(&self.clock, options, lines, started);
        let ended = match &self.below {
            Some(below) => below.while_talking(&self.objects, command).await,
            None => command.await,
        };
        Ok(ended?)
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
        Some(writes::writes(self.store(), kinds))
    }

    async fn evidence(&self, directory: &Path) -> Result<(), WorldError> {
        evidence::write_objects(self.store(), directory)?;
        evidence::write_json(&directory.join("resolver.json"), &self.servers.dns.control().receipts())?;
        evidence::write_json(&directory.join("registry.json"), &self.servers.registry.control().receipts())
    }

    async fn down(self: Box<Self>) -> Result<(), WorldError> {
        let Self { machine, servers, below, .. } = *self;
        // A machine without power makes no cluster any more.
        drop(below);
        machine.cluster.stop().await;
        servers.stop().await;
        Ok(())
    }
}
