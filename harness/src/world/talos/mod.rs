//! The world of a real machine: Talos under QEMU, from its power button on, with the same world outside.
//!
//! ```text
//!   image, preflight   what machines boot from, and what they need of this machine
//!   ready              once for a run: accelerator, images, a machine in maintenance mode, saved     disk, archives
//!   below              one machine for each scenario: goes on from the snapshot, and what happens to it
//!   talk, relay        its API, asked; its ports at an address of its own, and who came to them
//!   outside            resolvers, registry and time server on its network                 patch: whom it trusts
//! ```
//! Time is the machine's. A machine waits for its configuration when a scenario begins: the operator's command makes a cluster of it.

mod archives;
mod below;
mod disk;
mod image;
mod node;
mod outside;
mod patch;
mod preflight;
mod ready;
mod relay;
mod talk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use field_clock::Clock;
use futures::future::{Either, select};
use futures::stream::LocalBoxStream;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OnceCell, mpsc, watch};

use self::below::{Below, Site};
use self::node::TalosNode;
use self::outside::Servers;
use self::ready::Ready;
use super::addresses::{APP_PORT, Network, STATUS_PORT};
use super::faults::{Archive, Faults, Ground};
use super::host::{CONSOLE, Host, METHODS};
use super::mirror::{Mirror, client};
use super::objects::Objects;
use super::outside::Outside;
use super::outside::gateway::write_trust;
use super::runtime::SharedRuntime;
use super::starts::Starts;
use super::{
    Access, BootError, BootRequest, BootstrapOptions, Capability, Concealed, InjectError, ObjectWrite, Onto,
    OperatorCommand, OperatorEnd, OperatorLine, Play, Receipt, Speed, World, WorldError, WorldFactory,
    evidence, talosctl, writes,
};
use crate::diagnosis::Kind;
use crate::fault::{FaultUse, HealStep};
use crate::run::{Budgets, directory};

const NAME: &str = "talos";
/// What can be done in such a world.
const ABLE: [Capability; 6] = [
    Capability::Dns,
    Capability::Registry,
    Capability::Flux,
    Capability::Values,
    Capability::Objects,
    Capability::Host,
];
/// The folder of machines that run, in that of worlds; the paths of their sockets must be short.
const MACHINES: &str = "machines";
/// Where the command keeps what it knows of a site that it is not told the name of.
const SITE: &str = "appliance";
/// How often it is looked for that a command has made a cluster.
const AGAIN: Duration = Duration::from_secs(1);
/// The wrapper by which the command's own `talosctl` adds what the laboratory is otherwise.
const WRAPPER: &str = include_str!("../../../../scripts/talos-vm-talosctl.sh");

/// Makes worlds of real machines.
pub fn factory() -> Box<dyn WorldFactory> {
    Box::new(TalosFactory::default())
}

/// Removes machines of runners that are no more.
///
/// # Errors
/// The place of machines cannot be read.
pub fn clean(base: &Path) -> Result<smoke_vm::Swept, WorldError> {
    Ok(smoke_vm::sweep(&base.join(MACHINES))?)
}

/// What is made once, when the first scenario wants it.
#[derive(Default)]
struct TalosFactory {
    runtime: SharedRuntime,
    ready: Mutex<Arc<OnceCell<Arc<Ready>>>>,
}

