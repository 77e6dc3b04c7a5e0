//! Files in the node's volumes.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cluster_api::kinds;
use cluster_node::host_path;
use fake_workloads::{BLOCK, Quotas};
use serde_json::Value;

use super::WorldError;
use super::objects::Objects;

/// Where the application's pods are.
const NAMESPACE: &str = "msp";
/// The label by which a component's pods are known.
const COMPONENT: &str = "app.kubernetes.io/name";
/// A place that no node has.
const NOWHERE: &str = "/var/lib/gone/data";
/// A directory of every node.
const OUTSIDE: &str = "/opt";

/// A directory of a volume that a component's containers mount.
pub(in crate::world) struct Part {
    /// The volume.
    root: PathBuf,
    path: PathBuf,
}

/// The directories below a volume's root that a component's pods mount, as far as the volumes are there.
pub(in crate::world) fn parts(objects: &Objects, disk: &Path, component: &str) -> Vec<Part> {
    let mut found = Vec::new();
    for pod in pods(objects, component) {
        for (claim, part) in mounts(&pod) {
            let bound = objects.get(&kinds::PERSISTENT_VOLUME_CLAIMS, NAMESPACE, claim);
            // Before it is bound, the volume knows its claim and not the other way round.
            let volume = objects.list(&kinds::PERSISTENT_VOLUMES, None).into_iter().find(|volume| {
                let owner = &volume["spec"]["claimRef"];
                bound.is_some() && owner["name"] == claim && owner["namespace"] == NAMESPACE
            });
            let root = volume.as_ref().and_then(|volume| volume["spec"]["hostPath"]["path"].as_str());
            found.extend(root.map(|root| {
                let root = host_path(disk, root);
                Part { path: root.join(part), root }
            }));
        }
    }
    found
}

/// The volumes of which a component's pods mount something, as far as they are there.
pub(in crate::world) fn roots(objects: &Objects, disk: &Path, component: &str) -> Vec<PathBuf> {
    parts(objects, disk, component).into_iter().map(|part| part.root).filter(|root| root.is_dir()).collect()
}

/// Leaves a component's volumes room for one block, as soon as they are there.
pub(in crate::world) async fn fill(objects: Objects, disk: PathBuf, quotas: Quotas, component: String) {
    let there = || Some(roots(&objects, &disk, &component)).filter(|roots| !roots.is_empty());
    for root in objects.until(there).await.into_iter().flatten() {
        quotas.leave(&root, BLOCK);
    }
}

/// A component's pods.
pub(in crate::world) fn pods(objects: &Objects, component: &str) -> Vec<std::sync::Arc<Value>> {
    let mut pods = objects.list(&kinds::PODS, Some(NAMESPACE));
    pods.retain(|pod| cluster_api::object::label(pod, COMPONENT) == Some(component));
    pods
}

/// Claim and directory of each mount that is not a whole volume.
fn mounts(pod: &Value) -> Vec<(&str, &str)> {
    let volumes = pod["spec"]["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let claim_of = |name: &Value| {
        let volume = volumes.iter().find(|volume| volume["name"] == *name)?;
        volume["persistentVolumeClaim"]["claimName"].as_str()
    };
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mounts = containers.flat_map(|it| it["volumeMounts"].as_array().into_iter().flatten());
    mounts.filter_map(|mount| Some((claim_of(&mount["name"])?, mount["subPath"].as_str()?))).collect()
}

/// Where a link leads that takes the place of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Astray {
    /// To a place that no node has.
    Nowhere,
    /// To a directory of the node, out of the volume.
    Outside,
    /// Through a file of the volume.
    ThroughFile,
}

/// Puts links in the place of a component's directories, as soon as its volumes are there.
pub(in crate::world) async fn lead_astray(
    objects: Objects,
    disk: PathBuf,
    component: String,
    where_to: Astray,
) {
    let there = || Some(parts(&objects, &disk, &component)).filter(|parts| !parts.is_empty());
    for part in objects.until(there).await.into_iter().flatten() {
        if let Err(error) = replace_by_link(&part.path, where_to) {
            tracing::warn!(%error, path = %part.path.display(), "cannot lay a link into a volume");
        }
    }
}

fn replace_by_link(path: &Path, where_to: Astray) -> io::Result<()> {
    if path.is_symlink() {
        fs::remove_file(path)?;
    } else if path.symlink_metadata().is_ok() {
        fs::rename(path, aside(path))?;
    }
    match where_to {
        Astray::Nowhere => symlink(NOWHERE, path),
        Astray::Outside => symlink(OUTSIDE, path),
        Astray::ThroughFile => {
            fs::write(archive(path), "moved by a backup\n")?;
            let name = archive(path).file_name().unwrap_or_default().to_owned();
            symlink(Path::new(&name).join("data"), path)
        }
    }
}

/// A file where a directory was.
fn archive(path: &Path) -> PathBuf {
    path.with_extension("tar")
}

fn aside(path: &Path) -> PathBuf {
    path.with_extension("before")
}

/// Takes links out of the way; a directory that was there before is there again. Says whether there was anything to do.
pub(in crate::world) fn repair(objects: &Objects, disk: &Path, component: &str) -> io::Result<bool> {
    let mut repaired = false;
    for Part { path, .. } in parts(objects, disk, component) {
        if path.is_symlink() {
            fs::remove_file(&path)?;
            match fs::remove_file(archive(&path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            if aside(&path).exists() {
                fs::rename(aside(&path), &path)?;
            }
            repaired = true;
        }
    }
    Ok(repaired)
}

/// Deletes a component's pods; says whether there were any.
pub(in crate::world) async fn restart(objects: &Objects, component: &str) -> Result<bool, WorldError> {
    let pods = pods(objects, component);
    for pod in &pods {
        let name = cluster_api::object::name(pod);
        // Somebody else may have been faster.
        objects.remove(&kinds::PODS, NAMESPACE, name).await?;
    }
    Ok(!pods.is_empty())
}

/// Whether a container was refused since what it mounts is a link that leads nowhere.
pub(in crate::world) fn refused(objects: &Objects, disk: &Path, component: &str) -> bool {
    let refused = |pod: &Value| {
        let statuses = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
        let mut said = statuses.filter_map(|status| status["state"]["waiting"]["message"].as_str());
        said.any(|message| message.contains("subPath"))
    };
    parts(objects, disk, component).iter().any(|part| part.path.is_symlink())
        && pods(objects, component).iter().any(|pod| refused(pod))
}
