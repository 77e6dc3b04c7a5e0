//! A machine: what it is at this moment, and what can be done to it.

mod life;
mod memory;
mod pull;
mod state;

pub use self::life::Power;
pub(crate) use self::state::Stage;
use self::state::{Etcd, OnDisk};
pub use self::state::{Medium, Memory, Moment, Room, Voice};

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster_node::Resolvers;
use cluster_node::oci::Client;
use field_clock::Clock;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;
use tonic::Status;

use crate::configuration::Configuration;
use crate::identity;
use crate::journal::Journal;
use crate::resources::{DISKS, MACHINE_STATUSES, Told};
use crate::services::{Services, State};
use crate::visits::{Visit, Visits};

/// Where names are asked for.
const DNS: u16 = 53;

/// The cluster that a machine becomes.
pub trait Cluster: Send + Sync {
    /// Its control plane starts.
    fn start(&self);

    /// The machine goes down, and its control plane with it.
    fn stop(&self);

    /// A kubeconfig of its administrator.
    fn kubeconfig(&self) -> String;

    /// What keeps its node from being ready; nothing where it is.
    fn unready(&self) -> Option<String>;
}

/// A disk of a machine.
#[derive(Clone, Debug)]
pub struct Disk {
    /// `/dev/vda` and the like.
    pub path: String,
    /// Bytes.
    pub size: u64,
}

/// What a machine is made of.
pub struct Parts {
    /// Its address.
    pub address: IpAddr,
    /// Its time.
    pub clock: Clock,
    /// How it pulls images.
    pub images: Client,
    /// Whom it asks for names, until a configuration names others.
    pub resolvers: Resolvers,
    /// What can be written in it.
    pub disks: Vec<Disk>,
    /// How much memory it has when it is switched on first.
    pub memory: Memory,
    /// What it becomes.
    pub cluster: Arc<dyn Cluster>,
}

/// What a machine knows, on its disk and off it.
struct Now {
    stage: Stage,
    voice: Voice,
    room: Room,
    memory: Memory,
    medium: Medium,
    ahead: Duration,
    identity: Option<Arc<rustls::ServerConfig>>,
    configuration: Option<Configuration>,
    disk: OnDisk,
    etcd: Etcd,
    services: Services,
    version: u64,
    created: Timestamp,
    updated: Timestamp,
}

/// A machine. Clones are the same machine.
#[derive(Clone)]
pub struct Machine(Arc<Whole>);

struct Whole {
    parts: Parts,
    journal: Journal,
    visits: Visits,
    now: Mutex<Now>,
    changes: watch::Sender<u64>,
    restarts: watch::Sender<u64>,
}

