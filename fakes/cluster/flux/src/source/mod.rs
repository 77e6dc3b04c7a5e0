//! The source-controller: OCIRepositories and HelmCharts. (OCI HelmRepositories are only addresses.)

mod chart;
mod chart_pull;
mod helm_repository;
mod oci_repository;
mod pull_error;
mod registry;
mod semver;
mod storage;

use std::sync::Arc;
use std::time::Duration;

use cluster_api::events::Recorder;
use cluster_api::{Res, Store, kinds, object};
use field_clock::Clock;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::FluxContext;
use crate::artifacts::ArtifactStore;
use crate::log::Log;
use crate::status::Subject;
use crate::trigger::on_change;
use crate::work::{Key, Verdict, Work};
use registry::Registry;

/// Sources of one kind that are worked on at once.
const WORKERS: usize = 2;
const FINALIZER: &str = "finalizers.fluxcd.io";

/// What both kinds of sources need.
struct Sources {
    store: Store,
    clock: Clock,
    artifacts: ArtifactStore,
    events: Recorder,
    log: Log,
    registry: Registry,
}

pub(crate) async fn run(context: FluxContext) {
    let registry = match Registry::new(&context) {
        Ok(registry) => registry,
        Err(error) => {
            context.log.line(&format!("unable to set up the registry client: {error}"));
            return std::future::pending().await;
        }
    };
    let _serving = context.artifacts.serve(context.storage.as_deref());
    let (workers, stop) = (context.workers(WORKERS), context.stop.clone());
    let sources = |controller| {
        Arc::new(Sources {
            store: context.store.clone(),
            clock: context.clock.clone(),
            artifacts: context.artifacts.clone(),
            events: Recorder::new(&context.store, "source-controller"),
            log: Log::new(&context.log, &context.clock, controller),
            registry: registry.clone(),
        })
    };
    let mut tasks = JoinSet::new();
    let repositories = Work::new(&context.clock, &context.burden);
    on_change(&mut tasks, &context.store, kinds::OCI_REPOSITORIES, &repositories);
    tasks.spawn(repositories.run(
        workers,
        Arc::new(oci_repository::Repositories(sources("OCIRepository"))),
        stop.clone(),
    ));
    let addresses = Work::new(&context.clock, &context.burden);
    on_change(&mut tasks, &context.store, kinds::HELM_REPOSITORIES, &addresses);
    let reconciler = helm_repository::HelmRepositories(sources("HelmRepository"));
    tasks.spawn(addresses.run(workers, Arc::new(reconciler), stop.clone()));
    let charts = Work::new(&context.clock, &context.burden);
    on_change(&mut tasks, &context.store, kinds::HELM_CHARTS, &charts);
    tasks.spawn(charts.run(workers, Arc::new(chart::Charts(sources("HelmChart"))), stop));
    while tasks.join_next().await.is_some() {}
}

/// What to do with a source before its artifact is looked for.
enum Begin {
    /// Go on with this object.
    GoOn(Arc<Value>),
    /// Nothing more to do now.
    End(Verdict),
}

impl Sources {
    fn subject(&self, res: Res, key: &Key) -> Subject {
        Subject { store: self.store.clone(), res, namespace: key.namespace.clone(), name: key.name.clone() }
    }

    /// Deletion, finalizer, suspension.
    fn begin(&self, subject: &Subject) -> Begin {
        let Some(source) = subject.get() else { return Begin::End(Verdict::Settled) };
        if object::is_deleting(&source) {
            if object::has_finalizer(&source, FINALIZER) {
                self.collect(subject, &source);
            }
            return Begin::End(Verdict::Settled);
        }
        if !object::has_finalizer(&source, FINALIZER) {
            subject.modify(|source| object::add_finalizer(source, FINALIZER));
            self.log.finalizer(&subject.namespace, &subject.name);
            return Begin::End(Verdict::Retry);
        }
        if source["spec"]["suspend"] == true {
            self.log.info(&subject.namespace, &subject.name, "reconciliation is suspended for this object");
            return Begin::End(Verdict::Settled);
        }
        Begin::GoOn(source)
    }

    /// Removes a deleted source's artifacts.
    fn collect(&self, subject: &Subject, source: &Value) {
        if source["status"]["artifact"].is_object() {
            self.artifacts.keep_only(&storage::directory(source), "");
            self.events.normal(
                source,
                "GarbageCollectionSucceeded",
                "garbage collected artifacts for deleted resource",
            );
            let line = "garbage collected artifacts for deleted resource";
            self.log.info(&subject.namespace, &subject.name, line);
        }
        let generation = object::generation(source);
        subject.modify(|source| {
            if let Some(conditions) = source["status"]["conditions"].as_array_mut() {
                for condition in conditions.iter_mut().filter(|condition| condition["type"] == "Ready") {
                    condition["observedGeneration"] = generation.into();
                }
            }
        });
        subject.modify(|source| object::remove_finalizer(source, FINALIZER));
    }
}

/// `spec.interval`.
fn interval(source: &Value) -> Duration {
    crate::duration::field(&source["spec"]["interval"]).unwrap_or(Duration::from_secs(600))
}
