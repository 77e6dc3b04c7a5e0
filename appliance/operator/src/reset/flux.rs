//! Takes Flux's objects away without letting Flux take anything along.
//!
//! A Kustomization that prunes deletes what it made when it is deleted, the status service among it, and a HelmRelease
//! uninstalls. Suspended ones do neither: their finalizers only let go. So everything is suspended first; then the root goes,
//! so that nobody makes its children again, then the children, the releases, and their source.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use jiff::SignedDuration;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::found::Found;
use super::target::{Patience, Target, held_by_finalizers};
use crate::cluster::Cluster;
use crate::failure::{Failure, Layer, api};
use crate::objects::resource;
use crate::reconcile::token;
use crate::report::{Phase, step, warning};
use crate::time::ApiTime;

const FINALIZER: &str = "finalizers.fluxcd.io";
/// Time for a controller to let go of what it has nothing more to do for. One that waits for a release that does not come
/// may be busy for half an hour, and sees nothing of the same name before.
const LET_GO_WITHIN: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn remove(cluster: &Cluster, time: &ApiTime, found: &Found) -> Result<(), Failure> {
    suspend(cluster, found).await?;
    for together in [&found.root, &found.children, &found.releases, &found.charts, &found.sources] {
        let ends = try_join_all(together.iter().map(|target| remove_one(cluster, time, target))).await?;
        let busy: BTreeSet<&str> = ends.into_iter().flatten().collect();
        for controller in busy {
            restart(cluster, controller).await?;
        }
    }
    Ok(())
}

async fn suspend(cluster: &Cluster, found: &Found) -> Result<(), Failure> {
    for kustomization in found.root.iter().chain(&found.children) {
        kustomization.change(cluster, &json!({ "spec": { "suspend": true, "prune": false } })).await?;
        step(Phase::Flux, &format!("Suspended {}; it prunes nothing", kustomization.title()));
    }
    for release in &found.releases {
        release.change(cluster, &json!({ "spec": { "suspend": true } })).await?;
        step(Phase::Helm, &format!("Suspended {}; it uninstalls nothing", release.title()));
    }
    Ok(())
}

/// Says which controller was busy with something else, where that was so.
async fn remove_one(
    cluster: &Cluster,
    time: &ApiTime,
    target: &Target,
) -> Result<Option<&'static str>, Failure> {
    target.delete(cluster).await?;
    let patience = || Patience {
        within: LET_GO_WITHIN,
        layer: Layer::Flux,
        remedy: "Look at what keeps the named object (kubectl get -o yaml), then run the command again.",
    };
    let mut busy = None;
    match target.gone(cluster, time, patience(), held_by_finalizers).await {
        Err(failure) if failure.is_open() => {
            busy = take_finalizer(cluster, target).await?;
            target.gone(cluster, time, patience(), held_by_finalizers).await?;
        }
        other => other?,
    }
    let phase = if target.resource.kind == "HelmRelease" { Phase::Helm } else { Phase::Flux };
    step(phase, &format!("Removed {}", target.title()));
    Ok(busy)
}

/// Does what the controller would have done: a suspended object's finalizer has nothing else to do. Says which controller
/// that is, where it is there and did something else.
async fn take_finalizer(cluster: &Cluster, target: &Target) -> Result<Option<&'static str>, Failure> {
    let Some(object) = target.now(cluster).await? else { return Ok(None) };
    let Some(patch) = without_finalizer(&object) else { return Ok(None) };
    target.change(cluster, &patch).await?;
    let controller = controller(&target.resource.kind);
    let busy = is_available(cluster, controller).await?.then_some(controller);
    let why = if busy.is_some() { "is busy" } else { "is not available" };
    warning(&format!(
        "{controller} {why} and did not let {} go within {} s; its finalizer was taken away.",
        target.title(),
        LET_GO_WITHIN.as_secs()
    ));
    Ok(busy)
}

/// Ends what a controller still does for objects that are gone; the next install would wait for its end.
async fn restart(cluster: &Cluster, controller: &str) -> Result<(), Failure> {
    let annotations = json!({ "kubectl.kubernetes.io/restartedAt": token() });
    let patch = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
    deployments(cluster)
        .patch(controller, &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .map_err(api(format!("restart Deployment flux-system/{controller}")))?;
    step(Phase::Flux, &format!("Restarted {controller}: it was busy with what is gone"));
    Ok(())
}

/// The change that takes Flux's finalizer away and no other; nothing where it is not there.
fn without_finalizer(object: &DynamicObject) -> Option<Value> {
    let all = object.metadata.finalizers.as_deref()?;
    let others: Vec<&String> = all.iter().filter(|it| *it != FINALIZER).collect();
    (others.len() < all.len()).then(|| json!({ "metadata": { "finalizers": others } }))
}

fn controller(kind: &str) -> &'static str {
    match kind {
        "Kustomization" => "kustomize-controller",
        "HelmRelease" => "helm-controller",
        _ => "source-controller",
    }
}

async fn is_available(cluster: &Cluster, controller: &str) -> Result<bool, Failure> {
    let found = deployments(cluster).get_opt(controller).await;
    let found = found.map_err(api(format!("read Deployment flux-system/{controller}")))?;
    Ok(found.is_some_and(|it| it.data["status"]["availableReplicas"].as_i64().unwrap_or(0) > 0))
}

fn deployments(cluster: &Cluster) -> Api<DynamicObject> {
    Api::namespaced_with(cluster.client.clone(), "flux-system", &resource("apps", "v1", "Deployment"))
}

#[cfg(test)]
mod tests {
    use kube::api::DynamicObject;
    use serde_json::{Value, json};

    use super::{controller, without_finalizer};

    fn object(finalizers: Value) -> DynamicObject {
        let metadata = json!({ "name": "alga-core", "finalizers": finalizers });
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    #[test]
    fn fluxs_finalizer_is_taken_away_and_no_other() {
        let patch =
            without_finalizer(&object(json!(["finalizers.fluxcd.io", "example.org/backup"]))).unwrap();
        assert_eq!(patch["metadata"]["finalizers"], json!(["example.org/backup"]));
    }

    #[test]
    fn what_flux_does_not_hold_is_left_to_who_holds_it() {
        assert_eq!(without_finalizer(&object(json!(["example.org/backup"]))), None);
        assert_eq!(without_finalizer(&object(Value::Null)), None);
    }

    #[test]
    fn each_kind_has_its_controller() {
        assert_eq!(controller("Kustomization"), "kustomize-controller");
        assert_eq!(controller("HelmRelease"), "helm-controller");
        assert_eq!(controller("OCIRepository"), "source-controller");
    }
}
