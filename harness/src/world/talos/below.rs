//! A machine under QEMU, and what can happen to it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use field_clock::Clock;
use jiff::Timestamp;
use serde_json::json;
use smoke_vm::{Awaited, Cable, Console, Machine, Mebibytes, Position, UserNetwork};
use tokio::task::JoinHandle;

use super::disk::Contents;
use super::outside::Servers;
use super::ready::{BOOT, MAINTENANCE, MEMORY, Ready, pattern, tag, told};
use super::talk::Talk;
use crate::world::addresses::Network;
use crate::world::host::{Host, Stage, Told, Visit, started_again};
use crate::world::machine::{Done, MachineError};
use crate::world::{WorldError, talosctl};

/// What a machine says that has come so far that its API answers, in whichever mode.
const ANSWERS: &str = r"entering maintenance service|service\[apid\]\(Running\): Health check successful";
/// What it says that knows those who call it.
const SECURE: &str = r"service\[apid\]\(Running\): Health check successful";
/// What it says that has taken a configuration.
const CONFIGURED: &str = "leaving maintenance service";
/// How its log tells a call.
const METHOD: &str = r"\[/([\w.]+/\w+)\]";
/// Longer than this nobody takes to bring a machine to a stage at which something is to happen to it.
const STAGE: Duration = Duration::from_secs(3600);
/// A machine that goes on from a snapshot asks for the time at once.
const IN_TIME: Duration = Duration::from_secs(120);
/// Far more than an interpreted machine was seen to take for three gigabytes of four.
const GIVES_BACK: Duration = Duration::from_secs(120);
/// Who configured the machine before, when somebody did.
const ANOTHER: &str = "another-site";

/// A machine that goes on where it waited for its configuration.
pub(super) struct Below {
    pub(super) machine: Arc<Machine>,
    pub(super) talk: Talk,
    pub(super) restored: Duration,
    home: PathBuf,
    installer: String,
    contents: Contents,
    /// What is added to every configuration, as a file.
    pub(super) patch: PathBuf,
    servers: Arc<Servers>,
    heard: Arc<Mutex<Vec<Told>>>,
    /// When its reset button was pressed at a stage.
    pressed: Arc<Mutex<Vec<Timestamp>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// Where a machine is put.
pub(super) struct Site<'a> {
    pub(super) network: &'a Network,
    pub(super) servers: Arc<Servers>,
    /// A directory of its own.
    pub(super) home: PathBuf,
    pub(super) patch: String,
}

impl Below {
    /// Makes a machine go on from the snapshot, in this site; it waits for its configuration and knows the time.
    pub(super) async fn start(ready: &Ready, site: Site<'_>) -> Result<Self, WorldError> {
        let Site { network, servers, home, patch } = site;
        std::fs::create_dir_all(&home)?;
        let disk = home.join("disk.qcow2");
        ready.copy(&disk)?;
        let patch_file = home.join("patch.yaml");
        std::fs::write(&patch_file, patch)?;
        let clock = Clock::wall();
        let began = clock.now();
        let wish = ready.wish(&disk, servers.network(UserNetwork::new()));
        let machine = Arc::new(Machine::start_from(wish.specify()?, &tag()?, &ready.host()).await?);
        let restored = Duration::try_from(clock.now().duration_since(began)).unwrap_or_default();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listening = tokio::spawn(listen(machine.console().clone(), Arc::clone(&heard)));
        let talk = Talk::open(&machine, network, &ready.image.talosctl).await?;
        let below = Self {
            machine,
            talk,
            restored,
            home,
            installer: ready.installer.clone(),
            contents: ready.contents(),
            patch: patch_file,
            servers,
            heard,
            pressed: Arc::default(),
            tasks: Mutex::new(vec![listening]),
        };
        below.waits_in_time().await?;
        Ok(below)
    }

    /// Waits until the machine waits for its configuration and knows the time.
    async fn waits_in_time(&self) -> Result<(), WorldError> {
        self.talk.maintenance(BOOT).await.map_err(|error| told(error, &self.machine))?;
        self.talk.in_time(IN_TIME).await.map_err(|error| told(error, &self.machine))
    }

