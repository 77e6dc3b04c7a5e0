//! Who of several instances of a controller is at work: the one that has the lease.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster_api::{Store, kinds};
use field_clock::Clock;
use serde_json::json;

/// How long a holder is believed to be at work after it was last heard of.
const DURATION: Duration = Duration::from_secs(35);
/// How often somebody without the lease looks at it.
const RETRY: Duration = Duration::from_secs(5);
const NAMESPACE: &str = "flux-system";

/// The leases of a cluster's controllers; clones are the same. Renewals are not written: a holder that is gone is found
/// out by its silence, which begins when it ends.
#[derive(Clone, Debug, Default)]
pub struct Leases {
    /// Controller → who has its lease, or had it when it was killed.
    held: Arc<Mutex<HashMap<String, u64>>>,
}

/// The lease, while its holder is at work.
pub(crate) struct Lease {
    leases: Leases,
    store: Store,
    name: String,
}

impl Leases {
    /// Waits until this instance of a controller is the one that works.
    pub(crate) async fn acquire(
        &self,
        store: &Store,
        clock: &Clock,
        controller: &str,
        identity: &str,
    ) -> Lease {
        let mut seen: Option<(u64, jiff::Timestamp)> = None;
        loop {
            let now = clock.now();
            let holder = self.held().get(controller).copied();
            match (holder, seen) {
                (None, _) => break,
                (Some(holder), Some((known, since))) if holder == known => {
                    if since + DURATION <= now {
                        break;
                    }
                }
                (Some(holder), _) => seen = Some((holder, now)),
            }
            clock.sleep(RETRY).await;
        }
        let serial = self.held().values().max().map_or(1, |serial| serial + 1);
        self.held().insert(controller.to_owned(), serial);
        let lease = Lease { leases: self.clone(), store: store.clone(), name: controller.to_owned() };
        lease.write(identity);
        lease
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Gives the lease back, so that the next instance need not wait.
    pub(crate) fn release(self) {
        self.leases.held().remove(&self.name);
        self.write("");
    }

    fn write(&self, identity: &str) {
        let name = format!("{}-leader-election", self.name);
        let now = self.store.clock().now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        let spec = json!({"holderIdentity": identity, "leaseDurationSeconds": DURATION.as_secs(), "acquireTime": now,
            "renewTime": now});
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec});
        if self.store.create(&kinds::LEASES, lease).is_err() {
            // A lease that cannot be written holds nobody back.
            let _ = self.store.modify(&kinds::LEASES, NAMESPACE, &name, |lease| lease["spec"] = spec);
        }
    }
}

#[cfg(test)]
mod tests {
    use field_clock::{FieldRuntime, Options};

    use super::*;

    #[test]
    fn a_lease_that_was_given_back_is_free_and_one_of_a_killed_holder_is_waited_for() {
        let runtime = FieldRuntime::start(Options::default()).unwrap();
        let clock = runtime.clock().clone();
        runtime.block_on(async {
            let (store, leases) = (Store::new(clock.clone()), Leases::default());
            let took = async |identity: &str| {
                let start = clock.now();
                let lease = leases.acquire(&store, &clock, "helm-controller", identity).await;
                (lease, clock.now().duration_since(start).as_secs())
            };
            let (first, waited) = took("a").await;
            assert_eq!(waited, 0);
            first.release();
            let (second, waited) = took("b").await;
            assert_eq!(waited, 0);
            drop(second);
            assert_eq!(took("c").await.1, 35);
        });
    }
}
