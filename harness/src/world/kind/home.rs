//! Where a cluster has its files: for one run, or for every run that reuses it.

use std::fs;
use std::path::{Path, PathBuf};

use super::cluster::{Cluster, Wish};
use super::engine::Engine;
use super::helper::Helper;
use super::leftovers;
use crate::run::directory::{self, WorldDirectory};
use crate::world::{BootRequest, Lifetime, WorldError};

/// The file that says which run uses a cluster that others can reuse.
const USER: &str = "user";

/// The process that uses the cluster of this directory, if it lives.
pub(super) fn user(directory: &Path) -> Option<u32> {
    let text = fs::read_to_string(directory.join(USER)).ok()?;
    let (pid, start) = text.trim().split_once(' ')?;
    let (pid, start) = (pid.parse().ok()?, start.parse().ok()?);
    directory::lives(pid, start).then_some(pid)
}

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
                if let Some(user) = user(&path) {
                    return Err(format!("the cluster that runs reuse is in use by process {user}").into());
                }
                fs::write(path.join(USER), directory::myself())?;
                Ok(Self::Shared(path))
            }
        }
    }

    /// Others may use it now.
    pub(super) fn leave(&self) {
        if let Self::Shared(path) = self {
            // Whoever finds the word of a process that has ended takes it for what it is.
            let _ = fs::remove_file(path.join(USER));
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
