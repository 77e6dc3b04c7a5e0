//! Disturbances of the status service.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{kinds, object};

use super::{
    Cause, Ground, Killer, Objects, Set, Sighting, WorldError, done, failed, no_target, unsupported,
};
use crate::fault::{FaultUse, HealStep};
use crate::world::InjectError;

const NAMESPACE: &str = "appliance-system";
/// The service's Deployment, its pods' label, its container.
const SERVICE: &str = "appliance-status";

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let before = ground.starts.of(SERVICE).len();
    match fault.name() {
        "status.killed" => {
            let times = fault.params.number("times").unwrap_or(1);
            let killer = ground.machine.killer().map_err(|error| error.of(fault.name()))?;
            tokio::spawn(kill(ground.objects.clone(), killer, times));
            Ok(Rc::new(StartedAgain { before: before.max(1) }))
        }
        "status.restarted" => {
            let restarted = restart(ground.objects).await.map_err(|source| failed(fault.name(), source))?;
            if !restarted {
                return Err(no_target(fault.name(), format!("pod of {SERVICE}"), Vec::new()));
            }
            Ok(Rc::new(StartedAgain { before: before.max(1) }))
        }
        other => Err(unsupported(other)),
    }
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "status.restart" => done(step, restart(ground.objects).await, "pod of", SERVICE),
        other => Err(unsupported(other)),
    }
}

/// Kills the process as often as it is said, each time when it runs; waits for the first one if there is none.
async fn kill(objects: Objects, mut killer: Box<dyn Killer>, times: u64) {
    let mut killed = 0;
    let mut changes = objects.changes();
    while killed < times {
        changes.borrow_and_update();
        if is_running(&objects) {
            match killer.kill(SERVICE).await {
                Ok(true) => killed += 1,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "cannot kill the status service"),
            }
        }
        if killed < times && changes.changed().await.is_err() {
            return;
        }
    }
}

fn pods(objects: &Objects) -> Vec<std::sync::Arc<serde_json::Value>> {
    let mut pods = objects.list(&kinds::PODS, Some(NAMESPACE));
    pods.retain(|pod| object::label(pod, "app.kubernetes.io/name") == Some(SERVICE));
    pods
}

/// Whether the cluster says that it runs.
fn is_running(objects: &Objects) -> bool {
    pods(objects).iter().any(|pod| pod["status"]["containerStatuses"][0]["state"]["running"].is_object())
}

async fn restart(objects: &Objects) -> Result<bool, WorldError> {
    let pods = pods(objects);
    for pod in &pods {
        objects.delete(&kinds::PODS, NAMESPACE, object::name(pod)).await?;
    }
    Ok(!pods.is_empty())
}

/// Processes that took the place of those that were there.
struct StartedAgain {
    before: usize,
}

#[async_trait(?Send)]
impl Cause for StartedAgain {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let starts = ground.starts.of(SERVICE);
        starts.iter().skip(self.before).map(|start| Sighting::of(start, "again")).collect()
    }
}
