//! What runs in the containers of a simulated world: the stand-ins in this process, the status service as a process.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use cluster_node::{Container, ContainerSpec, LogSink, PodNetwork, Runtime, StartError};
use fake_cluster::ProgramContainer;
use fake_workloads::{Connector, Context, LogLine, Mounts};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::process::ProcessContainer;
use super::starts::Starts;

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
    /// Where process ids are kept for the sweep.
    pub(super) directory: PathBuf,
    /// What was started.
    pub(super) starts: Starts,
}

#[async_trait]
impl Runtime for SimRuntime {
    async fn start(&self, spec: ContainerSpec) -> Result<Box<dyn Container>, StartError> {
        let Some(entrypoint) = spec.argv.first().cloned() else {
            return Err(StartError::Other { message: "no command specified".into() });
        };
        self.starts.note(&spec);
        if entrypoint.rsplit('/').next() == Some(STATUS) {
            return Ok(Box::new(ProcessContainer::start(&self.status, &spec, self.api, &self.directory)?));
        }
        let Some(program) = fake_workloads::program(&entrypoint) else {
            return Err(StartError::not_found(&entrypoint));
        };
        let stop = CancellationToken::new();
        let context = context(&spec, &stop);
        Ok(Box::new(ProgramContainer::start(spec, Box::pin(program.run(context)), stop)))
    }
}

fn context(spec: &ContainerSpec, stop: &CancellationToken) -> Context {
    let mut env: std::collections::BTreeMap<String, String> = spec.env.iter().cloned().collect();
    if let Some(directory) = &spec.service_account_dir {
        env.entry(SERVICE_ACCOUNT.into()).or_insert_with(|| directory.display().to_string());
    }
    Context {
        env,
        args: spec.argv.iter().skip(1).cloned().collect(),
        ip: spec.ip,
        mounts: Mounts::new(spec.mounts.iter().map(|m| (m.path.clone(), m.host.clone())).collect()),
        network: Arc::new(Network(spec.network.clone())),
        log: Arc::new(Log(spec.log.clone())),
        clock: spec.clock.clone(),
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
