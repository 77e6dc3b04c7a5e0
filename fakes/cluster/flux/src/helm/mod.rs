//! The helm-controller: charts and values to releases, and releases back to what they were when they fail.

mod act;
mod chart_object;
mod conditions;
mod decide;
mod drift;
mod engine;
mod policy;
mod prerequisites;
mod program;
mod release;
mod remediate;
mod roll;
mod secrets;
mod uninstall;
mod values;

pub use program::{HelmError, HelmProgram};

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cluster_api::events::Recorder;
use cluster_api::{Store, kinds, object};
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

/// HelmReleases that are worked on at once.
const WORKERS: usize = 4;
const FINALIZER: &str = "finalizers.fluxcd.io";
/// Dependencies and sources that are not ready are looked at again after this.
const DEPENDENCY_INTERVAL: Duration = Duration::from_secs(30);

struct Releases {
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
    on_change(&mut tasks, &context.store, kinds::HELM_RELEASES, &work);
    for source in [kinds::HELM_CHARTS, kinds::OCI_REPOSITORIES] {
        let (work, lookup) = (work.clone(), context.store.clone());
        on_revision(&mut tasks, &context.store, source, move |source| {
            let releases = lookup.list(&kinds::HELM_RELEASES, None);
            for release in releases.iter().filter(|release| chart_object::uses(release, source)) {
                if !prerequisites::has_attempted(release, source) {
                    work.add(Key::of(release));
                }
            }
        });
    }
    let (workers, stop) = (context.workers(WORKERS), context.stop.clone());
    let releases = Releases {
        events: Recorder::new(&context.store, "helm-controller"),
        log: Log::new(&context.log, &context.clock, "HelmRelease"),
        store: context.store,
        clock: context.clock,
        artifacts: context.artifacts,
        interrupt: context.stop.clone(),
    };
    work.run(workers, Arc::new(releases), stop).await;
}

#[async_trait]
impl Reconciler for Releases {
    async fn reconcile(&self, key: &Key) -> Verdict {
        let subject = Subject {
            store: self.store.clone(),
            res: kinds::HELM_RELEASES,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        };
        let Some(object) = subject.get() else { return Verdict::Settled };
        if object::is_deleting(&object) {
            return self.finalize(&subject, &object).await;
        }
        if !object::has_finalizer(&object, FINALIZER) {
            subject.modify(|object| object::add_finalizer(object, FINALIZER));
            self.log.finalizer(&key.namespace, &key.name);
            return Verdict::Retry;
        }
        if object["spec"]["suspend"] == true {
            self.log.info(&key.namespace, &key.name, "reconciliation is suspended for this object");
            subject.write(|status| status.observe());
            return Verdict::Settled;
        }
        match self.prerequisites(&subject, &object).await {
            Prerequisites::Met(desired) => self.release(&subject, *desired).await,
            Prerequisites::Missing(verdict) => verdict,
        }
    }
}

/// `spec.interval`.
fn interval(object: &Value) -> Duration {
    crate::duration::field(&object["spec"]["interval"]).unwrap_or(Duration::from_secs(300))
}
