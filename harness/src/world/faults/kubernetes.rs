//! Causes in the Kubernetes API.

use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    ApiGuard, ApiTrouble, Cause, Faults, Ground, Lack, Met, Set, Sighting, done, failed, read, unsupported,
};
use crate::fault::{FaultUse, HealStep};
use crate::world::{InjectError, WorldError};

/// Who the status service is to the API.
const STATUS: &str = "system:serviceaccount:appliance-system:appliance-status";

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let trouble = match fault.name() {
        "kubernetes.api-outage" => ApiTrouble::Outage,
        "kubernetes.api-hang" => ApiTrouble::Hang,
        "kubernetes.slow" => ApiTrouble::Slow(fault.params.duration("takes").unwrap_or_default()),
        "kubernetes.forbidden" => return forbidden(ground, fault).await,
        "kubernetes.watch-expired" => return expired(ground, fault).await,
        other => return Err(unsupported(other)),
    };
    let (met, user) = does(trouble);
    let guard = ground.machine.trouble_api(trouble).await.map_err(|error| error.of(fault.name()))?;
    let guard: Arc<dyn ApiGuard> = guard.into();
    if let Some(lasts) = fault.params.duration("lasts") {
        let (clock, guard) = (ground.objects.clock().clone(), Arc::clone(&guard));
        tokio::spawn(async move {
            clock.sleep(lasts).await;
            if let Err(error) = guard.end().await {
                tracing::warn!(%error, "the API does not serve again");
            }
        });
    }
    Ok(Rc::new(Trying { since: ground.now(), met, user, guard }))
}

pub(super) async fn heal(ground: &Ground<'_>, faults: &Faults, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "kubernetes.restore" => faults.lift(ground, "kubernetes", step).await,
        "kubernetes.restore-role" => {
            let mended = ground.outside.configuration.mend_roles();
            if mended {
                give_roles(ground).await.map_err(|source| failed(step.name(), source))?;
            }
            done(step, Ok::<bool, WorldError>(mended), "role", "appliance-status")
        }
        other => Err(unsupported(other)),
    }
}

/// What trouble does to whom it counts for.
fn does(trouble: ApiTrouble) -> (Met, &'static str) {
    match trouble {
        ApiTrouble::Outage => (Met::Cut, ""),
        ApiTrouble::Hang => (Met::Silence, ""),
        ApiTrouble::Slow(_) => (Met::Delay, STATUS),
    }
}

/// An API that tries its clients' patience.
struct Trying {
    since: Timestamp,
    met: Met,
    user: &'static str,
    guard: Arc<dyn ApiGuard>,
}

#[async_trait(?Send)]
impl Cause for Trying {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        met(ground, self.since, self.met, self.user).await
    }

    async fn lift(&self, _ground: &Ground<'_>) -> Result<(), WorldError> {
        self.guard.end().await
    }
}

async fn met(ground: &Ground<'_>, since: Timestamp, how: Met, user: &str) -> Vec<Sighting> {
    let mut met = read(ground.machine.encounters().await, "clients of the API");
    met.retain(|it| it.at >= since && it.met == how && it.user == user);
    let what = match how {
        Met::Cut => "a connection to the API was cut",
        Met::Silence => "a connection to the API got no answer",
        Met::Delay => "the status service got its answer late",
        Met::Expiry => "a watch of the status service got 410",
        Met::Refusal => "the status service got 403",
    };
    met.into_iter().map(|it| Sighting::new(it.at, what)).collect()
}

/// Forgets history, as soon as the status service watches.
async fn expired(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let since = ground.now();
    ground.machine.expire_watches(STATUS).await.map_err(|error| error.of(fault.name()))?;
    Ok(Rc::new(Noted { since, met: Met::Expiry }))
}

/// Trouble that the status service met.
struct Noted {
    since: Timestamp,
    met: Met,
}

#[async_trait(?Send)]
impl Cause for Noted {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        met(ground, self.since, self.met, STATUS).await
    }
}

async fn forbidden(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let text = |name: &str| fault.params.text(name).map(str::to_owned);
    ground.outside.configuration.lack(Lack { resource: text("resource"), verb: text("verb") });
    give_roles(ground).await.map_err(|source| failed(fault.name(), source))?;
    Ok(Rc::new(Noted { since: ground.now(), met: Met::Refusal }))
}

/// Publishes the roles as they are now, and gives them to whoever has them already.
async fn give_roles(ground: &Ground<'_>) -> Result<(), WorldError> {
    for role in ground.outside.configuration.roles()? {
        let (kind, namespace) = match object::namespace(&role) {
            "" => (kinds::CLUSTER_ROLES, ""),
            namespace => (kinds::ROLES, namespace),
        };
        let rules: Value = role["rules"].clone();
        let name = object::name(&role);
        if ground.objects.get(&kind, namespace, name).is_some() {
            let give = |role: &mut Value| role["rules"] = rules.clone();
            ground.objects.modify(&kind, namespace, name, give).await?;
        }
    }
    ground.outside.publish_configuration().await
}
