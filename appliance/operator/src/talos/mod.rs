//! The Talos phase: a machine in maintenance mode becomes a Ready node of Kubernetes.
//!
//! ```text
//!   reach ─► configuration ─► apply ─► secure API ─► etcd ─► kubeconfig ─► Kubernetes API ─► node Ready
//!     talosctl   the program, and nothing of its protocol        answer   what its words mean
//!     wait       one wait for all of them                        journal  what the machine says of its troubles
//! ```
//! Everything is done again by a second run, and nothing is done twice: a machine that is configured already is brought up to
//! date, one that has an etcd is not given another, and credentials that are there and can be read are never written over.

mod answer;
mod configuration;
mod disks;
mod files;
mod journal;
mod kubernetes;
mod memory;
mod talosctl;
mod wait;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use appliance_collect::Clock;

use self::answer::{Answer, Meaning};
use self::configuration::Wish;
use self::files::{Credentials, Files};
use self::journal::Journal;
use self::talosctl::{As, Talosctl};
use self::wait::{Seen, Waiting};
use crate::cli::Bootstrap;
use crate::failure::{Failure, Layer};
use crate::report::{Phase, line, step};
use crate::settings::Settings;

/// Longer than this no machine takes from its power button to its maintenance mode.
const TO_MAINTENANCE: Duration = Duration::from_secs(300);
/// The machine pulls its installer, writes its disk and starts again.
const TO_SECURE_API: Duration = Duration::from_secs(900);
/// The image of etcd is pulled.
const TO_ETCD: Duration = Duration::from_secs(600);

/// What helps whoever is a stranger to a machine.
const RESTORE: &str = "Restore the talosconfig with which the machine was configured (--talosconfig), or take the machine back to its \
    maintenance mode, which deletes what is on its disk, and run the command again.";

/// What the flags say of the machine.
pub(crate) struct Target {
    node_ip: IpAddr,
    clock: Clock,
    wish: Wish,
    files: Files,
}

/// What was found at the machine's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// A machine that waits for its configuration.
    Maintenance,
    /// A machine that has one, and knows us.
    Configured,
}

impl Target {
    /// Reads the flags.
    ///
    /// # Errors
    /// Where they do not tell enough, or contradict each other.
    pub(crate) fn of(arguments: &Bootstrap, settings: &Settings) -> Result<Self, Failure> {
        let Some(node_ip) = arguments.node_ip else {
            let remedy = "Give --node-ip of a machine in Talos' maintenance mode, or --kubeconfig of a cluster that is already there.";
            return Err(Failure::new(Layer::Usage, "neither a machine nor a cluster was given", remedy));
        };
        Ok(Self {
            node_ip,
            clock: arguments.clock,
            wish: Wish::of(arguments)?,
            files: Files::of(&settings.site_directory, arguments.talosconfig.as_deref()),
        })
    }

    /// What `--dry-run` prints of this phase.
    pub(crate) fn print_plan(&self) {
        let (ip, files) = (self.node_ip, &self.files);
        let say = |text: &str| line(&format!("+ {text}"));
        say(&format!("wait for the Talos maintenance API on {ip}, at most {} s", TO_MAINTENANCE.as_secs()));
        say(&format!("write the machine's secrets to {}, unless they are there", files.secrets().display()));
        say(&format!("write {} with {}", files.patch().display(), self.wish.summary()));
        say(&format!("write {}", files.configuration().display()));
        say(&format!("write {}, unless it is there", files.credentials().display()));
        say(&format!("talosctl apply-config to {ip}"));
        say(&format!("talosctl bootstrap on {ip}, unless it has an etcd"));
        say(&format!("write {}", files.kubeconfig().display()));
        say("wait for the Kubernetes API and for the node to become Ready");
    }

    /// Makes a Ready node of the machine; returns its kubeconfig.
    pub(crate) async fn install(&self) -> Result<PathBuf, Failure> {
        let talosctl = Talosctl::find(self.node_ip, self.files.credentials(), self.clock).await?;
        step(Phase::Talos, &format!("Using talosctl {}", talosctl.version));
        let credentials = self.files.make_room(&talosctl).await?;
        let found = self.reach(&talosctl).await?;
        match (credentials, found) {
            (Credentials::Foreign, Found::Maintenance) => return Err(self.orphaned()),
            // Whoever keeps the machine's secrets elsewhere also configures it.
            (Credentials::Foreign, Found::Configured) => {
                step(
                    Phase::Talos,
                    "The machine is configured by other means; its configuration stays as it is",
                );
            }
            (Credentials::Own, found) => self.configure(&talosctl, found).await?,
        }
        let journal = Journal::of(&talosctl);
        self.become_secure(&talosctl, credentials).await?;
        self.start_etcd(&talosctl, &journal).await?;
        step(Phase::Talos, &format!("Writing {}", self.files.kubeconfig().display()));
        talosctl
            .kubeconfig(&self.files.kubeconfig())
            .await
            .map_err(|answer| self.refused("kubeconfig", &answer))?;
        files::keep_private(&self.files.kubeconfig())?;
        kubernetes::ready(self, &journal).await?;
        Ok(self.files.kubeconfig())
    }

