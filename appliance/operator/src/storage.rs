//! Storage, and the proof that a volume can be written.

use jiff::SignedDuration;
use kube::api::DynamicObject;

use crate::cluster::Cluster;
use crate::failure::{Failure, Layer};
use crate::lookout::Lookout;
use crate::objects::{manifest, resource};
use crate::report::{Phase, step, warning};
use crate::time::ApiTime;
use crate::waits::{Look, Wait};

/// A pull that failed is tried again after five minutes at most: whoever repairs its cause in time is not left behind.
const WITHIN: SignedDuration = SignedDuration::from_secs(600);

pub(crate) async fn install(cluster: &Cluster, time: &ApiTime, lookout: &Lookout<'_>) -> Result<(), Failure> {
    step(Phase::Storage, "Installing the local-path provisioner");
    cluster.apply_all(manifest("platform/local-path.yaml")?).await?;
    step(Phase::Storage, "Running the storage smoke test");
    let smoke = manifest("platform/storage-smoke.yaml")?;
    let unpulled = std::cell::Cell::new(false);
    // One that an earlier run left behind proves nothing about this one.
    remove(cluster, &smoke).await?;
    lookout.over(Phase::Storage, gone(cluster, time)).await?;
    cluster.apply_all(smoke.clone()).await?;
    let written = pod(cluster, time).until(|pod| {
        let look = judge(pod);
        if let Look::Met = look {
            unpulled.set(pod.is_some_and(|it| pull_trouble(it).is_some()));
        }
        look
    });
    let outcome = lookout.over(Phase::Storage, written).await;
    remove(cluster, &smoke).await?;
    outcome?;
    if unpulled.get() {
        warning("the storage smoke test could not be run: its image cannot be pulled; continuing.");
    } else {
        step(Phase::Storage, "A volume was provisioned and written");
    }
    Ok(())
}

fn pod<'a>(cluster: &'a Cluster, time: &'a ApiTime) -> Wait<'a> {
    Wait {
        cluster,
        time,
        resource: resource("", "v1", "Pod"),
        namespace: Some("local-path-storage"),
        name: "storage-smoke",
        within: WITHIN,
        layer: Layer::Storage,
        remedy: "Install exactly one local-path provisioner and make it the default StorageClass, then run the command again.",
    }
}

async fn gone(cluster: &Cluster, time: &ApiTime) -> Result<(), Failure> {
    let absent = |object: Option<&DynamicObject>| match object {
        None => Look::Met,
        Some(_) => Look::NotYet("it is still being deleted".into()),
    };
    pod(cluster, time).until(absent).await?;
    let claim = Wait { resource: resource("", "v1", "PersistentVolumeClaim"), ..pod(cluster, time) };
    claim.until(absent).await
}

async fn remove(cluster: &Cluster, smoke: &[serde_json::Value]) -> Result<(), Failure> {
    for object in smoke.iter().rev() {
        cluster.delete(object.clone()).await?;
    }
    Ok(())
}

/// A pull that fails says nothing about storage: it counts as met, and is told apart afterwards.
fn judge(pod: Option<&DynamicObject>) -> Look {
    let Some(pod) = pod else { return Look::NotYet("the pod does not exist".into()) };
    let status = &pod.data["status"];
    match status["phase"].as_str() {
        Some("Succeeded") => Look::Met,
        Some("Failed") => Look::Never("the volume could not be written".into()),
        _ if pull_trouble(pod).is_some() => Look::Met,
        phase => Look::NotYet(format!("the pod is {}", phase.unwrap_or("not scheduled"))),
    }
}

fn pull_trouble(pod: &DynamicObject) -> Option<&str> {
    let waiting = &pod.data["status"]["containerStatuses"][0]["state"]["waiting"];
    waiting["reason"].as_str().filter(|it| matches!(*it, "ErrImagePull" | "ImagePullBackOff"))
}