impl Machine {
    /// A machine without power.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let at = parts.clock.now();
        let now = Now {
            stage: Stage::Down,
            voice: Voice::Clear,
            room: Room::Enough,
            memory: parts.memory,
            medium: Medium::Out,
            ahead: Duration::ZERO,
            identity: None,
            configuration: None,
            disk: OnDisk::Nothing,
            etcd: Etcd::Absent,
            services: Services::default(),
            version: 1,
            created: at,
            updated: at,
        };
        let journal = Journal::new(parts.clock.clone());
        let (changes, restarts) = (watch::Sender::new(0), watch::Sender::new(0));
        let visits = Visits::default();
        Self(Arc::new(Whole { parts, journal, visits, now: Mutex::new(now), changes, restarts }))
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.0.parts.address
    }

    /// How it treats its callers from now on.
    pub fn speak(&self, voice: Voice) {
        self.change(|now| now.voice = voice);
    }

    /// What its disk takes from now on.
    pub fn leave(&self, room: Room) {
        self.change(|now| now.room = room);
    }

    /// How much memory it has, from its next start on.
    pub fn hold(&self, memory: Memory) {
        self.change(|now| now.memory = memory);
    }

    /// What it starts from, from its next start on.
    pub fn leave_medium(&self, medium: Medium) {
        self.change(|now| now.medium = medium);
    }

    /// How far its clock is ahead of everybody's, from when it starts next.
    pub fn be_ahead(&self, by: Duration) {
        self.change(|now| now.ahead = by);
    }

    /// Wipes its disk: it knows no configuration any more. It goes on as before until it starts again.
    pub fn wipe(&self) {
        self.change(|now| {
            (now.configuration, now.disk, now.etcd) = (None, OnDisk::Nothing, Etcd::Absent);
        });
    }

    /// Its disk has Talos on it, written there by somebody else: it needs no installer.
    pub fn write_image(&self) {
        self.change(|now| now.disk = OnDisk::Talos);
    }

    /// Waits until that has come.
    pub async fn reached(&self, moment: Moment) {
        self.until(|it| {
            let now = it.now();
            match moment {
                Moment::Installing => now.stage == Stage::Installing,
                Moment::Booting => matches!(now.stage, Stage::Booting | Stage::Running),
                Moment::Bootstrapped => now.etcd == Etcd::There,
            }
        })
        .await;
    }

    /// Who has come to its API so far, and what became of them.
    #[must_use]
    pub fn visits(&self) -> Vec<(Timestamp, Visit)> {
        self.0.visits.all()
    }

    pub(crate) fn visited(&self, visit: Visit) {
        self.0.visits.note(self.clock(), visit);
    }

    /// Gives it a configuration before it is switched on, as somebody did who was here before.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn configured_before(&self, configuration: &[u8]) -> Result<(), Status> {
        let configuration = Configuration::read(configuration)?;
        self.resolve_by(&configuration);
        self.change(|now| {
            now.configuration = Some(configuration);
            now.disk = OnDisk::Configured;
        });
        Ok(())
    }

    /// What it has said since it was switched on, a line each.
    #[must_use]
    pub fn console(&self) -> Vec<String> {
        self.0.journal.kernel_log()
    }

    /// All that it ever said, each with its time.
    #[must_use]
    pub fn history(&self) -> Vec<(Timestamp, String)> {
        self.0.journal.history()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    pub(crate) fn voice(&self) -> Voice {
        self.now().voice
    }

    /// What it shows to whoever connects; nothing where nobody listens.
    pub(crate) fn identity(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.now().identity.clone()
    }

    pub(crate) fn stage(&self) -> Stage {
        self.now().stage
    }

    pub(crate) fn services(&self) -> Services {
        self.now().services.clone()
    }

    pub(crate) fn kubeconfig(&self) -> String {
        self.0.parts.cluster.kubeconfig()
    }

    /// Takes a configuration; says what that meant.
    ///
    /// # Errors
    /// In the words of Talos, where it cannot be used.
    pub(crate) fn configure(&self, data: &[u8], attempt: Attempt) -> Result<&'static str, Status> {
        let configuration = Configuration::read(data)?;
        let maintenance = self.stage() == Stage::Maintenance;
        if attempt == Attempt::Dry {
            let told =
                "Dry run summary:\nNode is running in maintenance mode and does not have a config yet.";
            return Ok(if maintenance { told } else { "Dry run summary:\nNo changes." });
        }
        if let Err(error) = identity::of(&configuration, self.address(), None) {
            return Err(Status::invalid_argument(format!("configuration validation failed: {error}")));
        }
        self.resolve_by(&configuration);
        self.change(|now| now.configuration = Some(configuration));
        Ok(if maintenance { "" } else { "Applied configuration without a reboot" })
    }

    /// Makes this machine the first of its cluster.
    ///
    /// # Errors
    /// Where it is too early, or was done before.
    pub(crate) fn bootstrap(&self) -> Result<(), Status> {
        let outcome = self.change(|now| match now.etcd {
            Etcd::There => Err(Status::already_exists("etcd data directory is not empty")),
            Etcd::Absent => Err(Status::failed_precondition("bootstrap is not available yet")),
            Etcd::Awaited => {
                now.etcd = Etcd::There;
                Ok(())
            }
        });
        if outcome.is_ok() {
            self.0.journal.say("bootstrap request received");
        }
        outcome
    }

    /// What it tells of itself as resources.
    pub(crate) fn told(&self) -> Vec<Told> {
        let now = self.now();
        let unmet = unmet(&now, &*self.0.parts.cluster);
        let status = json!({ "stage": now.stage.name(), "status": { "ready": unmet.is_empty(), "unmetConditions": unmet } });
        let told = |r#type, id: String, owner, spec: &Value| Told {
            r#type,
            id,
            owner,
            version: now.version,
            created: now.created,
            updated: now.updated,
            // Every JSON document is a YAML document.
            yaml: spec.to_string(),
        };
        let mut all =
            vec![told(MACHINE_STATUSES, "machine".to_owned(), "runtime.MachineStatusController", &status)];
        for disk in &self.0.parts.disks {
            let id = disk.path.rsplit('/').next().unwrap_or_default().to_owned();
            let gigabytes = disk.size / 1_000_000_000;
            let spec = json!({
                "dev_path": disk.path, "size": disk.size, "pretty_size": format!("{gigabytes} GB"),
                "io_size": 512, "sector_size": 512, "readonly": false, "cdrom": false, "transport": "virtio",
            });
            all.push(told(DISKS, id, "block.DisksController", &spec));
        }
        all
    }

    fn resolve_by(&self, configuration: &Configuration) {
        let servers =
            configuration.machine.network.nameservers.iter().filter_map(|it| it.parse::<IpAddr>().ok());
        let servers: Vec<SocketAddr> = servers.map(|server| (server, DNS).into()).collect();
        if !servers.is_empty() {
            self.0.parts.resolvers.set(servers);
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something about the machine becomes another.
    fn change<T>(&self, change: impl FnOnce(&mut Now) -> T) -> T {
        let mut now = self.now();
        let outcome = change(&mut now);
        now.version += 1;
        now.updated = self.clock().now();
        drop(now);
        self.0.changes.send_modify(|it| *it += 1);
        outcome
    }

    /// Something happens to a service, and the console says so.
    fn note(&self, service: &'static str, state: State, text: &str) {
        let at = self.clock().now();
        let line = self.change(|now| now.services.note(at, service, state, text));
        self.0.journal.say(&line);
    }
}

/// Whether a configuration is to be used, or only to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    Real,
    Dry,
}

/// What a machine says is missing, in Talos' words.
fn unmet(now: &Now, cluster: &dyn Cluster) -> Vec<Value> {
    if now.stage == Stage::Maintenance {
        return Vec::new();
    }
    let condition = |name: &str, reason: String| json!({ "name": name, "reason": reason });
    let services = now.services.missing(&["kubelet", "etcd"]);
    let node = cluster.unready();
    let services = services.map(|reason| condition("services", reason));
    services.into_iter().chain(node.map(|reason| condition("nodeReady", reason))).collect()
}
