//! The app: its release, its bootstrap job, its rollout.

use jiff::SignedDuration;
use kube::api::DynamicObject;

use crate::cluster::Cluster;
use crate::failure::{Failure, Layer};
use crate::lookout::Lookout;
use crate::objects::{condition, resource};
use crate::reconcile::{Request, has_handled};
use crate::report::{Phase, step};
use crate::time::ApiTime;
use crate::waits::{Look, Wait, rolled_out};

const RELEASE: &str = "alga-core";
/// Flux looks at dependencies every thirty seconds, and pulls its own images before.
const CREATED_WITHIN: SignedDuration = SignedDuration::from_secs(600);
/// A little more than the release's own timeout.
const READY_WITHIN: SignedDuration = SignedDuration::from_secs(45 * 60);

/// Waits until the app is installed and rolled out.
pub(crate) async fn wait(
    cluster: &Cluster,
    time: &ApiTime,
    lookout: &Lookout<'_>,
    request: &Request,
) -> Result<(), Failure> {
    let release = |within| Wait {
        cluster,
        time,
        resource: resource("helm.toolkit.fluxcd.io", "v2", "HelmRelease"),
        namespace: Some("alga-system"),
        name: RELEASE,
        within,
        layer: Layer::CoreApp,
        remedy: "Open the status page and follow its next action, then run the command again.",
    };
    step(Phase::Helm, "Waiting for Flux to create helmrelease/alga-core");
    let exists = |object: Option<&DynamicObject>| match object {
        Some(_) => Look::Met,
        None => Look::NotYet("Flux has not created it".into()),
    };
    lookout.over(Phase::Helm, release(CREATED_WITHIN).until(exists)).await?;
    step(Phase::CoreApp, "Waiting for alga-core: release, bootstrap job, rollout");
    let installed = |object: Option<&DynamicObject>| installed(object, request.of(RELEASE));
    lookout.over(Phase::CoreApp, release(READY_WITHIN).until(installed)).await?;
    let deployment = Wait {
        resource: resource("apps", "v1", "Deployment"),
        namespace: Some("msp"),
        name: "alga-core-sebastian",
        ..release(READY_WITHIN)
    };
    lookout.over(Phase::CoreApp, deployment.until(rolled_out)).await?;
    step(Phase::CoreApp, "alga-core is installed and rolled out");
    Ok(())
}

/// What a release says of its present generation and, where it was asked, of that request.
fn installed(object: Option<&DynamicObject>, request: Option<&str>) -> Look {
    let Some(object) = object else { return Look::NotYet("it does not exist".into()) };
    let observed = object.data["status"]["observedGeneration"].as_i64().unwrap_or(-1);
    if !has_handled(object, request) || observed < object.metadata.generation.unwrap_or(0) {
        return Look::NotYet(under_way(object));
    }
    let ready = condition(object, "Ready");
    if let Some(("True", reason, message)) = condition(object, "Stalled") {
        let told = ready.map_or(message, |(_, _, message)| message);
        return Look::GivenUp(format!("{reason}: {told}"));
    }
    match ready {
        Some(("True", ..)) => Look::Met,
        Some((_, reason, message)) => Look::NotYet(format!("{reason}: {message}")),
        None => Look::NotYet("its controller has not looked at it".into()),
    }
}

/// What its controller does with it just now.
fn under_way(object: &DynamicObject) -> String {
    match condition(object, "Reconciling") {
        Some(("True", reason, message)) => format!("{reason}: {message}"),
        _ => "its controller has not taken it up yet".into(),
    }
}

#[cfg(test)]
mod tests {
    use kube::api::DynamicObject;
    use serde_json::{Value, json};

    use super::installed;
    use crate::waits::Look;

    fn release(handled: &str, observed: i64, conditions: Value) -> DynamicObject {
        serde_json::from_value(json!({
            "metadata": { "name": "alga-core", "generation": 2 },
            "status": { "lastHandledReconcileAt": handled, "observedGeneration": observed, "conditions": conditions },
        }))
        .unwrap()
    }

    fn stalled() -> Value {
        json!([{ "type": "Stalled", "status": "True", "reason": "RetriesExceeded", "message": "" }])
    }

    #[test]
    fn a_release_that_gave_up_before_it_was_asked_may_still_come() {
        let old = release("before", 2, stalled());
        assert!(matches!(installed(Some(&old), Some("now")), Look::NotYet(_)));
        assert!(matches!(installed(Some(&old), Some("before")), Look::GivenUp(_)));
        assert!(matches!(installed(Some(&old), None), Look::GivenUp(_)));
    }

    #[test]
    fn an_older_generation_neither_fails_nor_succeeds() {
        let ready = json!([{ "type": "Ready", "status": "True" }]);
        assert!(matches!(installed(Some(&release("", 1, ready.clone())), None), Look::NotYet(_)));
        assert!(matches!(installed(Some(&release("", 1, stalled())), None), Look::NotYet(_)));
        assert!(matches!(installed(Some(&release("", 2, ready)), None), Look::Met));
    }
}