    /// Waits until the machine answers, in maintenance mode or as one that knows us.
    async fn reach(&self, talosctl: &Talosctl) -> Result<Found, Failure> {
        let ip = self.node_ip;
        step(Phase::Talos, &format!("Waiting for the Talos maintenance API on {ip}"));
        let waiting = Waiting {
            clock: self.clock,
            subject: format!("Talos maintenance API on {ip}"),
            within: TO_MAINTENANCE,
            remedy: "Start the machine from its Talos medium and look at its console: it shows its address, and `maintenance` as its stage. \
                     Check --node-ip, cable and firewall (port 50000), then run the command again.",
        };
        let found = waiting
            .until(async || match talosctl.stage(As::Anybody).await {
                Ok(stage) if stage.name == "maintenance" => Seen::Met(Found::Maintenance),
                Ok(stage) => Seen::NotYet(format!("the machine's stage is {stage}")),
                Err(answer) => match answer.meaning {
                    Meaning::AsksWhoWeAre => self.known(talosctl).await,
                    _ => Seen::NotYet(answer.to_string()),
                },
            })
            .await?;
        match found {
            Found::Maintenance => step(Phase::Talos, "The machine is in maintenance mode"),
            Found::Configured => {
                step(Phase::Talos, "The machine is configured already, and knows these credentials")
            }
        }
        Ok(found)
    }

    /// A machine that asks who we are has a configuration: whether it is one of ours.
    async fn known(&self, talosctl: &Talosctl) -> Seen<Found> {
        match talosctl.stage(As::Us).await {
            Ok(_) => Seen::Met(Found::Configured),
            // The maintenance mode would not have asked: this is an authority whose name we have never heard.
            Err(mut answer) => {
                if answer.meaning == Meaning::SelfSigned {
                    answer.meaning = Meaning::OtherAuthority;
                }
                match self.strangers(&answer) {
                    Some(failure) => Seen::Never(failure),
                    None => Seen::NotYet(answer.to_string()),
                }
            }
        }
    }

    async fn configure(&self, talosctl: &Talosctl, found: Found) -> Result<(), Failure> {
        let who = match found {
            Found::Maintenance => As::Anybody,
            Found::Configured => As::Us,
        };
        let disk = match &self.wish.disk {
            Some(disk) => disk.clone(),
            None => disks::only_one(talosctl, who).await?,
        };
        step(
            Phase::Talos,
            &format!("Writing the machine's configuration: {}, disk {disk}", self.wish.summary()),
        );
        self.files.write_patch(&self.wish.patch())?;
        let text = talosctl
            .configuration(&self.files, &disk)
            .await
            .map_err(|answer| self.refused("gen config", &answer))?;
        self.files.write_configuration(&text)?;
        step(Phase::Talos, &format!("Applying the configuration to {}", self.node_ip));
        let waiting = Waiting {
            clock: self.clock,
            subject: format!("{} to take its configuration", self.node_ip),
            within: TO_MAINTENANCE,
            remedy: "Look at the machine's console, then run the command again.",
        };
        waiting
            .until(async || match talosctl.apply(&self.files.configuration(), who).await {
                Ok(_) => Seen::Met(()),
                Err(answer) if answer.is_passing() => Seen::NotYet(answer.to_string()),
                Err(answer) => Seen::Never(self.refused("apply-config", &answer)),
            })
            .await
    }

