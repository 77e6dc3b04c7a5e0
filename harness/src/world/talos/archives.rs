//! Saved container images, for whatever a machine pulls.

use std::path::PathBuf;

use async_trait::async_trait;
use fake_network::ImageSpec;

use crate::world::WorldError;
use crate::world::outside::{HOSTS, Outside, Wares};
use crate::world::saved::{Saved, best, unpack};
use crate::world::wares::Shelf;

/// The end of the repository of what writes Talos to a disk.
const INSTALLER: &str = "/installer";

/// Images that were saved.
#[derive(Debug, Default)]
pub(super) struct Archives(Vec<Saved>);

impl Archives {
    /// Reads archives, as container engines save images.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, WorldError> {
        let read = |path: &PathBuf| -> Result<Saved, WorldError> {
            let archive = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            unpack(&archive).map_err(|error| format!("{}: {error}", path.display()).into())
        };
        paths.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a machine can install itself.
    pub(super) fn have_installer(&self) -> bool {
        let names = self.0.iter().flat_map(|saved| &saved.names);
        names.filter_map(|name| name.rsplit_once(':')).any(|(repository, _)| repository.ends_with(INSTALLER))
    }

    fn find(&self, reference: &str) -> Option<&ImageSpec> {
        let names = self.0.iter().flat_map(|saved| saved.names.iter().map(String::as_str));
        let name = best(reference, names)?;
        self.0.iter().find(|saved| saved.names.iter().any(|it| it == name)).map(|saved| &saved.spec)
    }

    /// Publishes every image under the names under which it was saved, as far as they are those of a registry of the site; what the
    /// appliance pulls is published with what is added to it, and stays so.
    pub(super) async fn publish(&self, outside: &Outside, wares: &Wares) -> Result<(), WorldError> {
        for saved in &self.0 {
            let others = saved.names.iter().filter(|name| !wares.own.contains_key(*name));
            let names = others.filter_map(|name| name.rsplit_once(':'));
            for (repository, tag) in names.filter(|(repository, _)| is_known(repository)) {
                outside.registry().push_image(repository, tag, &saved.spec).await?;
            }
        }
        Ok(())
    }
}

/// A build of somebody's own has a name that no registry has.
fn is_known(repository: &str) -> bool {
    repository.split('/').next().is_some_and(|host| HOSTS.contains(&host))
}

/// The registry of the installer among the images that a machine pulls by itself (`talosctl image default`).
pub(super) fn installer_host(defaults: &str) -> Option<&str> {
    let references = defaults.lines().filter_map(|line| line.trim().rsplit_once(':'));
    let mut installers = references.filter(|(repository, _)| repository.ends_with(INSTALLER));
    installers.next().and_then(|(repository, _)| repository.split('/').next())
}

#[async_trait]
impl Shelf for Archives {
    async fn image(&self, reference: &str) -> Result<ImageSpec, WorldError> {
        // What is not here is published with nothing in it: it can be pulled, and whoever starts it is told that there is no program.
        Ok(self.find(reference).cloned().unwrap_or_default())
    }
}
