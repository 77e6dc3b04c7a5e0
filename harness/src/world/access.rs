//! What a world gives to those who use it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use jiff::Timestamp;

/// Addresses and files by which users reach a world.
#[derive(Debug, Clone)]
pub struct Access {
    /// An administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The node's address.
    pub node_ip: IpAddr,
    /// Where the status service answers, without a path: `http://127.1.2.3:8080`.
    pub status_url: String,
    /// Where the application answers: `http://127.1.2.3:3000`.
    pub app_url: String,
}

/// What a world can do beyond booting and installing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Its resolver answers by the harness's table.
    Dns,
    /// Its image registry answers by the harness's table.
    Registry,
    /// Its Flux objects can be asked to reconcile.
    Flux,
    /// The files in its volumes can be reached.
    Volumes,
    /// The operator's command runs with values of the site's own.
    Values,
    /// Its node can be tainted, filled, stopped and started again.
    Nodes,
    /// Its API can be stopped, slowed and started again.
    Api,
    /// The application's objects can be changed and deleted.
    Objects,
    /// The installer and the machine below Kubernetes are there.
    Host,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Dns,
        Self::Registry,
        Self::Flux,
        Self::Volumes,
        Self::Values,
        Self::Nodes,
        Self::Api,
        Self::Objects,
        Self::Host,
    ];

    /// What every world with a cluster can do.
    pub const OF_A_CLUSTER: [Self; 8] = [
        Self::Dns,
        Self::Registry,
        Self::Flux,
        Self::Volumes,
        Self::Values,
        Self::Nodes,
        Self::Api,
        Self::Objects,
    ];

    /// Its name in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Registry => "registry",
            Self::Flux => "flux",
            Self::Volumes => "volumes",
            Self::Values => "values",
            Self::Nodes => "nodes",
            Self::Api => "api",
            Self::Objects => "objects",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No capability has this name.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no capability is named `{0}`")]
pub struct UnknownCapability(String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|c| c.name() == text).ok_or_else(|| UnknownCapability(text.to_owned()))
    }
}

/// What a world saw of a fault that it had set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// How often it happened to somebody; the fault has landed when this is not zero.
    pub count: u64,
    /// When it happened first, in field time, if the world knows.
    pub first: Option<Timestamp>,
    /// The packets, requests or files that prove it, a line each.
    pub evidence: Vec<String>,
}

impl Receipt {
    /// Whether the fault happened to anybody.
    pub fn landed(&self) -> bool {
        self.count > 0
    }
}