impl TalosFactory {
    fn cell(&self) -> Arc<OnceCell<Arc<Ready>>> {
        Arc::clone(&self.ready.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl WorldFactory for TalosFactory {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "a real machine of Talos under QEMU; needs QEMU, and a folder with Talos' kernel and first root"
    }

    fn capabilities(&self) -> &'static [Capability] {
        &ABLE
    }

    fn usually_at_once(&self) -> usize {
        1
    }

    fn speed(&self, _wanted: Speed) -> Speed {
        Speed(1.0)
    }

    fn budgets(&self, _speed: Speed) -> Budgets {
        Budgets::machine()
    }

    fn play(&self, request: &BootRequest, play: Play<'_>) -> Result<(), BootError> {
        let failed = |source: WorldError| BootError::Failed { world: NAME, source };
        let runtime = self.runtime.get().map_err(|error| failed(error.into()))?;
        let cell = self.cell();
        runtime.block_on(async {
            let ready = cell.get_or_try_init(async || Ready::make(request).await.map(Arc::new)).await?;
            let world = TalosWorld::boot(request, Arc::clone(ready)).await.map_err(failed)?;
            play(Box::new(world)).await;
            Ok(())
        })
    }

    fn finish(&self) -> Result<(), WorldError> {
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
        Ok(())
    }
}

/// A machine that a scenario is played on.
struct TalosWorld {
    access: Access,
    directory: PathBuf,
    operator: Vec<String>,
    ready: Arc<Ready>,
    below: Below,
    node: TalosNode,
    servers: Arc<Servers>,
    outside: Outside,
    mirror: Mirror,
    objects: Objects,
    starts: Starts,
    faults: Faults,
    archive: Archive,
    changes: watch::Receiver<u64>,
    trust: PathBuf,
    wrapper: PathBuf,
    network: Network,
}

impl TalosWorld {
    async fn boot(request: &BootRequest, ready: Arc<Ready>) -> Result<Self, WorldError> {
        let network = Network::claim()?;
        let servers = Arc::new(Servers::start(&Clock::wall(), &network, &ready.authority).await?);
        let outside = servers.outside(Arc::clone(&ready.wares), &request.release).await?;
        ready.archives.publish(&outside, &ready.wares).await?;
        let site = Site {
            network: &network,
            servers: Arc::clone(&servers),
            home: request.directory.join("machine"),
            patch: patch::patch(&servers.trust, ready.image.patch.as_deref())?,
        };
        let below = Below::start(&ready, site).await?;
        let at = |port: u16| format!("http://{}", network.on_node(port));
        let kubeconfig = OperatorCommand::configuration(&request.directory).join(SITE).join("kubeconfig");
        let access = Access {
            node_ip: network.node().into(),
            status_url: at(STATUS_PORT),
            app_url: at(APP_PORT),
            kubeconfig: kubeconfig.clone(),
        };
        let way = Arc::new(OnceLock::new());
        let mirror = Mirror::follow_when(made(kubeconfig, Arc::clone(&way)));
        let trust = request.directory.join("trust");
        write_trust(&trust, &servers.trust)?;
        let wrapper = request.directory.join("talosctl");
        write_program(&wrapper, WRAPPER)?;
        Ok(Self {
            access,
            directory: request.directory.clone(),
            operator: request.operator(),
            ready,
            below,
            node: TalosNode,
            servers,
            outside,
            objects: Objects::of_the_future(mirror.seen.clone(), way),
            changes: mirror.seen.changes(),
            mirror,
            starts: Starts::default(),
            faults: Faults::default(),
            archive: Archive::default(),
            trust,
            wrapper,
            network,
        })
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            outside: &self.outside,
            objects: &self.objects,
            machine: &self.node,
            host: Some(&self.below as &dyn Host),
            starts: &self.starts,
            quotas: None,
            disk: &self.directory,
            configuration: OperatorCommand::configuration(&self.directory),
            former: Some(self.network.former()),
            archive: &self.archive,
        }
    }

    /// The operator's command, told of its site and of its `talosctl`.
    fn command(&self, options: &BootstrapOptions) -> OperatorCommand {
        let operator = self.operator.clone();
        let command =
            OperatorCommand::bootstrap(operator, Onto::Machine, &self.access, options, &self.directory);
        let site = self.servers.environment(&self.trust);
        let command = site.into_iter().fold(command, |command, (name, value)| command.env(name, value));
        command
            .env(talosctl::VARIABLE, &self.wrapper)
            .env("TALOS_VM_TALOSCTL", &self.ready.image.talosctl)
            .env("TALOS_VM_PATCH", &self.below.patch)
    }

    /// What the operator's folder holds that nobody else may know.
    fn site_secrets(&self) -> Vec<String> {
        let folder = OperatorCommand::configuration(&self.directory).join(SITE);
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        ["secrets.yaml", "talosconfig"].iter().flat_map(|name| values(&read(name))).collect()
    }
}

/// The values of a YAML file of secrets: long words alone on the right of a colon.
fn values(text: &str) -> Vec<String> {
    let right = text.lines().filter_map(|line| line.split_once(": ").map(|(_, value)| value.trim()));
    right.filter(|value| value.len() >= 16 && !value.contains(' ')).map(str::to_owned).collect()
}

