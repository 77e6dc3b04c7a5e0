//! The cluster's own programs: images whose entrypoint is one of theirs run here, all others at the caller's runtime.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cluster_api::Store;
use cluster_flux::{ArtifactStore, Burden, FluxContext, Leases};
use cluster_node::programs::SystemPrograms;
use cluster_node::{
    Container, ContainerSpec, ExecIo, ExecOutcome, ExecTarget, Exit, PreloadedImage, Runtime, StartError,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{ClusterConfig, preloaded_image};

/// Where the source-controller keeps its artifacts.
const STORAGE: &str = "/data";
/// The image of cluster DNS.
pub(crate) const COREDNS_IMAGE: &str = "registry.k8s.io/coredns/coredns:v1.12.1";

/// Images that a node has before it can reach any registry.
pub(crate) fn preloaded() -> Vec<PreloadedImage> {
    vec![preloaded_image(COREDNS_IMAGE, "/coredns")]
}

/// Runs the cluster's own programs and passes everything else on.
pub struct SystemRuntime {
    programs: SystemPrograms,
    artifacts: ArtifactStore,
    leases: Leases,
    burden: Burden,
    trust: Vec<String>,
    others: Arc<dyn Runtime>,
    running: Running,
}

/// The cluster's own programs that run, by name. Clones are the same list.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<Vec<(String, AbortHandle)>>>);

impl Running {
    fn note(&self, program: &str, handle: AbortHandle) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|(_, handle)| !handle.is_finished());
        list.push((program.to_owned(), handle));
    }

    /// Ends every process of this name where it stands; how many there were.
    pub(crate) fn kill(&self, program: &str) -> usize {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = list.iter().filter(|(name, handle)| name == program && !handle.is_finished());
        found.map(|(_, handle)| handle.abort()).count()
    }
}

impl std::fmt::Debug for SystemRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemRuntime")
    }
}

impl SystemRuntime {
    /// In front of `others`.
    pub fn new(store: &Store, config: &ClusterConfig, others: Arc<dyn Runtime>) -> Self {
        let programs = SystemPrograms {
            store: store.clone(),
            wire: config.wire.clone(),
            resolvers: config.resolvers.clone(),
            volumes: config.disk.clone(),
        };
        Self {
            programs,
            artifacts: ArtifactStore::default(),
            leases: Leases::default(),
            burden: Burden::default(),
            trust: config.trust.clone(),
            others,
            running: Running::default(),
        }
    }

    /// The processes that it runs.
    pub(crate) fn running(&self) -> Running {
        self.running.clone()
    }

    /// How busy the machine of the Flux controllers is.
    pub(crate) fn burden(&self) -> Burden {
        self.burden.clone()
    }

    /// The program of an entrypoint, if it is one of the cluster's own.
    fn program(&self, spec: &ContainerSpec, stop: &CancellationToken) -> Option<BoxFuture<'static, i32>> {
        let name = spec.argv.first()?.rsplit('/').next()?;
        let flux = || FluxContext {
            store: self.programs.store.clone(),
            clock: spec.clock.clone(),
            artifacts: self.artifacts.clone(),
            network: spec.network.clone(),
            trust: self.trust.clone(),
            wire: self.programs.wire.clone(),
            log: spec.log.clone(),
            stop: stop.clone(),
            arguments: spec.argv.clone(),
            identity: spec.pod.clone(),
            leases: self.leases.clone(),
            burden: self.burden.clone(),
            storage: spec
                .mounts
                .iter()
                .find(|mount| mount.path == Path::new(STORAGE))
                .map(|m| m.host.clone()),
        };
        Some(match name {
            "source-controller" => Box::pin(cluster_flux::source_controller(flux()).map(|()| 0)),
            "kustomize-controller" => Box::pin(cluster_flux::kustomize_controller(flux()).map(|()| 0)),
            "helm-controller" => Box::pin(cluster_flux::helm_controller(flux()).map(|()| 0)),
            known if SystemPrograms::knows(known) => {
                let (programs, spec, stop) = (self.programs.clone(), spec.clone(), stop.clone());
                Box::pin(async move { programs.run(spec, stop).await.unwrap_or(127) })
            }
            _ => return None,
        })
    }
}

#[async_trait]
impl Runtime for SystemRuntime {
    async fn start(&self, spec: ContainerSpec) -> Result<Box<dyn Container>, StartError> {
        let stop = CancellationToken::new();
        match self.program(&spec, &stop) {
            Some(program) => {
                let name =
                    spec.argv.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned();
                let container = ProgramContainer::start(spec, program, stop);
                self.running.note(&name, container.task.abort_handle());
                Ok(Box::new(container))
            }
            None => self.others.start(spec).await,
        }
    }

    async fn exec(&self, target: ExecTarget, argv: Vec<String>, io: ExecIo) -> ExecOutcome {
        self.others.exec(target, argv, io).await
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

    /// Kills it where it stands, as SIGKILL does.
    pub fn kill(&self) {
        self.task.abort();
    }
}

#[async_trait]
impl Container for ProgramContainer {
    async fn wait(&mut self) -> Exit {
        if let Some(exit) = self.ended {
            return exit;
        }
        // A program that is aborted was killed; one that panics dies as a process that aborts: of SIGABRT.
        let code = (&mut self.task).await.unwrap_or_else(|end| if end.is_cancelled() { 137 } else { 134 });
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
