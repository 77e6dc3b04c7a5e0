//! The machine below a simulated cluster, for scenarios that begin at its power button: Talos' API, spoken to by the real `talosctl`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cluster_api::kinds;
use cluster_node::oci::Client;
use cluster_node::{PodNetwork, Resolvers, Wire};
use fake_network::ImageSpec;
use fake_talos::{Disk, Machine, Medium, Memory, Moment, Parts, Power, Room, Server, Voice};
use field_clock::Clock;
use futures::future::{Either, select};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::cluster::{Becomes, SimCluster};
use crate::world::host::{Became, CONSOLE, Host, METHODS, Stage, Told, Visit, started_again};
use crate::world::machine::{Done, MachineError};
use crate::world::objects::Objects;
use crate::world::outside::{HOSTS, Outside};
use crate::world::{WorldError, talosctl};

/// Where Talos' API is.
const TALOS_PORT: u16 = 50_000;
/// What can be written in the machine.
const DISK: (&str, u64) = ("/dev/vda", 64 << 30);
/// What the machine has of memory.
const MEMORY: Memory = Memory(8192);
/// What the command makes first in a cluster.
const MADE_FIRST: &str = "alga-system";
/// Who configured the machine before, when somebody did.
const ANOTHER: &str = "another-site";

/// What a machine is put into.
pub(super) struct Site<'a> {
    pub(super) clock: &'a Clock,
    pub(super) wire: &'a Wire,
    pub(super) address: IpAddr,
    pub(super) resolvers: &'a Resolvers,
    pub(super) trust: &'a str,
    pub(super) outside: &'a Outside,
    /// A directory of its own.
    pub(super) home: PathBuf,
}

/// A machine that was switched on.
pub(super) struct Below {
    machine: Machine,
    _power: Power,
    _server: Server,
    pub(super) talosctl: PathBuf,
    home: PathBuf,
    address: IpAddr,
    installer: String,
    clock: Clock,
    /// When its reset button was pressed at a stage.
    pressed: Arc<Mutex<Vec<Timestamp>>>,
}

impl Below {
    /// Puts a machine into its site and switches it on; `cluster` is what it becomes.
    pub(super) async fn start(site: Site<'_>, cluster: &Arc<SimCluster>) -> Result<Self, WorldError> {
        let program = talosctl::find().ok_or(talosctl::MISSING)?;
        std::fs::create_dir_all(&site.home)?;
        let images = talosctl::said(&program, &site.home, &["image", "default"]).await?;
        let installer = publish(site.outside, &images).await?;
        let (clock, resolvers) = (site.clock.clone(), site.resolvers.clone());
        let network = PodNetwork::of_node(clock.clone(), site.wire.clone(), site.address, resolvers.clone());
        let machine = Machine::new(Parts {
            address: site.address,
            clock,
            images: Client::new(network, &[site.trust.to_owned()])?,
            resolvers,
            memory: MEMORY,
            disks: vec![Disk { path: DISK.0.to_owned(), size: DISK.1 }],
            cluster: Arc::new(Becomes(Arc::clone(cluster))),
        });
        let server = Server::start(machine.clone(), SocketAddr::new(site.address, TALOS_PORT)).await?;
        Ok(Self {
            _power: machine.switch_on(),
            machine,
            _server: server,
            talosctl: program,
            home: site.home,
            address: site.address,
            installer,
            clock: site.clock.clone(),
            pressed: Arc::default(),
        })
    }

    /// What it has been asked, and what it has said.
    pub(super) fn identity(&self) -> BTreeMap<String, String> {
        let methods: BTreeSet<String> = self
            .machine
            .visits()
            .into_iter()
            .filter_map(|(_, visit)| match visit {
                fake_talos::Visit::Called(method) => Some(method),
                fake_talos::Visit::Unanswered | fake_talos::Visit::Distrusted => None,
            })
            .collect();
        let mut console = Sha256::new();
        for (_, line) in self.machine.history() {
            console.update(line);
        }
        let console = console.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let methods = methods.into_iter().collect::<Vec<_>>().join(" ");
        BTreeMap::from([(METHODS.to_owned(), methods), (CONSOLE.to_owned(), console)])
    }

    /// Slows time down while `command` talks to this machine: until it has made something in a cluster, or has ended.
    pub(super) async fn while_talking<T>(&self, objects: &Objects, command: impl Future<Output = T>) -> T {
        let strangers = objects.clock().among_strangers();
        let made = || objects.get(&kinds::NAMESPACES, "", MADE_FIRST);
        if made().is_some() {
            return command.await;
        }
        let talked = async {
            objects.until(made).await;
            drop(strangers);
        };
        match select(pin!(command), pin!(talked)).await {
            Either::Left((output, _)) => output,
            Either::Right(((), command)) => command.await,
        }
    }

    /// Has files made for a machine of somebody else.
    async fn made_for_another(&self, what: &str, to: &Path) -> Result<(), WorldError> {
        let endpoint = format!("https://{}:6443", self.address);
        let to = to.to_string_lossy();
        let arguments =
            ["gen", "config", ANOTHER, &endpoint, "--output-types", what, "--output", &to, "--force"];
        talosctl::said(&self.talosctl, &self.home, &arguments).await.map(drop)
    }
}

