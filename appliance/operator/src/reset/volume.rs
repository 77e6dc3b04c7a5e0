//! Volumes of the appliance's claims: which are its own, and how they go with their directories.

use futures::future::try_join_all;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::PersistentVolume;
use kube::ResourceExt;
use kube::api::DynamicObject;
use serde_json::json;

use super::found::{NAMESPACES, volumes};
use super::target::{Patience, Target, held_by_finalizers};
use crate::cluster::Cluster;
use crate::failure::{Failure, Layer};
use crate::objects::resource;
use crate::report::{Phase, step, warning};
use crate::time::ApiTime;

const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const LOCAL_PATH: &str = "rancher.io/local-path";
const SELECTED_NODE: &str = "local.path.provisioner/selected-node";
/// A helper pod removes a directory; its image may have to be pulled.
const REMOVED_WITHIN: SignedDuration = SignedDuration::from_secs(120);
const LET_GO_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// A volume of one of the appliance's claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) claim: String,
    pub(super) provisioner: String,
    pub(super) place: String,
    pub(super) policy: String,
    /// Somebody deleted it while its claim was there: its provisioner does not look at it any more.
    pub(super) ending: bool,
}

/// Volumes that local-path made for claims of the appliance's namespaces, whether the claims are still there or not.
pub(super) fn ours(all: &[PersistentVolume]) -> Vec<Volume> {
    of_claims(all).into_iter().filter(|it| it.provisioner == LOCAL_PATH).collect()
}

/// Volumes of such claims that are somebody else's to remove.
pub(super) fn others(all: &[PersistentVolume]) -> Vec<Volume> {
    of_claims(all).into_iter().filter(|it| it.provisioner != LOCAL_PATH).collect()
}

fn of_claims(all: &[PersistentVolume]) -> Vec<Volume> {
    all.iter().filter_map(of_claim).collect()
}

fn of_claim(volume: &PersistentVolume) -> Option<Volume> {
    let spec = volume.spec.as_ref()?;
    let claim = spec.claim_ref.as_ref()?;
    let namespace = claim.namespace.as_deref().filter(|it| NAMESPACES.contains(it))?;
    let annotation = |key: &str| volume.annotations().get(key).map(String::as_str);
    let host = spec.host_path.as_ref().map(|it| it.path.as_str());
    let path = host.or(spec.local.as_ref().map(|it| it.path.as_str())).unwrap_or("its directory");
    let place = match annotation(SELECTED_NODE) {
        Some(node) => format!("{path} on node {node}"),
        None => path.to_owned(),
    };
    Some(Volume {
        name: volume.name_any(),
        claim: format!("{namespace}/{}", claim.name.as_deref().unwrap_or_default()),
        provisioner: annotation(PROVISIONED_BY).unwrap_or("nobody").to_owned(),
        place,
        policy: spec.persistent_volume_reclaim_policy.clone().unwrap_or_default(),
        ending: volume.metadata.deletion_timestamp.is_some(),
    })
}

impl Volume {
    fn target(&self) -> Target {
        let resource = resource("", "v1", "PersistentVolume");
        Target { object: DynamicObject::new(&self.name, &resource), resource }
    }

    /// Name and claim for people.
    pub(super) fn title(&self) -> String {
        format!("PersistentVolume {} (claim {})", self.name, self.claim)
    }
}

/// Lets the provisioner remove the volumes with their directories as soon as their claims are gone.
pub(super) async fn hand_over(cluster: &Cluster, volumes: &[Volume]) -> Result<(), Failure> {
    for volume in volumes.iter().filter(|it| it.policy != "Delete") {
        let patch = json!({ "spec": { "persistentVolumeReclaimPolicy": "Delete" } });
        volume.target().change(cluster, &patch).await?;
        step(Phase::Storage, &format!("{} goes with its claim, and {}", volume.title(), volume.place));
    }
    Ok(())
}

/// Waits until the provisioner has removed them, and those that came meanwhile.
pub(super) async fn remove(cluster: &Cluster, time: &ApiTime, known: &[Volume]) -> Result<(), Failure> {
    let mut late = ours(&volumes(cluster).await?);
    hand_over(cluster, &late).await?;
    late.retain(|it| known.iter().all(|known| known.name != it.name));
    let every = known.iter().chain(&late).map(|volume| remove_one(cluster, time, volume));
    try_join_all(every).await?;
    Ok(())
}

