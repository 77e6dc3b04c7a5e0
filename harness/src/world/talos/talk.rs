//! Talking to a machine by its own API: the only proof that it is there.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use field_clock::Clock;
use smoke_vm::Machine;

use super::ready::{PORTS, TALOS_PORT};
use super::relay::{Relay, Visits, Way};
use crate::world::addresses::Network;
use crate::world::{WorldError, talosctl};

/// How often a machine is asked that has not said what is waited for.
const AGAIN: Duration = Duration::from_secs(1);
/// Longer than this one question does not take; `talosctl` itself would wait for minutes.
const ANSWER: Duration = Duration::from_secs(20);

/// The way to a machine's API.
pub(super) struct Talk {
    _relay: Relay,
    pub(super) address: IpAddr,
    pub(super) program: PathBuf,
    pub(super) visits: Visits,
}

impl Talk {
    /// Leads from the node's address in this network to the machine's ports.
    pub(super) async fn open(
        machine: &Machine,
        network: &Network,
        program: &Path,
    ) -> Result<Self, WorldError> {
        let visits = Visits::default();
        let relay = Self::relay(machine, network, &visits).await?;
        Ok(Self { _relay: relay, address: network.node().into(), program: program.to_owned(), visits })
    }

    async fn relay(machine: &Machine, network: &Network, visits: &Visits) -> Result<Relay, WorldError> {
        let way = |port: u16| {
            let to = machine.reached_at(port)?;
            let visits = (port == TALOS_PORT).then(|| visits.clone());
            Some(Way { from: SocketAddr::from((network.node(), port)), to, visits })
        };
        Relay::open(PORTS.into_iter().filter_map(way).collect(), &Clock::wall()).await
    }

    /// Waits until the machine itself says that it waits for its configuration.
    pub(super) async fn maintenance(&self, limit: Duration) -> Result<(), WorldError> {
        self.until("machinestatus", "stage: maintenance", limit).await
    }

    /// Waits until the machine knows the time.
    pub(super) async fn in_time(&self, limit: Duration) -> Result<(), WorldError> {
        self.until("timestatus", "synced: true", limit).await
    }

    /// Asks for a resource until its text holds `word`.
    async fn until(&self, resource: &str, word: &str, limit: Duration) -> Result<(), WorldError> {
        let clock = Clock::wall();
        let mut last = "nothing".to_owned();
        let asking = async {
            loop {
                match self.ask(&["get", resource, "--insecure", "--output", "yaml"]).await {
                    Ok(said) if said.contains(word) => return,
                    Ok(said) => last = said,
                    Err(error) => last = error.to_string(),
                }
                clock.sleep(AGAIN).await;
            }
        };
        if clock.timeout(limit, asking).await.is_ok() {
            return Ok(());
        }
        let last = last.split_whitespace().collect::<Vec<_>>().join(" ");
        Err(format!(
            "wait for `{word}` in {resource} of {}, for {} s: it last said {last}",
            self.address,
            limit.as_secs()
        )
        .into())
    }

    /// What `talosctl` prints of this machine.
    pub(super) async fn ask(&self, arguments: &[&str]) -> Result<String, WorldError> {
        let address = self.address.to_string();
        let mut all = arguments.to_vec();
        all.extend(["--nodes", &address, "--endpoints", &address]);
        let home = std::env::temp_dir();
        let asked = talosctl::said(&self.program, &home, &all);
        Clock::wall()
            .timeout(ANSWER, asked)
            .await
            .map_err(|_| format!("no answer within {} s", ANSWER.as_secs()))?
    }
}