/// Publishes what a machine pulls by itself; returns the registry of its installer.
async fn publish(outside: &Outside, images: &str) -> Result<String, WorldError> {
    let mut installer = None;
    for image in images.lines().map(str::trim) {
        let Some((repository, tag)) = image.rsplit_once(':') else { continue };
        let host = repository.split('/').next().unwrap_or_default();
        if !HOSTS.contains(&host) {
            continue;
        }
        outside.registry().push_image(repository, tag, &ImageSpec::program(["/it"])).await?;
        if repository.ends_with("/installer") {
            installer = Some(host.to_owned());
        }
    }
    installer.ok_or_else(|| "talosctl names no installer among its images".into())
}

fn failed(source: impl Into<WorldError>) -> MachineError {
    MachineError::Failed(source.into())
}

fn became(visit: &fake_talos::Visit) -> Became {
    match visit {
        fake_talos::Visit::Unanswered => Became::Unanswered,
        fake_talos::Visit::Distrusted => Became::Distrusted,
        fake_talos::Visit::Called(_) => Became::Heard,
    }
}

fn told(all: Vec<(Timestamp, String)>) -> Vec<Told> {
    all.into_iter().map(|(at, what)| Told { at, what }).collect()
}

#[async_trait(?Send)]
impl Host for Below {
    async fn write_image(&self) -> Done {
        self.machine.write_image();
        Ok(())
    }

    async fn fall_silent(&self) -> Done {
        self.machine.speak(Voice::Silent);
        Ok(())
    }

    /// To whoever calls, a machine without a network is one that never answers.
    async fn unplug(&self) -> Done {
        self.fall_silent().await
    }

    async fn plug_in(&self) -> Done {
        self.machine.speak(Voice::Clear);
        Ok(())
    }

    async fn leave_medium_in(&self) -> Done {
        self.machine.leave_medium(Medium::LeftIn);
        Ok(())
    }

    async fn take_medium_out(&self) -> Done {
        self.machine.leave_medium(Medium::Out);
        self.restart().await
    }

    async fn restart(&self) -> Done {
        self.machine.speak(Voice::Clear);
        self.machine.restart();
        Ok(())
    }

    async fn restart_at(&self, stage: Stage) -> Done {
        let machine = self.machine.clone();
        let moment = match stage {
            Stage::Installing => Moment::Installing,
            Stage::Booting => Moment::Booting,
            Stage::Bootstrapped => Moment::Bootstrapped,
        };
        let (pressed, clock) = (Arc::clone(&self.pressed), self.clock.clone());
        tokio::spawn(async move {
            machine.reached(moment).await;
            pressed.lock().unwrap_or_else(PoisonError::into_inner).push(clock.now());
            machine.restart();
        });
        Ok(())
    }

    async fn configure_as_another(&self) -> Done {
        let path = self.home.join("another.yaml");
        self.made_for_another("controlplane", &path).await.map_err(failed)?;
        let configuration = std::fs::read(&path).map_err(failed)?;
        let refused = |status| failed(format!("a configuration is refused: {status}"));
        self.machine.configured_before(&configuration).map_err(refused)?;
        self.machine.restart();
        Ok(())
    }

    async fn wipe(&self) -> Done {
        self.machine.wipe();
        self.machine.restart();
        Ok(())
    }

    async fn fill_disk(&self) -> Done {
        self.machine.leave(Room::None);
        Ok(())
    }

    async fn free_disk(&self) -> Done {
        self.machine.leave(Room::Enough);
        Ok(())
    }

    async fn leave_memory(&self, mebibytes: u64) -> Done {
        self.machine.hold(Memory(mebibytes));
        Ok(())
    }

    async fn add_memory(&self) -> Done {
        self.machine.hold(MEMORY);
        self.restart().await
    }

    async fn set_clock_ahead(&self, by: Duration) -> Done {
        self.machine.be_ahead(by);
        Ok(())
    }

    async fn write_credentials_of_another(&self, to: &Path) -> Done {
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        self.made_for_another("talosconfig", to).await.map_err(failed)
    }

    fn installer_host(&self) -> &str {
        &self.installer
    }

    async fn visits(&self) -> Done<Vec<Visit>> {
        let visits = self.machine.visits().into_iter();
        Ok(visits.map(|(at, visit)| Visit { at, became: became(&visit), what: visit.to_string() }).collect())
    }

    async fn is_configured(&self) -> Done<bool> {
        let applied = |visit: &fake_talos::Visit| matches!(visit, fake_talos::Visit::Called(method) if method.contains("ApplyConfiguration"));
        Ok(self.machine.visits().iter().any(|(_, visit)| applied(visit)))
    }

    async fn restarts(&self) -> Done<Vec<Told>> {
        let pressed = self.pressed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(started_again(&pressed, &self.console().await?))
    }

    async fn console(&self) -> Done<Vec<Told>> {
        Ok(told(self.machine.history()))
    }
}