async fn remove_one(cluster: &Cluster, time: &ApiTime, volume: &Volume) -> Result<(), Failure> {
    let target = volume.target();
    let patience = |within| Patience {
        within,
        layer: Layer::Storage,
        remedy: "Look at what keeps the volume (kubectl describe pv), then run the command again.",
    };
    let phase = |volume: &DynamicObject| {
        let phase = volume.data["status"]["phase"].as_str().unwrap_or("there");
        format!("it is {phase}; its provisioner has not removed it")
    };
    match target.gone(cluster, time, patience(REMOVED_WITHIN), phase).await {
        Ok(()) if volume.ending => {
            step(Phase::Storage, &format!("Removed {}", volume.title()));
            warning(&left_behind(volume));
            Ok(())
        }
        Ok(()) => {
            step(Phase::Storage, &format!("Removed {} with {}", volume.title(), volume.place));
            Ok(())
        }
        Err(failure) if failure.is_open() => {
            target.delete(cluster).await?;
            target.gone(cluster, time, patience(LET_GO_WITHIN), held_by_finalizers).await?;
            step(Phase::Storage, &format!("Removed {}", volume.title()));
            warning(&left_behind(volume));
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

fn left_behind(volume: &Volume) -> String {
    let Volume { name, place, ending, .. } = volume;
    let why = if *ending {
        format!(
            "volume {name} had been deleted before its claim, and the local-path provisioner left it alone"
        )
    } else {
        let within = REMOVED_WITHIN.as_secs();
        format!("the local-path provisioner did not remove volume {name} within {within} s")
    };
    format!("{why}; its data was left in {place}. Remove that directory by hand.")
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::PersistentVolume;
    use serde_json::{Value, json};

    use super::{left_behind, others, ours};

    fn volume(name: &str, provisioner: &str, claim: Value, phase: &str) -> PersistentVolume {
        let annotations = json!({
            "pv.kubernetes.io/provisioned-by": provisioner,
            "local.path.provisioner/selected-node": "appliance",
        });
        let path = format!("/var/local-path-provisioner/{name}");
        serde_json::from_value(json!({
            "metadata": { "name": name, "annotations": annotations },
            "spec": { "claimRef": claim, "hostPath": { "path": path }, "persistentVolumeReclaimPolicy": "Retain" },
            "status": { "phase": phase },
        }))
        .unwrap()
    }

    fn all() -> Vec<PersistentVolume> {
        let claim = |namespace: &str| json!({ "namespace": namespace, "name": "data" });
        vec![
            volume("bound", "rancher.io/local-path", claim("msp"), "Bound"),
            volume("released", "rancher.io/local-path", claim("msp"), "Released"),
            volume("system", "rancher.io/local-path", claim("alga-system"), "Bound"),
            volume("foreign", "rancher.io/local-path", claim("monitoring"), "Bound"),
            volume("ceph", "rbd.csi.ceph.com", claim("msp"), "Bound"),
            volume("unclaimed", "rancher.io/local-path", Value::Null, "Available"),
        ]
    }

    #[test]
    fn a_volume_goes_where_local_path_made_it_for_a_claim_of_the_appliance_old_or_new() {
        let names: Vec<String> = ours(&all()).into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["bound", "released", "system"]);
    }

    #[test]
    fn another_provisioners_volume_of_such_a_claim_is_known_and_left() {
        let names: Vec<String> = others(&all()).into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["ceph"]);
    }

    #[test]
    fn a_directory_that_stays_is_named_with_its_node_and_with_why() {
        let mut volume = ours(&all()).remove(0);
        let told = left_behind(&volume);
        assert!(told.contains("/var/local-path-provisioner/bound on node appliance"), "{told}");
        assert!(told.contains("did not remove volume bound within 120 s"), "{told}");
        volume.ending = true;
        assert!(left_behind(&volume).contains("had been deleted before its claim"));
    }
}
