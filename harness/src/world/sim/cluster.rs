//! The cluster of a simulated world: there from the beginning, or made by the machine below it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cluster_api::{Outage, Store, kinds, object};
use fake_cluster::{Cluster, ClusterConfig, Planned, Runtime};

use super::NODE;
use crate::world::WorldError;
use crate::world::machine::{Done, MachineError};

/// A cluster that runs, or that will.
pub(super) struct SimCluster {
    store: Store,
    kubeconfig: String,
    planned: Mutex<Option<(Planned, Arc<dyn Runtime>)>>,
    running: OnceLock<Cluster>,
    /// While its machine has no power.
    away: Mutex<Option<Outage>>,
}

impl SimCluster {
    /// One of which nothing runs yet.
    pub(super) fn planned(config: ClusterConfig, runtime: Arc<dyn Runtime>) -> Result<Self, WorldError> {
        let planned = Planned::new(config)?;
        Ok(Self {
            store: planned.store().clone(),
            kubeconfig: planned.kubeconfig(),
            planned: Mutex::new(Some((planned, runtime))),
            running: OnceLock::new(),
            away: Mutex::default(),
        })
    }

    /// Its objects, as soon as there are any.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Its administrator's kubeconfig, good as soon as it runs.
    pub(super) fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// Runs it, unless it does.
    pub(super) async fn start(&self) -> Result<(), WorldError> {
        let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((planned, runtime)) = planned {
            // Nobody else has the plan.
            let _ = self.running.set(planned.start(runtime).await?);
        }
        Ok(())
    }

    /// What runs.
    pub(super) fn running(&self) -> Done<&Cluster> {
        let why = || MachineError::Impossible { why: "the machine has made no cluster yet".to_owned() };
        self.running.get().ok_or_else(why)
    }

    /// Ends it.
    pub(super) async fn stop(&self) {
        if let Some(cluster) = self.running.get() {
            cluster.stop().await;
        }
    }

    fn away(&self) -> std::sync::MutexGuard<'_, Option<Outage>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same, as what a machine becomes.
pub(super) struct Becomes(pub(super) Arc<SimCluster>);

impl fake_talos::Cluster for Becomes {
    fn start(&self) {
        let cluster = Arc::clone(&self.0);
        if let Some(running) = cluster.running.get() {
            running.node().power_on();
            cluster.away().take();
            return;
        }
        tokio::spawn(async move {
            if let Err(error) = cluster.start().await {
                tracing::warn!(%error, "a machine cannot make its cluster");
            }
        });
    }

    fn stop(&self) {
        if let Some(running) = self.0.running.get() {
            *self.0.away() = Some(running.api().outage());
            running.node().power_off();
        }
    }

    fn kubeconfig(&self) -> String {
        self.0.kubeconfig.clone()
    }

    fn unready(&self) -> Option<String> {
        let node = self.0.store.get(&kinds::NODES, "", NODE);
        let ready = node.as_ref().and_then(|node| object::condition(node, "Ready"));
        let is_ready = ready.is_some_and(|ready| ready["status"] == "True");
        (!is_ready).then(|| format!("node {NODE:?} status is not available yet"))
    }
}
