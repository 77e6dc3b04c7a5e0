//! Disturbances of the status service.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{ApiError, Propagation, Store, kinds, object};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::{Cause, Ground, Set, Sighting, done, failed, no_target, unsupported};
use crate::fault::{FaultUse, HealStep};
use crate::world::InjectError;
use crate::world::sim::starts::Starts;

const NAMESPACE: &str = "appliance-system";
/// The service's Deployment, its pods' label, its container.
const SERVICE: &str = "appliance-status";

pub(super) fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let before = ground.starts.of(SERVICE).len();
    match fault.name() {
        "status.killed" => {
            let times = fault.params.number("times").unwrap_or(1);
            tokio::spawn(kill(ground.store().clone(), ground.starts.clone(), times));
            Ok(Rc::new(StartedAgain { before: before.max(1) }))
        }
        "status.restarted" => {
            let restarted = restart(ground.store()).map_err(|source| failed(fault.name(), source))?;
            if !restarted {
                return Err(no_target(fault.name(), format!("pod of {SERVICE}"), Vec::new()));
            }
            Ok(Rc::new(StartedAgain { before: before.max(1) }))
        }
        other => Err(unsupported(other)),
    }
}

pub(super) fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "status.restart" => done(step, restart(ground.store()), "pod of", SERVICE),
        other => Err(unsupported(other)),
    }
}

/// Kills the process as often as it is said, each time when it runs; waits for the first one if there is none.
async fn kill(store: Store, starts: Starts, times: u64) {
    let mut killed = Vec::new();
    let mut changes = store.changes();
    while (killed.len() as u64) < times {
        changes.borrow_and_update();
        match starts.process(SERVICE).filter(|pid| !killed.contains(pid)) {
            Some(pid) if is_running(&store) => {
                // One that has ended in this very moment needs no signal.
                let _ = killpg(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
                killed.push(pid);
            }
            _ => {}
        }
        if (killed.len() as u64) < times && changes.changed().await.is_err() {
            return;
        }
    }
}

fn pods(store: &Store) -> Vec<std::sync::Arc<serde_json::Value>> {
    let mut pods = store.list(&kinds::PODS, Some(NAMESPACE));
    pods.retain(|pod| object::label(pod, "app.kubernetes.io/name") == Some(SERVICE));
    pods
}

/// Whether the cluster says that it runs.
fn is_running(store: &Store) -> bool {
    pods(store).iter().any(|pod| pod["status"]["containerStatuses"][0]["state"]["running"].is_object())
}

fn restart(store: &Store) -> Result<bool, ApiError> {
    let pods = pods(store);
    for pod in &pods {
        store.delete(&kinds::PODS, NAMESPACE, object::name(pod), Propagation::Background)?;
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
