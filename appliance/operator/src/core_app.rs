//! The app: its release, its bootstrap job, its rollout.

use jiff::SignedDuration;
use kube::api::DynamicObject;

use crate::cluster::Cluster;
use crate::failure::{Failure, Layer};
use crate::objects::{condition, resource};
use crate::report::{Phase, line, step};
use crate::status::{Blocker, StatusPage};
use crate::time::ApiTime;
use crate::waits::{Look, Wait, rolled_out};

/// Flux looks at dependencies every thirty seconds, and pulls its own images before.
const CREATED_WITHIN: SignedDuration = SignedDuration::from_secs(600);
/// A little more than the release's own timeout.
const READY_WITHIN: SignedDuration = SignedDuration::from_secs(45 * 60);

/// Waits until people can log in; tells what stands in the way as soon as that is certain.
pub(crate) async fn wait(cluster: &Cluster, time: &ApiTime, page: &StatusPage) -> Result<(), Failure> {
    tokio::select! {
        outcome = ready(cluster, time) => match outcome {
            Ok(()) => Ok(()),
            Err(failure) => Err(explained(failure, time, page).await),
        },
        never = tell_blockers(time, page) => match never {},
    }
}

async fn ready(cluster: &Cluster, time: &ApiTime) -> Result<(), Failure> {
    let release = |within| Wait {
        cluster,
        time,
        resource: resource("helm.toolkit.fluxcd.io", "v2", "HelmRelease"),
        namespace: Some("alga-system"),
        name: "alga-core",
        within,
        layer: Layer::CoreApp,
        remedy: "Open the status page and follow its next action, then run the command again.",
    };
    step(Phase::Helm, "Waiting for Flux to create helmrelease/alga-core");
    let exists = |object: Option<&DynamicObject>| match object {
        Some(_) => Look::Met,
        None => Look::NotYet("Flux has not created it".into()),
    };
    release(CREATED_WITHIN).until(exists).await?;
    step(Phase::CoreApp, "Waiting for alga-core: release, bootstrap job, rollout");
    release(READY_WITHIN).until(installed).await?;
    let deployment = Wait {
        resource: resource("apps", "v1", "Deployment"),
        namespace: Some("msp"),
        name: "alga-core-sebastian",
        ..release(READY_WITHIN)
    };
    deployment.until(rolled_out).await?;
    step(Phase::CoreApp, "alga-core is installed and rolled out");
    Ok(())
}

fn installed(object: Option<&DynamicObject>) -> Look {
    let Some(object) = object else { return Look::NotYet("it does not exist".into()) };
    let ready = condition(object, "Ready");
    if let Some(("True", reason, message)) = condition(object, "Stalled") {
        let told = ready.map_or(message, |(_, _, message)| message);
        return Look::Never(format!("{reason}: {told}"));
    }
    match ready {
        Some(("True", ..)) => Look::Met,
        Some((_, reason, message)) => Look::NotYet(format!("{reason}: {message}")),
        None => Look::NotYet("its controller has not looked at it".into()),
    }
}

/// Says each login-blocking cause once, as soon as the status service knows it.
async fn tell_blockers(time: &ApiTime, page: &StatusPage) -> std::convert::Infallible {
    let mut told: Option<Blocker> = None;
    loop {
        time.beat().await;
        let blocker = page.login_blocker().await;
        if blocker.is_some() && blocker != told {
            blocker.iter().for_each(describe);
            told = blocker;
        }
    }
}

fn describe(blocker: &Blocker) {
    line(&format!("[Core App] Blocked: {} ({}): {}", blocker.layer, blocker.component, blocker.reason));
    line(&format!("[Core App] Next action: {}", blocker.next_action));
}

/// Puts the cause in the place of a bare time-out. The status service may need a moment to see it.
async fn explained(failure: Failure, time: &ApiTime, page: &StatusPage) -> Failure {
    let mut blocker = page.login_blocker().await;
    for _ in 0..2 {
        if blocker.is_none() {
            time.beat().await;
            blocker = page.login_blocker().await;
        }
    }
    match blocker {
        Some(it) => Failure::new(
            Layer::CoreApp,
            format!("{}: {} ({})", failure.operation, it.layer, it.component),
            it.next_action,
        )
        .because(it.reason),
        None => failure,
    }
}
