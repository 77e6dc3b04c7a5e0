//! Causes in the Kubernetes API.

use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cluster_api::{Hang, Outage, Slow, kinds, object};
use fake_cluster::Trouble;
use jiff::Timestamp;
use serde_json::Value;

use super::super::configuration::Lack;
use super::{Cause, Faults, Ground, Set, Sighting, done, failed, unsupported};
use crate::fault::{FaultUse, HealStep};
use crate::world::{InjectError, WorldError};

/// Who the status service is to the API.
const STATUS: &str = "system:serviceaccount:appliance-system:appliance-status";

pub(super) fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let api = ground.cluster.api();
    let guard = match fault.name() {
        "kubernetes.api-outage" => Guard::Outage(api.outage()),
        "kubernetes.api-hang" => Guard::Hang(api.hang()),
        "kubernetes.slow" => Guard::Slow(api.slow(fault.params.duration("takes").unwrap_or_default())),
        "kubernetes.forbidden" => return forbidden(ground, fault),
        "kubernetes.watch-expired" => return Ok(expired(ground)),
        other => return Err(unsupported(other)),
    };
    let (trouble, user) = guard.does();
    let guard = Arc::new(Mutex::new(Some(guard)));
    if let Some(lasts) = fault.params.duration("lasts") {
        let (clock, guard) = (ground.store().clock().clone(), Arc::clone(&guard));
        tokio::spawn(async move {
            clock.sleep(lasts).await;
            end(&guard);
        });
    }
    Ok(Rc::new(Trying { since: ground.now(), trouble, user, guard }))
}

pub(super) async fn heal(ground: &Ground<'_>, faults: &Faults, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "kubernetes.restore" => faults.lift(ground, "kubernetes", step).await,
        "kubernetes.restore-role" => {
            let mended = ground.outside.configuration.mend_roles();
            if mended {
                give_roles(ground).map_err(|source| failed(step.name(), source))?;
            }
            done(step, Ok::<bool, WorldError>(mended), "role", "appliance-status")
        }
        other => Err(unsupported(other)),
    }
}

/// What keeps the API from serving.
#[expect(dead_code, reason = "each guard ends its trouble when it is dropped")]
enum Guard {
    Outage(Outage),
    Hang(Hang),
    Slow(Slow),
}

impl Guard {
    /// What it does to whom it counts for.
    fn does(&self) -> (Trouble, &'static str) {
        match self {
            Self::Outage(_) => (Trouble::Cut, ""),
            Self::Hang(_) => (Trouble::Silence, ""),
            Self::Slow(_) => (Trouble::Delay, STATUS),
        }
    }
}

fn end(guard: &Mutex<Option<Guard>>) {
    drop(guard.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// An API that tries its clients' patience.
struct Trying {
    since: Timestamp,
    trouble: Trouble,
    user: &'static str,
    guard: Arc<Mutex<Option<Guard>>>,
}

#[async_trait(?Send)]
impl Cause for Trying {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        met(ground, self.since, self.trouble, self.user)
    }

    async fn lift(&self, _ground: &Ground<'_>) -> Result<(), WorldError> {
        end(&self.guard);
        Ok(())
    }
}

fn met(ground: &Ground<'_>, since: Timestamp, trouble: Trouble, user: &str) -> Vec<Sighting> {
    let mut met = ground.cluster.api().encounters();
    met.retain(|it| it.at >= since && it.trouble == trouble && it.user == user);
    let what = match trouble {
        Trouble::Cut => "a connection to the API was cut",
        Trouble::Silence => "a connection to the API got no answer",
        Trouble::Delay => "the status service got its answer late",
        Trouble::Expiry => "a watch of the status service got 410",
        Trouble::Refusal => "the status service got 403",
    };
    met.into_iter().map(|it| Sighting::new(it.at, what)).collect()
}

/// Forgets history, as soon as the status service watches.
fn expired(ground: &Ground<'_>) -> Rc<dyn Cause> {
    let (api, since) = (ground.cluster.api(), ground.now());
    let mut watchers = api.watchers();
    tokio::spawn(async move {
        // Nobody watches any more once the server is gone.
        if watchers.wait_for(|watchers| watchers.contains(STATUS)).await.is_ok() {
            api.expire();
        }
    });
    Rc::new(Noted { since, trouble: Trouble::Expiry })
}

/// Trouble that the status service met.
struct Noted {
    since: Timestamp,
    trouble: Trouble,
}

#[async_trait(?Send)]
impl Cause for Noted {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        met(ground, self.since, self.trouble, STATUS)
    }
}

fn forbidden(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let text = |name: &str| fault.params.text(name).map(str::to_owned);
    ground.outside.configuration.lack(Lack { resource: text("resource"), verb: text("verb") });
    give_roles(ground).map_err(|source| failed(fault.name(), source))?;
    Ok(Rc::new(Noted { since: ground.now(), trouble: Trouble::Refusal }))
}

/// Publishes the roles as they are now, and gives them to whoever has them already.
fn give_roles(ground: &Ground<'_>) -> Result<(), WorldError> {
    for role in ground.outside.configuration.roles()? {
        let (kind, namespace) = match object::namespace(&role) {
            "" => (kinds::CLUSTER_ROLES, ""),
            namespace => (kinds::ROLES, namespace),
        };
        let rules: Value = role["rules"].clone();
        let name = object::name(&role);
        if ground.store().get(&kind, namespace, name).is_some() {
            ground.store().modify(&kind, namespace, name, |role| role["rules"] = rules)?;
        }
    }
    ground.outside.publish_configuration()
}
