//! A container that is a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use cluster_node::{Container, ContainerSpec, Exit, LogSink, StartError};
use field_clock::{Clock, Tracked};
use nix::sys::signal::Signal;
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinHandle;

use crate::run::directory;

/// Variables of the runner's own environment that a program needs to be found and to run.
const PASSED_ON: [&str; 3] = ["PATH", "HOME", "LANG"];

/// How long the pipes of a process that has ended are read on.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A process that runs in a container's place.
pub(super) struct ProcessContainer {
    child: Box<dyn ChildWrapper>,
    clock: Clock,
    pid: Option<u32>,
    ended: Option<Exit>,
    output: Vec<JoinHandle<()>>,
    _tracked: Option<Tracked>,
}

impl ProcessContainer {
    /// Starts `program` with the environment and the log of `spec`; `world` is where its process id is kept for the sweep.
    pub(super) fn start(
        program: &[String],
        spec: &ContainerSpec,
        api: SocketAddr,
        time: SocketAddr,
        world: &Path,
    ) -> Result<Self, StartError> {
        let Some((name, arguments)) = program.split_first() else {
            return Err(StartError::Other { message: "no program to run in the container's place".into() });
        };
        let mut command = CommandWrap::with_new(name, |command| {
            command
                .args(arguments)
                .env_clear()
                .envs(PASSED_ON.iter().filter_map(|n| std::env::var_os(n).map(|v| (n, v))))
                .envs(spec.env.iter().map(|(k, v)| (k, v)))
                // A process has the machine's network: it finds the API at the node, not behind a service's low port.
                .env("KUBERNETES_SERVICE_HOST", api.ip().to_string())
                .env("KUBERNETES_SERVICE_PORT", api.port().to_string())
                .env("STATUS_CLOCK", time.to_string())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
        });
        command.wrap(ProcessGroup::leader()).wrap(KillOnDrop);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StartError::not_found(name),
            std::io::ErrorKind::PermissionDenied => StartError::NotExecutable { program: name.clone() },
            _ => StartError::Other { message: error.to_string() },
        })?;
        let pid = child.id();
        if let Some(pid) = pid {
            // Without the record only a runner that is killed leaves this process to its own end.
            let _ = directory::record_process(world, pid);
        }
        let output = vec![
            tokio::spawn(copy(child.stdout().take(), spec.log.clone())),
            tokio::spawn(copy(child.stderr().take(), spec.log.clone())),
        ];
        let tracked = pid.map(|pid| spec.clock.track_process(pid));
        Ok(Self { child, clock: spec.clock.clone(), pid, ended: None, output, _tracked: tracked })
    }
}

#[async_trait]
impl Container for ProcessContainer {
    async fn wait(&mut self) -> Exit {
        if let Some(exit) = self.ended {
            return exit;
        }
        let exit = match self.child.wait().await {
            Ok(status) => exit_of(status),
            Err(_) => Exit::code(255),
        };
        for mut task in self.output.drain(..) {
            // A child of the process may hold the pipe's other end; it is not waited for.
            if self.clock.timeout(LAST_WORDS, &mut task).await.is_err() {
                task.abort();
            }
        }
        self.ended = Some(exit);
        exit
    }

    async fn stop(&mut self, grace: Duration) {
        if self.ended.is_some() {
            return;
        }
        // A process that is gone already needs no signal.
        let _ = self.child.signal(Signal::SIGTERM as i32);
        let clock = self.clock.clone();
        let held = clock.hold("a process that was asked to end");
        let ended = clock.timeout(grace, self.wait()).await;
        drop(held);
        if ended.is_err() {
            let _ = Box::into_pin(self.child.kill()).await;
            self.wait().await;
        }
    }

    fn pid(&self) -> Option<u32> {
        self.pid
    }
}

async fn copy(source: Option<impl AsyncRead + Unpin>, log: LogSink) {
    let Some(mut source) = source else { return };
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = source.read(&mut buffer).await {
        log.write(&buffer[..count]);
    }
}

fn exit_of(status: std::process::ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt as _;
    Exit::code(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
}
