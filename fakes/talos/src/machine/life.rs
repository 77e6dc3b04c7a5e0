//! What happens in a machine from its power button on. Times are those of an emulated machine that was watched.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::memory::Fits;
use super::{Etcd, Machine, Medium, OnDisk, Stage};
use crate::identity;
use crate::services::{Health, State};

/// From power to an API without secrets, and to one with them.
const TO_MAINTENANCE: Duration = Duration::from_secs(25);
const TO_SECURE: Duration = Duration::from_secs(60);
/// How long the installer writes once it is there.
const WRITES: Duration = Duration::from_secs(20);
/// From a configuration to an API with secrets, where nothing is to be installed.
const KEEPS: Duration = Duration::from_secs(16);
/// Between two tries of a pull.
const AGAIN: Duration = Duration::from_secs(5);
/// From a container's start to its first good health check.
const CHECKED: Duration = Duration::from_secs(5);

const INSTALLER: &str = "ghcr.io/siderolabs/installer:v1.11.0";
const KUBELET: &str = "ghcr.io/siderolabs/kubelet:v1.34.0";
const ETCD: &str = "gcr.io/etcd-development/etcd:v3.6.4";

/// What a machine says, again and again, that finds itself on its disk and was started from something else.
const HALTED: &str = "Talos is already installed to disk but booted from another media and talos.halt_if_installed kernel parameter is set. \
                      Please reboot from the disk.";

/// Services that come up by themselves once a configuration is there.
const PLAIN: [&str; 8] = ["machined", "containerd", "apid", "auditd", "cri", "syslogd", "trustd", "udevd"];

/// Power; without it the machine is off.
#[derive(Debug)]
pub struct Power(JoinHandle<()>);

impl Drop for Power {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Machine {
    /// Switches the machine on.
    #[must_use = "the machine is on while this lives"]
    pub fn switch_on(&self) -> Power {
        let machine = self.clone();
        Power(tokio::spawn(async move {
            loop {
                let mut restarts = machine.0.restarts.subscribe();
                restarts.mark_unchanged();
                tokio::select! {
                    () = machine.live() => {}
                    _ = restarts.changed() => {}
                }
                machine.go_down();
            }
        }))
    }

    /// Starts the machine again, as its reset button does.
    pub fn restart(&self) {
        self.0.restarts.send_modify(|it| *it += 1);
    }

    /// Starts the machine again as it was told to by a call, which its console tells.
    pub(crate) fn leave_in_order(&self) {
        self.0.journal.say("reboot sequence: 1 phase(s)");
        self.restart();
    }

    fn go_down(&self) {
        self.0.parts.cluster.stop();
        self.change(|now| {
            now.stage = Stage::Down;
            now.identity = None;
            now.services = Default::default();
            // What was not written to a disk is lost.
            if now.disk != OnDisk::Configured {
                now.configuration = None;
            }
            if now.etcd == Etcd::Awaited {
                now.etcd = Etcd::Absent;
            }
        });
    }

    /// From the power button to the next one.
    async fn live(&self) {
        self.0.journal.begin_anew();
        self.0.journal.say("[initramfs] booting Talos v1.11.0");
        self.0.journal.say("executing /sbin/init");
        self.0.journal.say("initialize sequence: 9 phase(s)");
        if self.now().configuration.is_none() {
            self.clock().sleep(TO_MAINTENANCE).await;
            self.maintain().await;
        }
        let (disk, medium) = {
            let now = self.now();
            (now.disk, now.medium)
        };
        if disk == OnDisk::Configured && medium == Medium::LeftIn {
            self.0.journal.say(HALTED);
            std::future::pending::<()>().await;
        }
        match disk {
            OnDisk::Configured => {
                self.0.journal.say("machine config loaded successfully");
                self.clock().sleep(TO_SECURE).await;
                self.serve().await;
            }
            OnDisk::Talos => {
                self.keep().await;
                self.serve().await;
            }
            OnDisk::Nothing => self.install().await,
        }
    }

    /// Waits for a configuration.
    async fn maintain(&self) {
        match identity::of_maintenance(self.address()) {
            Ok(identity) => self.change(|now| {
                now.identity = Some(identity);
                now.stage = Stage::Maintenance;
            }),
            Err(error) => tracing::warn!(%error, "a machine cannot show itself in maintenance mode"),
        }
        self.0.journal.say("this machine is reachable at:");
        self.0.journal.say(&format!("\t{}", self.address()));
        self.0.journal.say("entering maintenance service");
        self.until(|it| it.now().configuration.is_some()).await;
        self.0.journal.say("machine config loaded successfully");
    }