    async fn become_secure(&self, talosctl: &Talosctl, credentials: Credentials) -> Result<(), Failure> {
        let ip = self.node_ip;
        step(Phase::Talos, &format!("Waiting for the secure Talos API on {ip}"));
        let waiting = Waiting {
            clock: self.clock,
            subject: format!("secure Talos API on {ip}"),
            within: TO_SECURE_API,
            remedy: "Look at the machine's console: while it installs itself to its disk no API answers. A lookup that fails there means that its resolver \
                     refuses (give --dns-servers 1.1.1.1,8.8.8.8), a connection that fails that it cannot reach its registry; a boot medium that is still in it starts it anew (remove it), \
                     and one that stops after `memory size is less than recommended` has too little memory (give it more).",
        };
        let (mut away, mut lost) = (false, 0_u32);
        waiting
            .until(async || {
                let Err(answer) = talosctl.stage(As::Us).await else { return Seen::Met(()) };
                if !is_in_maintenance(talosctl, &answer).await {
                    away = true;
                    return match self.strangers(&answer) {
                        Some(failure) => Seen::Never(failure),
                        None => Seen::NotYet(answer.to_string()),
                    };
                }
                if away && credentials == Credentials::Own {
                    step(
                        Phase::Talos,
                        "The machine started again and has no configuration; applying it again",
                    );
                    if let Err(answer) = talosctl.apply(&self.files.configuration(), As::Anybody).await {
                        return Seen::NotYet(answer.to_string());
                    }
                    lost += 1;
                }
                away = false;
                Seen::NotYet(match lost {
                    0 => "the machine is still in maintenance mode".to_owned(),
                    times => format!("the machine started again without its configuration (times: {times})"),
                })
            })
            .await
    }

    async fn start_etcd(&self, talosctl: &Talosctl, journal: &Journal<'_>) -> Result<(), Failure> {
        let ip = self.node_ip;
        let waiting = |subject: String| Waiting {
            clock: self.clock,
            subject,
            within: TO_ETCD,
            remedy: "Look at `talosctl services` and `talosctl dmesg`, then run the command again.",
        };
        step(Phase::Talos, "Bootstrapping etcd");
        waiting(format!("{ip} to bootstrap etcd"))
            .until(async || match talosctl.bootstrap().await {
                Ok(_) => Seen::Met(()),
                Err(answer) => match answer.meaning {
                    Meaning::AlreadyDone => Seen::Met(()),
                    Meaning::TooEarly => journal.not_yet(&answer.to_string()).await,
                    _ if answer.is_passing() => Seen::NotYet(answer.to_string()),
                    _ => Seen::Never(self.refused("bootstrap", &answer)),
                },
            })
            .await?;
        waiting(format!("etcd on {ip}"))
            .until(async || match talosctl.service("etcd").await {
                Ok(service) if service.is_healthy() => Seen::Met(()),
                Ok(service) => journal.not_yet(&format!("etcd is {service}")).await,
                Err(answer) => Seen::NotYet(answer.to_string()),
            })
            .await?;
        step(Phase::Talos, "etcd is healthy");
        Ok(())
    }

    /// The machine has a configuration that these credentials do not belong to.
    fn strangers(&self, answer: &Answer) -> Option<Failure> {
        let path = self.files.credentials();
        let path = path.display();
        let (why, remedy) = match answer.meaning {
            Meaning::OtherAuthority => {
                (format!("it was configured with other secrets than those of {path}"), RESTORE)
            }
            Meaning::RefusesUs => (format!("it does not accept the certificate in {path}"), RESTORE),
            Meaning::WrongTime => (
                "its clock and that of this machine differ by more than a certificate's life".to_owned(),
                "Set both clocks by the same time server, then run the command again.",
            ),
            _ => return None,
        };
        let operation = format!("signing in to the machine at {}", self.node_ip);
        Some(Failure::new(Layer::Host, operation, remedy).because(format!("{why}: {answer}")))
    }

    /// Credentials without the secrets that they were made of do not help a machine that has none.
    fn orphaned(&self) -> Failure {
        let path = self.files.credentials();
        let operation = format!(
            "{} belongs to a machine whose secrets are not in {}",
            path.display(),
            self.files.secrets().display()
        );
        let remedy = "Restore the secrets, or choose another --site-id, --config-dir or --talosconfig; it is not written over.";
        Failure::new(Layer::Refused, operation, remedy)
    }

    fn refused(&self, command: &str, answer: &Answer) -> Failure {
        let operation = format!("talosctl {command} on {}", self.node_ip);
        Failure::new(Layer::Host, operation, answer.remedy()).because(answer.to_string())
    }
}

/// Whether it was the maintenance mode that answered so: its certificate is nobody's, and names the addresses that the machine knows of.
async fn is_in_maintenance(talosctl: &Talosctl, answer: &Answer) -> bool {
    match answer.meaning {
        Meaning::SelfSigned => true,
        Meaning::OtherName => {
            talosctl.stage(As::Anybody).await.is_ok_and(|stage| stage.name == "maintenance")
        }
        _ => false,
    }
}