    /// Waits for a line of the console's; returns it.
    async fn hears(&self, what: &str, line: &str, since: Position) -> Done<String> {
        let awaited = Awaited::line(what, pattern(line), BOOT).since(since);
        self.machine.wait_for(&awaited).await.map_err(failed)
    }

    /// Returns when the machine is no more, stands still or has given up; why, with the console's last lines.
    pub(super) async fn trouble(&self) -> WorldError {
        self.machine.trouble().await.into()
    }

    /// The calls that it has answered so far, as its own log has them; none where it does not know who asks with these credentials.
    pub(super) async fn methods(&self, credentials: &Path) -> Vec<String> {
        let path = credentials.to_string_lossy();
        let asked = self.talk.ask(&["logs", "machined", "--talosconfig", &path]).await;
        let log = asked.unwrap_or_default();
        let called = pattern(METHOD);
        let methods = called.captures_iter(&log).map(|found| found[1].to_owned());
        methods.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// Has files made for a machine of somebody else.
    async fn made_for_another(&self, what: &str, to: &Path) -> Done {
        let endpoint = format!("https://{}:6443", self.talk.address);
        let (to, patch) = (to.to_string_lossy(), format!("@{}", self.patch.display()));
        // It knows no name by which it is called from outside, other than this one.
        let address = self.talk.address.to_string();
        let mut arguments = vec!["gen", "config", ANOTHER, &endpoint, "--additional-sans", &address];
        arguments.extend(["--output-types", what, "--output", &to, "--force"]);
        if what == "controlplane" {
            arguments.extend(["--config-patch-control-plane", &patch]);
        }
        talosctl::said(&self.talk.program, &self.home, &arguments)
            .await
            .map(drop)
            .map_err(MachineError::Failed)
    }

    async fn reset(&self) -> Done<Position> {
        let since = self.machine.console().position();
        self.machine.qmp().execute("system_reset", json!({})).await.map_err(failed)?;
        // One that was made to stand still begins again, too.
        self.machine.go_on().await.map_err(failed)?;
        Ok(since)
    }

    /// Switches it off.
    pub(super) async fn down(self) -> Arc<Servers> {
        let Self { machine, talk, tasks, servers, .. } = self;
        let tasks = tasks.into_inner().unwrap_or_else(PoisonError::into_inner);
        for task in tasks {
            task.abort();
            // A task that was told to end holds its machine until it has.
            let _ = task.await;
        }
        drop(talk);
        if let Some(machine) = Arc::into_inner(machine) {
            machine.kill().await;
        }
        servers
    }
}

fn failed(source: impl Into<WorldError>) -> MachineError {
    MachineError::Failed(source.into())
}

/// Notes what the console says, when it says it.
async fn listen(console: Console, heard: Arc<Mutex<Vec<Told>>>) {
    let clock = Clock::wall();
    let mut news = console.follow();
    let mut from = Position::default();
    loop {
        news.borrow_and_update();
        let (lines, next) = console.ended_since(from);
        from = next;
        let at = clock.now();
        let told = lines.into_iter().map(|what| Told { at, what });
        heard.lock().unwrap_or_else(PoisonError::into_inner).extend(told);
        if news.changed().await.is_err() {
            return;
        }
    }
}

#[async_trait(?Send)]
impl Host for Below {
    async fn write_image(&self) -> Done {
        match self.contents {
            Contents::Installed => Ok(()),
            Contents::Nothing => {
                let why = "the image that is used installs itself: the folder has an installer";
                Err(MachineError::Impossible { why: why.to_owned() })
            }
        }
    }

    async fn fall_silent(&self) -> Done {
        self.machine.pause().await.map_err(failed)
    }

    async fn unplug(&self) -> Done {
        self.machine.cable(Cable::Out).await.map_err(failed)
    }

    async fn plug_in(&self) -> Done {
        self.machine.cable(Cable::In).await.map_err(failed)
    }

