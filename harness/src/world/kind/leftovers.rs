//! What runs that were killed have left in the engine: found by name and label, and taken away.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::cluster::LABEL;
use super::engine::{Engine, EngineError};
use super::home;
use crate::run::directory;

/// How the names of clusters, networks and helpers begin.
const PREFIX: &str = "appliance-smoke-";
/// The label by which the kind program knows its nodes.
const KIND: &str = "io.x-k8s.kind.cluster";

/// The directory of the cluster that runs reuse.
pub(super) const REUSED: &str = "reused";

/// What was taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Nodes and helpers.
    pub containers: usize,
    /// Their networks.
    pub networks: usize,
    /// Clusters whose owners live, left alone.
    pub living: usize,
}

/// The name of the cluster whose directory this is: it tells whose it is. One that runs reuse has a part of its directory's
/// path in its name, for whoever has worlds in another directory knows nothing of its users.
pub(super) fn name_of(home: &Path) -> String {
    let own = home.file_name().unwrap_or_default().to_string_lossy().replace('.', "-");
    if own != REUSED {
        return format!("{PREFIX}{own}");
    }
    let path = Sha256::digest(home.as_os_str().as_encoded_bytes());
    let path: String = path.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{own}-{path}")
}

/// Whose a cluster of this name is, as the sweep knows owners.
fn owner(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-');
    let owner = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next()?.parse::<u32>().ok()?;
    parts.next().is_none().then_some(owner)
}

/// Removes containers, their volumes and networks of dead runs, and the cluster that runs reuse; worlds have their directories in `base`. Nothing that is not labelled ours is touched; where there is
/// no engine there is nothing.
///
/// # Errors
/// When something that was found cannot be removed.
pub fn clean(base: &Path) -> Result<Leftovers, crate::world::WorldError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (directory, engine) = (base.join(REUSED), Engine::on("kind"));
    let user = home::user(&directory);
    let left = runtime.block_on(async {
        if !answers(&engine).await {
            return Ok(Leftovers::default());
        }
        let mut left = sweep_dead(&engine).await?;
        // Whoever cleans wants the cluster gone that runs reuse, unless one does right now.
        match user {
            Some(_) => left.living += 1,
            None => {
                let reused = remove(&engine, &name_of(&directory)).await?;
                left.containers += reused.containers;
                left.networks += reused.networks;
            }
        }
        Ok::<Leftovers, EngineError>(left)
    })?;
    if user.is_none() && directory.exists() {
        std::fs::remove_dir_all(&directory)?;
    }
    Ok(left)
}

/// Removes one cluster with all that is beside it.
pub(super) async fn remove(engine: &Engine, name: &str) -> Result<Leftovers, EngineError> {
    let mut left = Leftovers::default();
    for label in [KIND, LABEL] {
        let filter = format!("label={label}={name}");
        for id in engine.docker(&["ps", "--all", "--quiet", "--filter", &filter]).await?.lines() {
            let _ = engine.exec(id, &["sh", "-c", "rm -rf /var/local-path-provisioner/*"]).await;
            engine.docker(&["rm", "--force", "--volumes", id]).await?;
            left.containers += 1;
        }
    }
    let filter = format!("label={LABEL}={name}");
    for network in engine.docker(&["network", "ls", "--quiet", "--filter", &filter]).await?.lines() {
        engine.docker(&["network", "rm", network]).await?;
        left.networks += 1;
    }
    Ok(left)
}

/// What dead runs have left; nothing else.
pub(super) async fn sweep_dead(engine: &Engine) -> Result<Leftovers, EngineError> {
    sweep(engine, |pid, start| !directory::lives(pid, start)).await
}

/// What this run has left where something failed before it could be taken down.
pub(super) async fn sweep_own(engine: &Engine) -> Result<Leftovers, EngineError> {
    if !answers(engine).await {
        return Ok(Leftovers::default());
    }
    sweep(engine, |pid, _| pid == std::process::id()).await
}

/// Whether there is an engine that could hold anything.
async fn answers(engine: &Engine) -> bool {
    engine.docker(&["version", "--format", "{{.Server.Version}}"]).await.is_ok()
}

/// Removes the clusters whose owners `goes` names.
async fn sweep(engine: &Engine, goes: impl Fn(u32, u64) -> bool) -> Result<Leftovers, EngineError> {
    let mut left = Leftovers::default();
    for name in names(engine).await? {
        match owner(&name) {
            Some((pid, start)) if goes(pid, start) => {
                let removed = remove(engine, &name).await?;
                left.containers += removed.containers;
                left.networks += removed.networks;
            }
            Some(_) => left.living += 1,
            None => {}
        }
    }
    Ok(left)
}

/// The names of all clusters that are there, whole or in parts.
async fn names(engine: &Engine) -> Result<BTreeSet<String>, EngineError> {
    let mut names = BTreeSet::new();
    for label in [KIND, LABEL] {
        let (filter, format) = (format!("label={label}"), format!("{{{{.Label \"{label}\"}}}}"));
        let found = engine.docker(&["ps", "--all", "--filter", &filter, "--format", &format]).await?;
        names.extend(found.lines().map(str::to_owned));
    }
    let filter = format!("label={LABEL}");
    let networks = engine.docker(&["network", "ls", "--filter", &filter, "--format", "{{.Name}}"]).await?;
    names.extend(networks.lines().map(str::to_owned));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_known_by_its_directory_and_others_are_nobodys() {
        assert_eq!(name_of(Path::new("/run/712.4711.3")), "appliance-smoke-712-4711-3");
        assert_eq!(owner("appliance-smoke-712-4711-3"), Some((712, 4711)));
        let [one, other] = ["/run/one/reused", "/run/other/reused"].map(|it| name_of(Path::new(it)));
        assert_ne!(one, other, "who cleans in one directory leaves the other's alone");
        assert_eq!((one.len(), owner(&one)), ("appliance-smoke-reused-01234567".len(), None));
        for other in
            ["kind", "kindlab", "appliance-smoke-", "appliance-smoke-a-b-c", "my-appliance-smoke-1-2-3"]
        {
            assert_eq!(owner(other), None, "{other}");
        }
    }
}