    /// Writes its configuration to a disk that has Talos on it; it goes on without starting again.
    async fn keep(&self) {
        self.change(|now| {
            now.identity = None;
            now.stage = Stage::Installing;
        });
        self.0.journal.say("install sequence: 0 phase(s)");
        self.clock().sleep(KEEPS).await;
        self.change(|now| now.disk = OnDisk::Configured);
    }

    /// Writes itself to its disk. Nobody can talk to it meanwhile; its console says how it is doing.
    async fn install(&self) {
        self.change(|now| {
            now.identity = None;
            now.stage = Stage::Installing;
        });
        let image = self.wished(|it| it.machine.install.image.clone(), INSTALLER);
        let disk = self.wished(|it| it.machine.install.disk.clone(), "/dev/sda");
        self.0.journal.say("install sequence: 6 phase(s)");
        if !self.0.parts.disks.iter().any(|it| it.path == disk) {
            let told = format!(
                "phase install (2/6): failed: error installing: lstat {disk}: no such file or directory"
            );
            self.0.journal.say(&told);
            std::future::pending::<()>().await;
        }
        self.pulled(&image).await;
        self.0.journal.say(&format!("installing Talos to disk {disk}"));
        self.clock().sleep(WRITES).await;
        self.change(|now| now.disk = OnDisk::Configured);
        self.0.journal.say("install successful");
    }

    /// Runs what the configuration says.
    async fn serve(&self) {
        let ahead = self.now().ahead;
        // A clock that is ahead makes a certificate of the future, by the clocks of those who call.
        let from = (!ahead.is_zero()).then(|| self.clock().now() + ahead);
        let identity = self.now().configuration.as_ref().map(|it| identity::of(it, self.address(), from));
        match identity {
            Some(Ok(identity)) => self.change(|now| {
                now.identity = Some(identity);
                now.stage = Stage::Booting;
            }),
            Some(Err(error)) => tracing::warn!(%error, "a machine cannot show itself"),
            None => {}
        }
        self.0.journal.say("boot sequence: 16 phase(s)");
        let fits = self.count_memory();
        for service in PLAIN {
            self.note(service, State::Running(Health::Good), "Health check successful");
        }
        tokio::join!(self.start_kubelet(), self.start_etcd());
        self.0.journal.say("boot sequence: done");
        self.change(|now| now.stage = Stage::Running);
        if fits == Fits::WithControlPlane {
            self.0.parts.cluster.start();
        }
        std::future::pending::<()>().await;
    }

    async fn start_kubelet(&self) {
        self.note("kubelet", State::Preparing, "Running pre state");
        self.pulled(&self.wished(|it| it.machine.kubelet.image.clone(), KUBELET)).await;
        self.note("kubelet", State::Preparing, "Creating service runner");
        self.start("kubelet").await;
    }

    async fn start_etcd(&self) {
        self.note("etcd", State::Waiting, "Waiting for service \"cri\" to be \"up\"");
        self.note("etcd", State::Preparing, "Running pre state");
        self.pulled(&self.wished(|it| it.cluster.etcd.image.clone(), ETCD)).await;
        if self.now().etcd == Etcd::Absent {
            self.change(|now| now.etcd = Etcd::Awaited);
            self.0.journal.say(
                "etcd is waiting to join the cluster, if this node is the first node in the cluster, please run `talosctl bootstrap` \
                 against one of the following IPs:",
            );
            self.until(|it| it.now().etcd == Etcd::There).await;
        }
        self.start("etcd").await;
    }

    async fn start(&self, service: &'static str) {
        let started = format!("Started task {service} (PID 1208) for container {service}");
        self.note(service, State::Running(Health::Unknown), &started);
        self.clock().sleep(CHECKED).await;
        self.note(service, State::Running(Health::Good), "Health check successful");
    }

    /// Pulls until it has the image.
    async fn pulled(&self, image: &str) {
        while self.pull(image).await.is_err() {
            self.clock().sleep(AGAIN).await;
        }
    }

    fn wished(
        &self,
        of: impl Fn(&crate::configuration::Configuration) -> Option<String>,
        usual: &str,
    ) -> String {
        self.now().configuration.as_ref().and_then(of).unwrap_or_else(|| usual.to_owned())
    }

    pub(super) async fn until(&self, met: impl Fn(&Self) -> bool) {
        let mut changes = self.0.changes.subscribe();
        while !met(self) {
            // The sender lives as long as the machine does.
            let _ = changes.changed().await;
        }
    }
}
