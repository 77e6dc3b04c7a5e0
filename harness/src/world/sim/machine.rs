//! The machine of the simulated world: its cluster, which it does everything to at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cluster_api::{Hang, Outage, Slow};
use fake_cluster::Trouble;
use jiff::Timestamp;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::NODE;
use super::cluster::SimCluster;
use crate::world::WorldError;
use crate::world::machine::{ApiGuard, ApiTrouble, Done, Encounter, Killer, Machine, Met};
use crate::world::starts::Starts;

/// A simulated cluster, and what was started in it.
pub(super) struct SimMachine {
    pub(super) cluster: Arc<SimCluster>,
    pub(super) starts: Starts,
}

#[async_trait(?Send)]
impl Machine for SimMachine {
    fn node(&self) -> &str {
        NODE
    }

    async fn stop_kubelet(&self) -> Done {
        self.cluster.running()?.node().stop_kubelet();
        Ok(())
    }

    async fn start_kubelet(&self) -> Done {
        self.cluster.running()?.node().start_kubelet();
        Ok(())
    }

    async fn leave_memory(&self, left: Option<u64>) -> Done {
        self.cluster.running()?.node().leave_memory(left);
        Ok(())
    }

    async fn reboot(&self, takes: Duration) -> Done {
        self.cluster.running()?.reboot(takes);
        Ok(())
    }

    async fn started(&self) -> Done<Option<Timestamp>> {
        Ok(None)
    }

    async fn remove_image(&self, reference: &str) -> Done {
        self.cluster.running()?.node().remove_image(reference);
        Ok(())
    }

    async fn trouble_api(&self, trouble: ApiTrouble) -> Done<Box<dyn ApiGuard>> {
        let api = self.cluster.running()?.api();
        let guard = match trouble {
            ApiTrouble::Outage => Guard::Outage(api.outage()),
            ApiTrouble::Hang => Guard::Hang(api.hang()),
            ApiTrouble::Slow(delay) => Guard::Slow(api.slow(delay)),
        };
        Ok(Box::new(Troubled(Mutex::new(Some(guard)))))
    }

    async fn expire_watches(&self, user: &'static str) -> Done {
        let api = self.cluster.running()?.api();
        let mut watchers = api.watchers();
        tokio::spawn(async move {
            // Nobody watches any more once the server is gone.
            if watchers.wait_for(|watchers| watchers.contains(user)).await.is_ok() {
                api.expire();
            }
        });
        Ok(())
    }

    async fn encounters(&self) -> Done<Vec<Encounter>> {
        let encounters = self.cluster.running()?.api().encounters().into_iter();
        Ok(encounters.map(|it| Encounter { at: it.at, met: met(it.trouble), user: it.user }).collect())
    }

    async fn burden(&self, takes: Duration, lasts: Option<Duration>) -> Done {
        let burden = self.cluster.running()?.burden().clone();
        burden.set(takes);
        if let Some(lasts) = lasts {
            let clock = self.cluster.store().clock().clone();
            tokio::spawn(async move {
                clock.sleep(lasts).await;
                burden.set(Duration::ZERO);
            });
        }
        Ok(())
    }

    async fn unburden(&self) -> Done {
        self.cluster.running()?.burden().set(Duration::ZERO);
        Ok(())
    }

    async fn burdened(&self) -> Done<Vec<Timestamp>> {
        Ok(self.cluster.running()?.burden().felt())
    }

    fn killer(&self) -> Done<Box<dyn Killer>> {
        Ok(Box::new(Killing { starts: self.starts.clone(), killed: Vec::new() }))
    }
}

fn met(trouble: Trouble) -> Met {
    match trouble {
        Trouble::Cut => Met::Cut,
        Trouble::Silence => Met::Silence,
        Trouble::Delay => Met::Delay,
        Trouble::Expiry => Met::Expiry,
        Trouble::Refusal => Met::Refusal,
    }
}

/// What keeps the API from serving.
#[expect(dead_code, reason = "each guard ends its trouble when it is dropped")]
enum Guard {
    Outage(Outage),
    Hang(Hang),
    Slow(Slow),
}

struct Troubled(Mutex<Option<Guard>>);

#[async_trait]
impl ApiGuard for Troubled {
    async fn end(&self) -> Result<(), WorldError> {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
    }
}

/// Kills the processes that containers of this world are.
struct Killing {
    starts: Starts,
    killed: Vec<u32>,
}

#[async_trait]
impl Killer for Killing {
    async fn kill(&mut self, container: &str) -> Result<bool, WorldError> {
        let Some(pid) = self.starts.process(container).filter(|pid| !self.killed.contains(pid)) else {
            return Ok(false);
        };
        // One that has ended in this very moment needs no signal.
        let _ = killpg(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
        self.killed.push(pid);
        Ok(true)
    }
}
