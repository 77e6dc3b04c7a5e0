//! The cluster's own programs: images whose entrypoint is one of theirs run here, all others at the caller's runtime.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cluster_api::Store;
use cluster_flux::{ArtifactStore, FluxContext};
use cluster_node::{
    Container, ContainerSpec, ExecOutcome, ExecTarget, Exit, PreloadedImage, Resolvers, Runtime, StartError, Wire,
    programs,
};
use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{ClusterConfig, preloaded_image};

/// The image of cluster DNS.
pub(crate) const COREDNS_IMAGE: &str = "registry.k8s.io/coredns/coredns:v1.12.1";

/// Images that a node has before it can reach any registry.
pub(crate) fn preloaded() -> Vec<PreloadedImage> {
    vec![preloaded_image(COREDNS_IMAGE, "/coredns")]
}

/// Runs the cluster's own programs and passes everything else on.
pub struct SystemRuntime {
    store: Store,
    artifacts: ArtifactStore,
    resolvers: Resolvers,
    wire: Wire,
    trust: Vec<String>,
    disk: std::path::PathBuf,
    others: Arc<dyn Runtime>,
}

impl std::fmt::Debug for SystemRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemRuntime")
    }
}

impl SystemRuntime {
    /// In front of `others`.
    pub fn new(store: &Store, config: &ClusterConfig, others: Arc<dyn Runtime>) -> Self {
        Self {
            store: store.clone(),
            artifacts: ArtifactStore::default(),
            resolvers: config.resolvers.clone(),
            wire: config.wire.clone(),
            trust: config.trust.clone(),
            disk: config.disk.clone(),
            others,
        }
    }

    /// The program of an entrypoint, if it is one of the cluster's own.
    fn program(&self, spec: &ContainerSpec, stop: &CancellationToken) -> Option<BoxFuture<'static, i32>> {
        let name = spec.argv.first()?.rsplit('/').next()?;
        let flux = || FluxContext {
            store: self.store.clone(),
            clock: spec.clock.clone(),
            artifacts: self.artifacts.clone(),
            network: spec.network.clone(),
            trust: self.trust.clone(),
            wire: self.wire.clone(),
            log: spec.log.clone(),
            stop: stop.clone(),
        };
        Some(match name {
            "coredns" => Box::pin(programs::coredns(self.system(spec, stop))),
            "local-path-provisioner" => Box::pin(programs::local_path_provisioner(self.system(spec, stop))),
            "source-controller" => Box::pin(cluster_flux::source_controller(flux())),
            "kustomize-controller" => Box::pin(cluster_flux::kustomize_controller(flux())),
            "helm-controller" => Box::pin(cluster_flux::helm_controller(flux())),
            _ => return None,
        })
    }

    fn system(&self, spec: &ContainerSpec, stop: &CancellationToken) -> programs::ProgramContext {
        programs::ProgramContext {
            store: self.store.clone(),
            clock: spec.clock.clone(),
            wire: self.wire.clone(),
            resolvers: self.resolvers.clone(),
            volumes: self.disk.clone(),
            ip: spec.ip,
            log: spec.log.clone(),
            stop: stop.clone(),
        }
    }
}

#[async_trait]
impl Runtime for SystemRuntime {
    async fn start(&self, spec: ContainerSpec) -> Result<Box<dyn Container>, StartError> {
        let stop = CancellationToken::new();
        match self.program(&spec, &stop) {
            Some(program) => Ok(Box::new(ProgramContainer::start(spec, program, stop))),
            None => self.others.start(spec).await,
        }
    }

    async fn exec(&self, target: ExecTarget, argv: Vec<String>) -> ExecOutcome {
        self.others.exec(target, argv).await
    }
}

/// A program of this process in a container's place.
pub struct ProgramContainer {
    task: JoinHandle<i32>,
    stop: CancellationToken,
    clock: field_clock::Clock,
    ended: Option<Exit>,
}

impl ProgramContainer {
    /// Starts `program`; it is asked to end by `stop`.
    pub fn start(spec: ContainerSpec, program: BoxFuture<'static, i32>, stop: CancellationToken) -> Self {
        Self { task: tokio::spawn(program), stop, clock: spec.clock, ended: None }
    }
}

#[async_trait]
impl Container for ProgramContainer {
    async fn wait(&mut self) -> Exit {
        if let Some(exit) = self.ended {
            return exit;
        }
        // A program that panics dies as a process that aborts: of SIGABRT.
        let code = (&mut self.task).await.unwrap_or(134);
        *self.ended.insert(Exit::code(code))
    }

    async fn stop(&mut self, grace: Duration) {
        self.stop.cancel();
        let clock = self.clock.clone();
        if clock.timeout(grace, self.wait()).await.is_err() {
            self.task.abort();
            self.ended = Some(Exit::code(137));
        }
    }
}

impl Drop for ProgramContainer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
