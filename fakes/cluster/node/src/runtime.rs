//! What the node asks of whoever runs its containers.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use field_clock::Clock;

use crate::dns::PodNetwork;
use crate::exec::{ExecIo, ExecOutcome, ExecTarget};
use crate::logs::LogSink;

/// Runs containers: a program in this process, a process outside, whatever the image names.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// Starts a container.
    ///
    /// # Errors
    /// [`StartError`] when there is nothing to run.
    async fn start(&self, spec: ContainerSpec) -> Result<Box<dyn Container>, StartError>;

    /// Runs a command inside a running container, with the streams given. Dropping the future kills the command.
    async fn exec(&self, target: ExecTarget, argv: Vec<String>, io: ExecIo) -> ExecOutcome {
        let _ = (target, argv, io);
        ExecOutcome::Unsupported
    }
}

/// A container that was started.
#[async_trait]
pub trait Container: Send {
    /// Waits until it ends. May be cancelled and called again; once ended it answers at once.
    async fn wait(&mut self) -> Exit;

    /// Asks it to end (SIGTERM) and kills it (SIGKILL) when it has not after `grace`.
    async fn stop(&mut self, grace: Duration);

    /// The process outside, when it is one.
    fn pid(&self) -> Option<u32> {
        None
    }
}

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Exit code; 128 + signal for a signal.
    pub code: i32,
    /// What put an end to it.
    pub cause: ExitCause,
}

/// What put an end to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCause {
    /// It left by itself, or was asked to.
    Program,
    /// It was killed for its memory.
    OutOfMemory,
}

impl Exit {
    /// It left with this code.
    pub fn code(code: i32) -> Self {
        Self { code, cause: ExitCause::Program }
    }

    /// It was killed for its memory.
    pub fn out_of_memory() -> Self {
        Self { code: 137, cause: ExitCause::OutOfMemory }
    }
}

/// Why a container could not be started; the text is the last part of what runc says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The program is named with a path, and there is no such file.
    #[error("exec: {program:?}: stat {program}: no such file or directory")]
    NoSuchFile {
        /// The program's path.
        program: String,
    },
    /// The program is named without a path and is not found.
    #[error("exec: {program:?}: executable file not found in $PATH")]
    NotInPath {
        /// The program's name.
        program: String,
    },
    /// The file cannot be run.
    #[error("exec: {program:?}: permission denied")]
    NotExecutable {
        /// The program's path.
        program: String,
    },
    /// Anything else.
    #[error("{message}")]
    Other {
        /// The runtime's own words.
        message: String,
    },
}

impl StartError {
    /// There is no such program, worded by whether it is a path.
    pub fn not_found(program: &str) -> Self {
        let program = program.to_owned();
        if program.contains('/') { Self::NoSuchFile { program } } else { Self::NotInPath { program } }
    }
}

/// The config of an image, as far as it matters for running it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// `Entrypoint`.
    #[serde(rename = "Entrypoint", deserialize_with = "null_is_empty")]
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    #[serde(rename = "Cmd", deserialize_with = "null_is_empty")]
    pub cmd: Vec<String>,
    /// `Env`, as `NAME=value`.
    #[serde(rename = "Env", deserialize_with = "null_is_empty")]
    pub env: Vec<String>,
    /// `WorkingDir`.
    #[serde(rename = "WorkingDir")]
    pub working_dir: String,
    /// `User`.
    #[serde(rename = "User")]
    pub user: String,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    let given: Option<Vec<String>> = serde::Deserialize::deserialize(input)?;
    Ok(given.unwrap_or_default())
}

/// Whether a mount may be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It may not.
    ReadOnly,
    /// It may.
    ReadWrite,
}

/// A directory or file of the host inside a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where the container sees it.
    pub path: PathBuf,
    /// Where it really is.
    pub host: PathBuf,
    /// What may be done with it.
    pub access: Access,
}

/// Everything a runtime needs to run a container.
#[derive(Clone, Debug)]
pub struct ContainerSpec {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// UID of the pod.
    pub pod_uid: String,
    /// Name of the container.
    pub container: String,
    /// Service account of the pod.
    pub service_account: String,
    /// Image as the pod names it.
    pub image: String,
    /// Config of that image.
    pub image_config: ImageConfig,
    /// What to run: command and arguments of the pod over those of the image.
    pub argv: Vec<String>,
    /// Where it runs: the pod's working directory, else the image's; may be empty.
    pub working_dir: String,
    /// The bytes of memory that it may use.
    pub memory_limit: Option<u64>,
    /// Environment, each name once.
    pub env: Vec<(String, String)>,
    /// Volumes.
    pub mounts: Vec<Mount>,
    /// The pod's address, the node's with `hostNetwork`.
    pub ip: IpAddr,
    /// Declared container ports.
    pub ports: Vec<u16>,
    /// Names and connections.
    pub network: PodNetwork,
    /// Where the container's output goes.
    pub log: LogSink,
    /// Field time.
    pub clock: Clock,
    /// Host directory with token, ca.crt and namespace.
    pub service_account_dir: Option<PathBuf>,
}

impl ContainerSpec {
    /// Where a path inside the container really is, when a mount covers it.
    pub fn host_path(&self, inside: &std::path::Path) -> Option<PathBuf> {
        self.mounts
            .iter()
            .filter_map(|mount| inside.strip_prefix(&mount.path).ok().map(|rest| (mount, rest)))
            .min_by_key(|(_, rest)| rest.components().count())
            .map(
                |(mount, rest)| {
                    if rest.as_os_str().is_empty() { mount.host.clone() } else { mount.host.join(rest) }
                },
            )
    }
}
