//! Causes in the machine below Kubernetes.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use fake_network::{DnsFault, FaultId};
use jiff::Timestamp;

use super::{
    Became, Cause, Faults, Ground, Host, Set, Sighting, Stage, Told, failed, impossible, no_target, read,
    unsupported,
};
use crate::fault::{FaultUse, HealStep};
use crate::world::machine::Done;
use crate::world::{InjectError, WorldError};

const NO_HOST: &str = "there is no machine below its cluster";
/// Where the command keeps credentials of the site that it is not told the name of.
const CREDENTIALS: &str = "appliance/talosconfig";
/// How far a clock is ahead when nobody says.
const AHEAD: Duration = Duration::from_secs(48 * 3600);
/// How much memory a machine has that has too little, in MiB, when nobody says.
const SHORT: u64 = 1024;

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let Some(host) = ground.host else { return Err(impossible(fault.name(), NO_HOST)) };
    let since = ground.now();
    let (done, cause) = match fault.name() {
        "host.disk-image" => (host.write_image().await, Met::console("install sequence: 0 phase", since)),
        "host.maintenance-silent" => (host.fall_silent().await, Met::visit(Became::Unanswered, since)),
        "host.network-lost" => (host.unplug().await, Met::visit(Became::Unanswered, since)),
        "host.medium-left-in" => {
            (host.leave_medium_in().await, Met::console("booted from another media", since))
        }
        "host.installer-dns" => return closed_resolver(ground, fault, host.installer_host()).await,
        "host.lost-credentials" => (host.configure_as_another().await, Met::visit(Became::Distrusted, since)),
        "host.foreign-credentials" => {
            let path = ground.configuration.join(CREDENTIALS);
            host.write_credentials_of_another(&path).await.map_err(|error| error.of(fault.name()))?;
            let written = fs::read(&path).map_err(|error| failed(fault.name(), error))?;
            return Ok(Rc::new(Foreign { path, written }));
        }
        "host.disk-full" => (host.fill_disk().await, Met::console("no space left on device", since)),
        "host.memory-short" => {
            let mebibytes = fault.params.number("mebibytes").unwrap_or(SHORT);
            (host.leave_memory(mebibytes).await, Met::console("current total memory size is", since))
        }
        "host.clock-ahead" => {
            let by = fault.params.duration("by").unwrap_or(AHEAD);
            (set_clock(host, by).await, Met::visit(Became::Distrusted, since))
        }
        "host.reboot" => {
            let stage = stage(fault.params.text("when").unwrap_or_default());
            (host.restart_at(stage).await, Met { sign: Sign::Restart, since })
        }
        other => return Err(unsupported(other)),
    };
    done.map_err(|error| error.of(fault.name()))?;
    Ok(Rc::new(cause))
}

pub(super) async fn heal(ground: &Ground<'_>, faults: &Faults, step: &HealStep) -> Result<(), InjectError> {
    let Some(host) = ground.host else { return Err(impossible(step.name(), NO_HOST)) };
    let done = match step.name() {
        "host.restart" => host.restart().await,
        "host.wipe" => host.wipe().await,
        "host.plug-in" => host.plug_in().await,
        "host.remove-medium" => host.take_medium_out().await,
        "host.free-disk" => host.free_disk().await,
        "host.add-memory" => host.add_memory().await,
        "host.set-clock" => set_clock(host, Duration::ZERO).await,
        "host.restore-resolver" => return faults.lift(ground, "host", step).await,
        "host.remove-credentials" => return remove(&ground.configuration.join(CREDENTIALS), step),
        other => return Err(unsupported(other)),
    };
    done.map_err(|error| error.of(step.name()))
}

/// A machine has another clock from its next start on.
async fn set_clock(host: &dyn Host, ahead: Duration) -> Done {
    host.set_clock_ahead(ahead).await?;
    host.restart().await
}

fn remove(path: &Path, step: &HealStep) -> Result<(), InjectError> {
    fs::remove_file(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => no_target(step.name(), path.display().to_string(), Vec::new()),
        _ => failed(step.name(), error),
    })
}

fn stage(named: &str) -> Stage {
    match named {
        "booting" => Stage::Booting,
        "bootstrapped" => Stage::Bootstrapped,
        _ => Stage::Installing,
    }
}

/// What the machine tells of itself.
enum Sign {
    /// What became of those who come to its API.
    Visit(Became),
    /// Words on its console.
    Console(&'static str),
    /// That it began anew.
    Restart,
}

/// Something that is met at the machine.
struct Met {
    sign: Sign,
    since: Timestamp,
}

impl Met {
    fn visit(became: Became, since: Timestamp) -> Self {
        Self { sign: Sign::Visit(became), since }
    }

    fn console(words: &'static str, since: Timestamp) -> Self {
        Self { sign: Sign::Console(words), since }
    }
}

#[async_trait(?Send)]
impl Cause for Met {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let Some(host) = ground.host else { return Vec::new() };
        match self.sign {
            Sign::Visit(became) => {
                let visits = read(host.visits().await, "a machine's API").into_iter();
                let met = visits.filter(|it| it.at >= self.since && it.became == became);
                met.map(|it| Sighting::new(it.at, it.what)).collect()
            }
            Sign::Restart => {
                let starts = read(host.restarts().await, "a machine's console");
                sightings(starts, |it| it.at >= self.since)
            }
            Sign::Console(words) => {
                let lines = read(host.console().await, "a machine's console");
                sightings(lines, |it| it.at >= self.since && it.what.contains(words))
            }
        }
    }
}

fn sightings(all: Vec<Told>, fits: impl Fn(&Told) -> bool) -> Vec<Sighting> {
    all.into_iter().filter(|it| fits(it)).map(|it| Sighting::new(it.at, it.what)).collect()
}

/// Nobody listens where the machine asks for names.
async fn closed_resolver(ground: &Ground<'_>, fault: &FaultUse, host: &str) -> Set {
    let resolver = ground.outside.resolver();
    let id = resolver.inject(DnsFault::ClosedPort).await.map_err(|source| failed(fault.name(), source))?;
    Ok(Rc::new(Refusing { id, host: host.to_owned(), since: ground.now() }))
}

struct Refusing {
    id: FaultId,
    /// The installer's registry.
    host: String,
    since: Timestamp,
}

#[async_trait(?Send)]
impl Cause for Refusing {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let Some(host) = ground.host else { return Vec::new() };
        let lookup = format!("lookup {} ", self.host);
        let refused = |it: &Told| {
            it.at >= self.since && it.what.contains(&lookup) && it.what.contains("connection refused")
        };
        sightings(read(host.console().await, "a machine's console"), refused)
    }

    async fn lift(&self, ground: &Ground<'_>) -> Result<(), WorldError> {
        ground.outside.resolver().heal(self.id).await
    }
}

/// Credentials that do not belong to this machine.
struct Foreign {
    path: PathBuf,
    written: Vec<u8>,
}

#[async_trait(?Send)]
impl Cause for Foreign {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let Some(host) = ground.host else { return Vec::new() };
        let configured = host.is_configured().await.unwrap_or(true);
        let kept = fs::read(&self.path).is_ok_and(|now| now == self.written);
        if configured || !kept {
            return Vec::new();
        }
        let visits = read(host.visits().await, "a machine's API").into_iter();
        visits.filter(|it| it.became == Became::Heard).map(|it| Sighting::new(it.at, it.what)).collect()
    }
}
