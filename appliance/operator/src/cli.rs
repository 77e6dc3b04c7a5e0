//! Flags and subcommands.

use std::net::IpAddr;
use std::path::PathBuf;

use appliance_collect::Clock;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Installs and looks after an appliance.
#[derive(Debug, Parser)]
#[command(name = "appliance", version)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install everything: onto a machine in Talos' maintenance mode, or into a cluster that is there.
    Bootstrap(Box<Bootstrap>),
    /// Say how an appliance is doing.
    Status(Status),
    /// Check that the images of a release are published.
    ValidateRelease(ValidateRelease),
    /// Remove an appliance from its cluster, with all its data.
    Reset(Reset),
}

/// What bootstrap finds, or wants to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// An empty database; existing data ends the install.
    Fresh,
    /// Whatever is there is kept.
    Recover,
}

impl Mode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Recover => "recover",
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum NetworkMode {
    Dhcp,
    Static,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Bootstrap {
    /// Who tells how time passes while the API does not: `machine`, or the address of a clock.
    #[arg(long, env = "APPLIANCE_CLOCK", default_value = "machine")]
    pub(crate) clock: Clock,
    /// Name of the site.
    #[arg(long, default_value = "appliance")]
    pub(crate) site_id: String,
    /// Release to install.
    #[arg(long, default_value = "1.0-rc5")]
    pub(crate) release_version: String,
    /// Values profile; the release's own by default.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// What the database is expected to hold.
    #[arg(long, value_enum, default_value = "recover")]
    pub(crate) bootstrap_mode: Mode,
    /// Address of the machine; asked of the cluster where one is given.
    #[arg(long)]
    pub(crate) node_ip: Option<IpAddr>,
    /// Host name of the node.
    #[arg(long)]
    pub(crate) hostname: Option<String>,
    /// Address at which people reach the app; port 3000 of the node by default.
    #[arg(long)]
    pub(crate) app_url: Option<String>,
    /// Network interface of the node.
    #[arg(long)]
    pub(crate) interface: Option<String>,
    /// How the node gets its address.
    #[arg(long, value_enum)]
    pub(crate) network_mode: Option<NetworkMode>,
    /// Address with prefix length, for a static network.
    #[arg(long)]
    pub(crate) static_address: Option<String>,
    /// Gateway, for a static network.
    #[arg(long)]
    pub(crate) static_gateway: Option<IpAddr>,
    /// DNS servers, comma-separated.
    #[arg(long, value_delimiter = ',')]
    pub(crate) dns_servers: Vec<IpAddr>,
    /// Disk to install to.
    #[arg(long)]
    pub(crate) install_disk: Option<String>,
    /// Where the command keeps what it knows of its sites.
    #[arg(long)]
    pub(crate) config_dir: Option<PathBuf>,
    /// Cluster that is already there; skips the Talos phase.
    #[arg(long)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Talos credentials that are already there.
    #[arg(long)]
    pub(crate) talosconfig: Option<PathBuf>,
    /// Repository of the source artifact.
    #[arg(long, default_value = "oci://ghcr.io/nine-minds/alga-appliance-config")]
    pub(crate) repo_url: String,
    /// Tag of the source artifact; the release version by default.
    #[arg(long)]
    pub(crate) repo_branch: Option<String>,
    /// Fail when the source cannot be checked before anything is applied.
    #[arg(long)]
    pub(crate) require_remote_branch: bool,
    /// Another tag of the app's image.
    #[arg(long)]
    pub(crate) alga_core_tag: Option<String>,
    /// Another tag of the workflow worker's image.
    #[arg(long)]
    pub(crate) workflow_worker_tag: Option<String>,
    /// Another tag of the email service's image.
    #[arg(long)]
    pub(crate) email_service_tag: Option<String>,
    /// Another tag of the Temporal worker's image.
    #[arg(long)]
    pub(crate) temporal_worker_tag: Option<String>,
    /// Pull images before they are needed.
    #[arg(long)]
    pub(crate) prepull_images: bool,
    /// Do not ask the registry whether the images are there.
    #[arg(long)]
    pub(crate) skip_image_tag_validation: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Status {
    /// Who tells how time passes while the API does not: `machine`, or the address of a clock.
    #[arg(long, env = "APPLIANCE_CLOCK", default_value = "machine")]
    pub(crate) clock: Clock,
    /// The cluster.
    #[arg(long)]
    pub(crate) kubeconfig: PathBuf,
    /// Address of the node; asked of the cluster by default.
    #[arg(long)]
    pub(crate) node_ip: Option<IpAddr>,
    /// Print the whole document.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ValidateRelease {
    /// Release to check.
    #[arg(long, default_value = "1.0-rc5")]
    pub(crate) release_version: String,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Reset {
    /// Who tells how time passes while the API does not: `machine`, or the address of a clock.
    #[arg(long, env = "APPLIANCE_CLOCK", default_value = "machine")]
    pub(crate) clock: Clock,
    /// Name of the site; its files stay.
    #[arg(long, default_value = "appliance")]
    pub(crate) site_id: String,
    /// Where the command keeps what it knows of its sites.
    #[arg(long)]
    pub(crate) config_dir: Option<PathBuf>,
    /// The cluster.
    #[arg(long)]
    pub(crate) kubeconfig: PathBuf,
    /// Yes, delete the appliance and everything in its database.
    #[arg(long)]
    pub(crate) force: bool,
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
