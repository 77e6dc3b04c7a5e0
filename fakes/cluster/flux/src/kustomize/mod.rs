//! The kustomize-controller: builds what a source holds, applies it, prunes what is no longer there, waits for it.

mod attempt;
mod build;
mod generate;
mod history;
mod inventory;
mod merge;
mod patch;
mod prerequisites;
mod report;
mod stages;
mod substitute;
mod transform;
mod tree;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cluster_api::events::Recorder;
use cluster_api::{Res, Store, kinds, object};
use field_clock::Clock;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::FluxContext;
use crate::artifacts::ArtifactStore;
use crate::log::Log;
use crate::status::Subject;
use crate::trigger::{on_change, on_revision};
use crate::work::{Key, Reconciler, Verdict, Work};
use prerequisites::Prerequisites;

/// Kustomizations that are worked on at once.
const WORKERS: usize = 4;
const FINALIZER: &str = "finalizers.fluxcd.io";
/// Dependencies and missing artifacts are looked at again after this.
const DEPENDENCY_INTERVAL: Duration = Duration::from_secs(30);
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(30);

struct Kustomizations {
    store: Store,
    clock: Clock,
    artifacts: ArtifactStore,
    events: Recorder,
    log: Log,
    interrupt: CancellationToken,
}

pub(crate) async fn run(context: FluxContext) {
    let mut tasks = JoinSet::new();
    let work = Work::new(&context.clock, &context.burden);
    on_change(&mut tasks, &context.store, kinds::KUSTOMIZATIONS, &work);
    for source in [kinds::OCI_REPOSITORIES, kinds::GIT_REPOSITORIES, kinds::BUCKETS] {
        follow_source(&mut tasks, &context.store, source, &work);
    }
    let (workers, stop) = (context.workers(WORKERS), context.stop.clone());
    let kustomizations = Kustomizations {
        events: Recorder::new(&context.store, "kustomize-controller"),
        log: Log::new(&context.log, &context.clock, "Kustomization"),
        store: context.store,
        clock: context.clock,
        artifacts: context.artifacts,
        interrupt: context.stop,
    };
    work.run(workers, Arc::new(kustomizations), stop).await;
}

/// A new revision of a source is work for every Kustomization that has not attempted it.
fn follow_source(tasks: &mut JoinSet<()>, store: &Store, source: Res, work: &Work) {
    let (work, lookup) = (work.clone(), store.clone());
    on_revision(tasks, store, source, move |source| {
        for kustomization in lookup.list(&kinds::KUSTOMIZATIONS, None) {
            let attempted = &kustomization["status"]["lastAttemptedRevision"];
            if prerequisites::refers_to(&kustomization, source)
                && *attempted != source["status"]["artifact"]["revision"]
            {
                work.add(Key::of(&kustomization));
            }
        }
    });
}

#[async_trait]
impl Reconciler for Kustomizations {
    async fn reconcile(&self, key: &Key) -> Verdict {
        let subject = Subject {
            store: self.store.clone(),
            res: kinds::KUSTOMIZATIONS,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        };
        let Some(kustomization) = subject.get() else { return Verdict::Settled };
        if object::is_deleting(&kustomization) {
            self.finalize(&subject, &kustomization).await;
            return Verdict::Settled;
        }
        if !object::has_finalizer(&kustomization, FINALIZER) {
            subject.modify(|kustomization| object::add_finalizer(kustomization, FINALIZER));
            self.log.finalizer(&key.namespace, &key.name);
            return Verdict::Retry;
        }
        if kustomization["spec"]["suspend"] == true {
            self.log.info(&key.namespace, &key.name, "Reconciliation is suspended for this object");
            return Verdict::Settled;
        }
        match self.prerequisites(&subject, &kustomization) {
            Prerequisites::Met(source) => self.attempt(&subject, &kustomization, &source).await,
            Prerequisites::Missing(verdict) => verdict,
        }
    }
}

/// `spec.interval`.
fn interval(kustomization: &Value) -> Duration {
    crate::duration::field(&kustomization["spec"]["interval"]).unwrap_or(Duration::from_secs(300))
}

/// How long until a failed attempt is repeated.
fn retry_interval(kustomization: &Value) -> Duration {
    crate::duration::field(&kustomization["spec"]["retryInterval"]).unwrap_or_else(|| interval(kustomization))
}

/// How long an attempt may take: never below half a minute.
fn timeout(kustomization: &Value) -> Duration {
    crate::duration::field(&kustomization["spec"]["timeout"])
        .unwrap_or_else(|| interval(kustomization).saturating_sub(Duration::from_secs(30)))
        .max(SHORTEST_TIMEOUT)
}
