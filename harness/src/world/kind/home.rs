//! Where a cluster has its files: for one run, or for every run that reuses it.

use std::fs;
use std::path::{Path, PathBuf};

use super::cluster::{Cluster, Wish};
use super::engine::Engine;
use super::helper::Helper;
use super::leftovers;
use crate::run::directory::WorldDirectory;
use crate::world::{BootRequest, Lifetime, WorldError};

/// A cluster's directory.
pub(super) enum Home {
    /// It goes with its run.
    Own(WorldDirectory),
    /// It stays, with the cluster.
    Shared(PathBuf),
}

impl Home {
    pub(super) fn of(request: &BootRequest) -> Result<Self, WorldError> {
        let base = request.directory.parent().unwrap_or(&request.directory);
        match request.cluster.lifetime {
            Lifetime::Run => Ok(Self::Own(WorldDirectory::create(base)?)),
            Lifetime::Reused => {
                let path = base.join(leftovers::REUSED);
                fs::create_dir_all(&path)?;
                Ok(Self::Shared(path))
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Own(directory) => directory.path(),
            Self::Shared(path) => path,
        }
    }

    /// The cluster that a run before has left here, with the world outside beside it; what is left of a half of them is removed.
    pub(super) async fn reused(&self, engine: &Engine, wish: &Wish<'_>) -> Option<(Cluster, Helper)> {
        let Self::Shared(directory) = self else { return None };
        let cluster = Cluster::adopt(engine, wish).await.ok()?;
        match Helper::find(engine, wish.name, directory).await {
            Ok(helper) => Some((cluster, helper)),
            Err(error) => {
                tracing::warn!(%error, "a cluster without its world outside is made anew");
                // Whatever cannot be removed stands in the way of the new one, which says so.
                let _ = leftovers::remove(engine, wish.name).await;
                None
            }
        }
    }
}