fn write_program(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::File::options().create(true).truncate(true).write(true).mode(0o700).open(path)?;
    file.write_all(text.as_bytes())
}

/// The way to the cluster, as soon as the command has made one and written it down.
async fn made(kubeconfig: PathBuf, way: Arc<OnceLock<kube::Client>>) -> kube::Client {
    let clock = Clock::wall();
    loop {
        if kubeconfig.is_file()
            && let Ok(client) = client(&kubeconfig).await
        {
            return way.get_or_init(|| client).clone();
        }
        clock.sleep(AGAIN).await;
    }
}

#[async_trait(?Send)]
impl World for TalosWorld {
    fn name(&self) -> &str {
        NAME
    }

    fn clock(&self) -> Clock {
        Clock::wall()
    }

    fn access(&self) -> &Access {
        &self.access
    }

    async fn identity(&self) -> BTreeMap<String, String> {
        let digests =
            self.ready.image.digests.iter().map(|(name, sum)| (format!("sha256 {name}"), sum.clone()));
        let mut known: BTreeMap<String, String> = digests.collect();
        let milliseconds = |time: Duration| time.as_millis().to_string();
        let (booted, saved) = self.ready.took;
        known.insert("accelerator".to_owned(), self.ready.chosen.to_string());
        known.insert("maintenanceMs".to_owned(), milliseconds(booted));
        known.insert("snapshotMs".to_owned(), milliseconds(saved));
        known.insert("restoreMs".to_owned(), milliseconds(self.below.restored));
        if let Ok(console) = std::fs::read(self.below.machine.console().recording()) {
            let sum = Sha256::digest(&console).iter().map(|byte| format!("{byte:02x}")).collect();
            known.insert(CONSOLE.to_owned(), sum);
        }
        let folder = OperatorCommand::configuration(&self.directory).join(SITE);
        known.insert(METHODS.to_owned(), self.below.methods(&folder.join("talosconfig")).await.join(" "));
        known
    }

    async fn status_token(&self) -> Option<String> {
        evidence::status_token(&self.mirror.seen)
    }

    async fn secrets(&self) -> Concealed {
        evidence::concealed(&self.mirror.seen).and(Concealed::new(self.site_secrets()))
    }

    async fn run_bootstrap(
        &self,
        options: &BootstrapOptions,
        lines: mpsc::UnboundedSender<OperatorLine>,
    ) -> Result<OperatorEnd, WorldError> {
        let directory = self.directory.clone();
        let started = move |pid| {
            // Without the record only a runner that is killed leaves this process to its own end.
            let _ = directory::record_process(&directory, pid);
        };
        let command = self.command(options);
        let clock = Clock::wall();
        let command = command.run(&clock, options, lines, started);
        // A machine that is no more is no failure of the appliance's.
        match select(pin!(command), pin!(self.below.trouble())).await {
            Either::Left((ended, _)) => Ok(ended?),
            Either::Right((trouble, _)) => Err(trouble),
        }
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
        Some(writes::writes(&self.mirror.seen, kinds))
    }

    async fn evidence(&self, directory: &Path) -> Result<(), WorldError> {
        evidence::write_objects(&self.mirror.seen, directory)?;
        evidence::write_json(&directory.join("resolver.json"), &self.outside.resolver().receipts().await?)?;
        evidence::write_json(&directory.join("registry.json"), &self.outside.registry().receipts().await?)?;
        let console = std::fs::read(self.below.machine.console().recording())?;
        let console = self.secrets().await.mask(&String::from_utf8_lossy(&console));
        std::fs::write(directory.join("console.txt"), console)?;
        Ok(())
    }

    async fn down(self: Box<Self>) -> Result<(), WorldError> {
        let Self { below, servers, outside, faults, .. } = *self;
        drop((faults, outside));
        drop(servers);
        let servers = below.down().await;
        if let Some(servers) = Arc::into_inner(servers) {
            servers.stop().await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secrets_of_a_site_are_known_by_their_length() {
        let text = "cluster:\n    id: tooshort\n    secret: FMAGyIVCu24kWp4J5kbhRvs3SmtBaBOQHe4yv=\n";
        assert_eq!(values(text), ["FMAGyIVCu24kWp4J5kbhRvs3SmtBaBOQHe4yv="]);
    }
}
