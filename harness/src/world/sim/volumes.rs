//! Files in the node's volumes.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cluster_api::{Store, kinds};
use cluster_node::host_path;
use fake_workloads::{BLOCK, Quotas};
use serde_json::Value;

/// Where the application's pods are.
const NAMESPACE: &str = "msp";
/// The label by which a component's pods are known.
const COMPONENT: &str = "app.kubernetes.io/name";
/// A place that no node has.
const NOWHERE: &str = "/var/lib/gone/data";
/// A directory of every node.
const OUTSIDE: &str = "/opt";

/// A directory of a volume that a component's containers mount.
pub(super) struct Part {
    /// The volume.
    root: PathBuf,
    path: PathBuf,
}

/// The directories below a volume's root that a component's pods mount, as far as the volumes are there.
pub(super) fn parts(store: &Store, disk: &Path, component: &str) -> Vec<Part> {
    let mut found = Vec::new();
    for pod in pods(store, component) {
        for (claim, part) in mounts(&pod) {
            let bound = store.get(&kinds::PERSISTENT_VOLUME_CLAIMS, NAMESPACE, claim);
            // Before it is bound, the volume knows its claim and not the other way round.
            let volume = store.list(&kinds::PERSISTENT_VOLUMES, None).into_iter().find(|volume| {
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
pub(super) fn roots(store: &Store, disk: &Path, component: &str) -> Vec<PathBuf> {
    parts(store, disk, component).into_iter().map(|part| part.root).filter(|root| root.is_dir()).collect()
}

/// Leaves a component's volumes room for one block, as soon as they are there.
pub(super) async fn fill(store: Store, disk: PathBuf, quotas: Quotas, component: String) {
    let there = || Some(roots(&store, &disk, &component)).filter(|roots| !roots.is_empty());
    for root in until(&store, there).await.into_iter().flatten() {
        quotas.leave(&root, BLOCK);
    }
}

/// A component's pods.
pub(super) fn pods(store: &Store, component: &str) -> Vec<std::sync::Arc<Value>> {
    let mut pods = store.list(&kinds::PODS, Some(NAMESPACE));
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
pub(super) enum Astray {
    /// To a place that no node has.
    Nowhere,
    /// To a directory of the node, out of the volume.
    Outside,
    /// Through a file of the volume.
    ThroughFile,
}

/// Puts links in the place of a component's directories, as soon as its volumes are there.
pub(super) async fn lead_astray(store: Store, disk: PathBuf, component: String, where_to: Astray) {
    let there = || Some(parts(&store, &disk, &component)).filter(|parts| !parts.is_empty());
    for part in until(&store, there).await.into_iter().flatten() {
        if let Err(error) = replace_by_link(&part.path, where_to) {
            tracing::warn!(%error, path = %part.path.display(), "cannot lay a link into a volume");
        }
    }
}

/// What `look` finds as soon as it finds something; it looks at every change of the cluster. Nothing where the cluster ends before.
pub(super) async fn until<T>(store: &Store, look: impl Fn() -> Option<T>) -> Option<T> {
    let mut changes = store.changes();
    loop {
        changes.borrow_and_update();
        if let Some(found) = look() {
            return Some(found);
        }
        changes.changed().await.ok()?;
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
pub(super) fn repair(store: &Store, disk: &Path, component: &str) -> io::Result<bool> {
    let mut repaired = false;
    for Part { path, .. } in parts(store, disk, component) {
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
pub(super) fn restart(store: &Store, component: &str) -> Result<bool, cluster_api::ApiError> {
    let pods = pods(store, component);
    for pod in &pods {
        let name = cluster_api::object::name(pod);
        store.delete(&kinds::PODS, NAMESPACE, name, cluster_api::Propagation::Background)?;
    }
    Ok(!pods.is_empty())
}

/// Whether a container was refused since what it mounts is a link that leads nowhere.
pub(super) fn refused(store: &Store, disk: &Path, component: &str) -> bool {
    let refused = |pod: &Value| {
        let statuses = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
        let mut said = statuses.filter_map(|status| status["state"]["waiting"]["message"].as_str());
        said.any(|message| message.contains("subPath"))
    };
    parts(store, disk, component).iter().any(|part| part.path.is_symlink())
        && pods(store, component).iter().any(|pod| refused(pod))
}
