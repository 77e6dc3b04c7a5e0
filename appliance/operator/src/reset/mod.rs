//! `appliance reset`: takes away what `bootstrap` brought, with its data, and nothing else.
//!
//! ```text
//!   flux         suspend everything, then the root, its children, the releases with their charts, the source
//!   volume       hand the volumes to their provisioner before their claims go; see that they and their directories are gone
//!   namespaces   alga-system and msp
//! ```
//!
//! Whatever was interrupted is finished by another run: each step looks for what is there now.

mod flux;
mod found;
mod namespaces;
mod plan;
mod target;
mod volume;

use std::path::Path;
use std::time::Duration;

use self::found::Found;
use crate::cli::Reset;
use crate::cluster::Cluster;
use crate::failure::{Failure, Layer};
use crate::report::{Phase, line, step};
use crate::settings::site_directory;
use crate::time::ApiTime;

/// An API that says nothing for so long does not answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

pub(crate) async fn run(arguments: &Reset) -> Result<(), Failure> {
    if !arguments.force && !arguments.dry_run {
        return Err(Failure::new(
            Layer::Refused,
            "refusing to reset without --force: it deletes the appliance and all its data",
            "See with --dry-run what would be removed; run it with --force to remove it.",
        ));
    }
    let site = site_directory(arguments.config_dir.as_deref(), &arguments.site_id)?;
    let cluster = Cluster::connect(&arguments.kubeconfig).await?;
    let found = look(&cluster, arguments).await?;
    found.check()?;
    if arguments.dry_run {
        plan::lines(&found).iter().for_each(|it| line(it));
        return Ok(());
    }
    step(Phase::Kubernetes, &format!("Using kubeconfig {}", arguments.kubeconfig.display()));
    if found.is_empty() {
        line("Nothing to remove: no appliance is in this cluster.");
        return Ok(());
    }
    remove(&cluster, &found, &ApiTime::start(cluster.client.clone(), arguments.clock)).await?;
    conclude(&found, &site);
    Ok(())
}

async fn look(cluster: &Cluster, arguments: &Reset) -> Result<Found, Failure> {
    tokio::select! {
        found = Found::look(cluster) => found,
        () = arguments.clock.sleep(ANSWERS_WITHIN) => {
            let remedy = "Check that the cluster's API answers (kubectl get nodes), then run the command again.";
            let why = format!("its API said nothing for {} s", ANSWERS_WITHIN.as_secs());
            Err(Failure::new(Layer::Kubernetes, "look for an appliance in the cluster", remedy).because(why))
        }
    }
}

async fn remove(cluster: &Cluster, found: &Found, time: &ApiTime) -> Result<(), Failure> {
    flux::remove(cluster, time, found).await?;
    for volume in &found.others {
        let text = format!("{} is left to its provisioner, {}", volume.title(), volume.provisioner);
        step(Phase::Storage, &text);
    }
    volume::hand_over(cluster, &found.volumes).await?;
    namespaces::remove(cluster, time, &found.namespaces).await?;
    volume::remove(cluster, time, &found.volumes).await
}

fn conclude(found: &Found, site: &Path) {
    line("");
    line(&format!("The appliance was removed: {}.", found.counted()));
    line(
        "  Kept:    the Flux controllers and their HelmRepository, storage, the status service and its token",
    );
    line(&format!("  Kept:    {}", site.display()));
    line("  Install: appliance bootstrap --bootstrap-mode fresh");
}
