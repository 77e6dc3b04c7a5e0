//! What is made once for all machines of a run: the accelerator that works here, the images, and the snapshot of a machine that waits for
//! its configuration.

use std::num::NonZeroU8;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fake_network::Authority;
use field_clock::Clock;
use regex::Regex;
use smoke_vm::{
    Architecture, Awaited, Boot, Chosen, Disk, Format, Host, Machine, Mebibytes, Tag, UserNetwork, Wish,
    make_overlay,
};

use super::archives::{Archives, installer_host};
use super::disk::{self, Contents};
use super::image::Image;
use super::preflight;
use super::talk::Talk;
use super::{MACHINES, NAME};
use crate::run::directory::{self, WorldDirectory};
use crate::world::addresses::{API_PORT, APP_PORT, Network, STATUS_PORT};
use crate::world::outside::{Wares, every_image};
use crate::world::programs::Programs;
use crate::world::wares::wares;
use crate::world::{BootError, BootRequest, WorldError, talosctl};

/// Talos' own API.
pub(super) const TALOS_PORT: u16 = 50_000;
/// What of a machine can be reached.
pub(super) const PORTS: [u16; 4] = [TALOS_PORT, API_PORT, STATUS_PORT, APP_PORT];
/// A node with its control plane and an appliance.
pub(super) const MEMORY: Mebibytes = Mebibytes(4096);
const PROCESSORS: u8 = 2;
/// Interpreted on a busy host; with nothing else running it takes 30 s.
pub(super) const BOOT: Duration = Duration::from_secs(300);
/// What a machine says that will not come up, and waits ten minutes before it starts again.
const FAILED: &str = r"service\[\w+\]\(Failed\)|fatal sequencer error|phase .* -> failed";
/// What it says that waits for its configuration.
pub(super) const MAINTENANCE: &str = "entering maintenance service";

/// What is made once.
pub(super) struct Ready {
    pub(super) image: Image,
    pub(super) chosen: Chosen,
    pub(super) archives: Archives,
    pub(super) wares: Arc<Wares>,
    /// Whom the registries' clients have to trust.
    pub(super) authority: Arc<Authority>,
    /// The registry of the installer.
    pub(super) installer: String,
    base: PathBuf,
    /// The disk with the snapshot, beside what it is based on.
    saved: PathBuf,
    /// How long the machine took to its maintenance mode, and the snapshot.
    pub(super) took: (Duration, Duration),
    _directory: WorldDirectory,
}

impl Ready {
    /// Looks for everything, boots a machine and saves it.
    pub(super) async fn make(request: &BootRequest) -> Result<Self, BootError> {
        let base = directory::base().map_err(|error| failed(error.into()))?;
        let machines = base.join(MACHINES);
        let (table, means) = preflight::look(&request.machine, &machines).await;
        let Some((image, chosen)) = means else {
            return Err(BootError::Unavailable { world: NAME, reason: format!("\n{}", table.table()) });
        };
        Self::with(request, image, chosen, &base, machines).await.map_err(failed)
    }

    async fn with(
        request: &BootRequest,
        image: Image,
        chosen: Chosen,
        base: &Path,
        machines: PathBuf,
    ) -> Result<Self, WorldError> {
        let directory = WorldDirectory::create(base)?;
        let archives = Archives::read(&image.archives)?;
        let authority = Authority::new("appliance-smoke registries")?;
        // Where they are not built, no machine of this run comes so far that it asks for them.
        let wares = match Programs::find(&request.cluster.programs) {
            Ok(programs) => {
                wares(&archives, &programs, &every_image(&request.release)?, &authority.pem()).await?
            }
            Err(missing) => {
                tracing::warn!(
                    missing,
                    "the images of the appliance are empty; scripts/programs.sh builds what is in them"
                );
                Wares::default()
            }
        };
        let defaults = talosctl::said(&image.talosctl, directory.path(), &["image", "default"]).await?;
        let installer =
            installer_host(&defaults).ok_or("talosctl names no installer among its images")?.to_owned();
        let mut ready = Self {
            saved: directory.path().join("maintenance.qcow2"),
            wares: Arc::new(wares),
            authority: Arc::new(authority),
            base: machines,
            took: Default::default(),
            _directory: directory,
            image,
            chosen,
            archives,
            installer,
        };
        ready.took = ready.save().await?;
        Ok(ready)
    }

    /// Where machines run.
    pub(super) fn host(&self) -> Host {
        Host { base: self.base.clone(), accelerator: self.chosen.accelerator, clock: Clock::wall() }
    }

    /// What is on the disk of every machine.
    pub(super) fn contents(&self) -> Contents {
        if self.archives.have_installer() { Contents::Nothing } else { Contents::Installed }
    }

    /// A machine with this disk on this network.
    pub(super) fn wish(&self, disk: &Path, network: UserNetwork) -> Wish {
        let console = Architecture::of_the_host().console();
        let arguments = format!("console={console} {}", self.image.arguments);
        let network = PORTS.into_iter().fold(network, UserNetwork::forward);
        Wish::new("node", Boot::kernel(&self.image.kernel, &arguments).initrd(&self.image.root))
            .memory(MEMORY)
            .processors(NonZeroU8::new(PROCESSORS).unwrap_or(NonZeroU8::MIN))
            .disk(Disk::kept("disk", disk))
            .network(network)
    }

    /// Boots a machine that knows nobody, waits until it waits for its configuration, and saves it. It has never been told the time:
    /// who goes on from here asks for it at once.
    async fn save(&self) -> Result<(Duration, Duration), WorldError> {
        let clock = Clock::wall();
        let raw = self.saved.with_extension("raw");
        disk::write(&raw, self.contents())?;
        make_overlay(&self.saved, &raw, Format::Raw, &clock).await?;
        let began = clock.now();
        let machine =
            Machine::start(self.wish(&self.saved, UserNetwork::new()).specify()?, &self.host()).await?;
        machine.wait_for(&maintenance()).await?;
        let network = Network::claim()?;
        let talk = Talk::open(&machine, &network, &self.image.talosctl).await?;
        talk.maintenance(BOOT).await.map_err(|error| told(error, &machine))?;
        let booted = Duration::try_from(clock.now().duration_since(began)).unwrap_or_default();
        drop(talk);
        let saving = machine.save(&tag()?).await?;
        machine.kill().await;
        Ok((booted, saving))
    }

    /// A copy of the disk with the snapshot.
    pub(super) fn copy(&self, to: &Path) -> std::io::Result<()> {
        std::fs::copy(&self.saved, to).map(drop)
    }
}

/// The snapshot's name.
pub(super) fn tag() -> Result<Tag, WorldError> {
    Ok(Tag::new("maintenance")?)
}

/// A machine's word that it waits for its configuration.
pub(super) fn maintenance() -> Awaited {
    let awaited = Awaited::line("maintenance mode", pattern(MAINTENANCE), BOOT);
    awaited.unless(pattern(FAILED))
}

/// An error with what the console said last.
pub(super) fn told(error: WorldError, machine: &Machine) -> WorldError {
    let last: Vec<String> = machine.console().last(LAST).iter().map(|line| line.trim().to_owned()).collect();
    format!("{error}; the console last said: {}", last.join(" | ")).into()
}

/// How many lines of a console an error tells.
const LAST: usize = 8;

/// A pattern of this file's own.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a good pattern")
}

fn failed(source: WorldError) -> BootError {
    BootError::Failed { world: NAME, source }
}
