//! What runs in the containers of a simulated world: the stand-ins in this process, the status service as a process.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cluster_node::{Container, ContainerSpec, Exit, LogSink, PodNetwork, Runtime, StartError};
use fake_cluster::ProgramContainer;
use fake_workloads::{Connector, Context, LogLine, Memory, Mounts, Quotas};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::process::ProcessContainer;
use crate::world::starts::{Start, Starts};

/// The program of the status service's image.
const STATUS: &str = "appliance-status";
/// Where a pod finds its service account, and the variable by which programs outside of a container are told.
const SERVICE_ACCOUNT: &str = "SERVICE_ACCOUNT_DIR";

/// Image entrypoint → program.
pub(super) struct SimRuntime {
    /// The status service: program and arguments.
    pub(super) status: Vec<String>,
    /// Where the API is on this machine.
    pub(super) api: SocketAddr,
    /// Who tells how time passes while the API does not.
    pub(super) time: SocketAddr,
    /// Where process ids are kept for the sweep.
    pub(super) directory: PathBuf,
    /// What was started.
    pub(super) starts: Starts,
    /// What of the node's disk has a limit.
    pub(super) quotas: Quotas,
}

#[async_trait]
impl Runtime for SimRuntime {
    async fn start(&self, spec: ContainerSpec) -> Result<Box<dyn Container>, StartError> {
        let Some(entrypoint) = spec.argv.first().cloned() else {
            return Err(StartError::Other { message: "no command specified".into() });
        };
        self.starts.note(Start::of(&spec));
        if entrypoint.rsplit('/').next() == Some(STATUS) {
            let process = ProcessContainer::start(&self.status, &spec, self.api, self.time, &self.directory)?;
            if let Some(pid) = process.pid() {
                self.starts.note_process(&spec.container, pid);
            }
            return Ok(Box::new(process));
        }
        let Some(program) = fake_workloads::program(&entrypoint) else {
            return Err(StartError::not_found(&entrypoint));
        };
        let stop = CancellationToken::new();
        let context = context(&spec, &stop, &self.quotas);
        let (memory, limit) = (context.memory.clone(), spec.memory_limit);
        let container = ProgramContainer::start(spec, Box::pin(program.run(context)), stop);
        Ok(Box::new(Limited { container, memory, limit, killed: false }))
    }
}

/// A program that is killed when it takes more memory than it may.
struct Limited {
    container: ProgramContainer,
    memory: Memory,
    limit: Option<u64>,
    killed: bool,
}

#[async_trait]
impl Container for Limited {
    async fn wait(&mut self) -> Exit {
        if self.killed {
            return Exit::out_of_memory();
        }
        let limit = self.limit.unwrap_or(u64::MAX);
        tokio::select! {
            exit = self.container.wait() => exit,
            () = self.memory.exceeds(limit) => {
                self.killed = true;
                self.container.kill();
                Exit::out_of_memory()
            }
        }
    }

    async fn stop(&mut self, grace: Duration) {
        self.container.stop(grace).await;
    }
}

fn context(spec: &ContainerSpec, stop: &CancellationToken, quotas: &Quotas) -> Context {
    let mut env: std::collections::BTreeMap<String, String> = spec.env.iter().cloned().collect();
    if let Some(directory) = &spec.service_account_dir {
        env.entry(SERVICE_ACCOUNT.into()).or_insert_with(|| directory.display().to_string());
    }
    Context {
        env,
        args: spec.argv.iter().skip(1).cloned().collect(),
        ip: spec.ip,
        mounts: Mounts::new(spec.mounts.iter().map(|m| (m.path.clone(), m.host.clone())).collect())
            .within(quotas.clone()),
        network: Arc::new(Network(spec.network.clone())),
        log: Arc::new(Log(spec.log.clone())),
        clock: spec.clock.clone(),
        memory: Memory::default(),
        stop: stop.clone(),
    }
}

struct Network(PodNetwork);

#[async_trait]
impl Connector for Network {
    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        self.0.connect(host, port).await
    }
}

struct Log(LogSink);

impl LogLine for Log {
    fn line(&self, text: &str) {
        self.0.line(text);
    }
}