    async fn leave_medium_in(&self) -> Done {
        let why = "its kernel is given to it by QEMU: there is no medium that could be left in";
        Err(MachineError::Impossible { why: why.to_owned() })
    }

    async fn take_medium_out(&self) -> Done {
        Err(MachineError::Impossible { why: "there is no medium in it".to_owned() })
    }

    async fn restart(&self) -> Done {
        let since = self.reset().await?;
        let answers = self.hears("a machine that answers", ANSWERS, since).await?;
        if answers.contains(MAINTENANCE) {
            self.waits_in_time().await.map_err(MachineError::Failed)?;
        }
        Ok(())
    }

    async fn restart_at(&self, stage: Stage) -> Done {
        let line = match stage {
            Stage::Installing => CONFIGURED,
            Stage::Booting => "boot sequence: ",
            Stage::Bootstrapped => "bootstrap request received",
        };
        let (machine, pressed) = (Arc::clone(&self.machine), Arc::clone(&self.pressed));
        let awaited = Awaited::line("that stage", pattern(line), STAGE).since(machine.console().position());
        let task = tokio::spawn(async move {
            // A machine that never comes so far is not started again; the receipt is missing then.
            if machine.wait_for(&awaited).await.is_err() {
                return;
            }
            pressed.lock().unwrap_or_else(PoisonError::into_inner).push(Clock::wall().now());
            if let Err(error) = machine.qmp().execute("system_reset", json!({})).await {
                tracing::warn!(%error, "a machine cannot be started again");
            }
        });
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
        Ok(())
    }

    async fn configure_as_another(&self) -> Done {
        let path = self.home.join("another.yaml");
        self.made_for_another("controlplane", &path).await?;
        let since = self.machine.console().position();
        let file = path.to_string_lossy();
        self.talk
            .ask(&["apply-config", "--insecure", "--file", &file])
            .await
            .map_err(MachineError::Failed)?;
        self.hears("the machine's secure API", SECURE, since).await.map(drop)
    }

    async fn wipe(&self) -> Done {
        let tag = tag().map_err(MachineError::Failed)?;
        self.machine.restore(&tag).await.map_err(failed)?;
        self.machine.go_on().await.map_err(failed)?;
        self.waits_in_time().await.map_err(MachineError::Failed)
    }

    async fn fill_disk(&self) -> Done {
        let why =
            "Talos gives the place for images 2 GiB or refuses the disk, and its images fill less than that";
        Err(MachineError::Impossible { why: why.to_owned() })
    }

    async fn free_disk(&self) -> Done {
        Err(MachineError::Impossible { why: "its disk was never full".to_owned() })
    }

    async fn leave_memory(&self, mebibytes: u64) -> Done {
        let left = Mebibytes(u32::try_from(mebibytes).unwrap_or(u32::MAX));
        self.machine.leave_memory(left, GIVES_BACK).await.map_err(failed)
    }

    async fn add_memory(&self) -> Done {
        self.machine.leave_memory(MEMORY, GIVES_BACK).await.map_err(failed)?;
        self.restart().await
    }

    /// Machines set their clocks by the site's time server, at their start before anything else.
    async fn set_clock_ahead(&self, by: Duration) -> Done {
        self.servers.time.be_ahead(by);
        Ok(())
    }

    async fn write_credentials_of_another(&self, to: &Path) -> Done {
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        self.made_for_another("talosconfig", to).await
    }

    fn installer_host(&self) -> &str {
        &self.installer
    }

    async fn visits(&self) -> Done<Vec<Visit>> {
        Ok(self.talk.visits.all())
    }

    async fn is_configured(&self) -> Done<bool> {
        let told = self.console().await?;
        Ok(told.iter().any(|it| it.what.contains(CONFIGURED)))
    }

    async fn restarts(&self) -> Done<Vec<Told>> {
        let pressed = self.pressed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(started_again(&pressed, &self.console().await?))
    }

    async fn console(&self) -> Done<Vec<Told>> {
        Ok(self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
