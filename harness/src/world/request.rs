//! What a world is asked for.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Where the system under test is, as this build made it.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The operator's command.
    pub appliance: PathBuf,
    /// The status service.
    pub appliance_status: PathBuf,
}

/// The most seconds of field time in a second of the machine's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(pub f64);

impl Speed {
    /// As fast as the machine permits.
    pub const UNLIMITED: Self = Self(f64::INFINITY);
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_infinite() { f.write_str("max") } else { write!(f, "{}", self.0) }
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::UNLIMITED);
        }
        match text.parse::<f64>() {
            Ok(speed) if speed > 0.0 && !speed.is_nan() => Ok(Self(speed)),
            Ok(_) | Err(_) => Err(format!("a speed is `max` or a number above zero, not `{text}`")),
        }
    }
}

/// How long a cluster lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lifetime {
    /// As long as its run.
    #[default]
    Run,
    /// Until somebody cleans up: every run that asks for it adopts it, or makes it.
    Reused,
}

/// What a real cluster is made of.
#[derive(Debug, Clone, Default)]
pub struct ClusterChoice {
    /// The node's image; the one that the `kind` program takes by itself where nothing is said.
    pub image: Option<String>,
    /// The directory of the static programs for containers.
    pub programs: PathBuf,
    /// How long it lives.
    pub lifetime: Lifetime,
}

impl ClusterChoice {
    /// Where the static programs are when nobody says: beside the other builds.
    #[must_use]
    pub fn programs_of(binaries: &Binaries) -> PathBuf {
        let builds = binaries.appliance.parent().and_then(Path::parent).unwrap_or(Path::new("target"));
        builds.join(format!("{}-unknown-linux-gnu", std::env::consts::ARCH)).join("image")
    }
}

/// What a real machine is made of.
#[derive(Debug, Clone, Default)]
pub struct MachineChoice {
    /// The folder with what it boots from; the one of this user's cache where nothing is said.
    pub image: Option<PathBuf>,
}

/// What a scenario begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Beginning {
    /// An empty cluster.
    #[default]
    Empty,
    /// An install without faults of the same release and profile, if one stands; else an empty cluster.
    Installed,
    /// A machine that has not been installed: what is done to it begins at its power button.
    Machine,
}

/// One world, please.
#[derive(Debug, Clone)]
pub struct BootRequest {
    /// A directory of this world's own; it exists, and the runner removes it. Record every process group that could outlive
    /// the runner with `run::directory::record_process`.
    pub directory: PathBuf,
    /// The release that the outside world offers, for instance `1.0-rc5`.
    pub release: String,
    /// The values profile, for instance `single-node`.
    pub profile: String,
    /// What the scenario begins with.
    pub beginning: Beginning,
    /// The most seconds of field time in a second of the machine's.
    pub speed: Speed,
    /// Seed of everything random.
    pub seed: u64,
    /// The system under test.
    pub binaries: Binaries,
    /// What a real cluster is made of, for worlds that have one.
    pub cluster: ClusterChoice,
    /// What a real machine is made of, for worlds that have one.
    pub machine: MachineChoice,
    /// A status service to run in place of ours: program and arguments.
    pub status_command: Option<Vec<String>>,
    /// An operator's command to run in place of ours: program and arguments, to which `bootstrap …` is appended.
    pub operator_command: Option<Vec<String>>,
}

impl BootRequest {
    /// The program and first arguments of the operator's command.
    pub fn operator(&self) -> Vec<String> {
        self.operator_command.clone().unwrap_or_else(|| vec![self.binaries.appliance.display().to_string()])
    }

    /// The program and first arguments of the status service.
    pub fn status(&self) -> Vec<String> {
        self.status_command
            .clone()
            .unwrap_or_else(|| vec![self.binaries.appliance_status.display().to_string()])
    }
}

/// Whether the operator starts afresh or on what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BootstrapMode {
    /// `fresh`
    #[default]
    Fresh,
    /// `recover`
    Recover,
}

impl BootstrapMode {
    /// The mode of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Fresh, Self::Recover].into_iter().find(|mode| mode.name() == name)
    }

    /// As the operator's command spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Recover => "recover",
        }
    }
}

/// How the appliance is installed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootstrapOptions {
    /// `--bootstrap-mode`
    pub mode: BootstrapMode,
    /// `--release-version`
    pub release: String,
    /// `--profile`
    pub profile: String,
    /// `--dns-servers`, where the scenario names some.
    pub dns_servers: Vec<String>,
    /// Appended as they are.
    pub arguments: Vec<String>,
    /// The command is killed when it takes longer than this in field time.
    pub ceiling: Duration,
}
