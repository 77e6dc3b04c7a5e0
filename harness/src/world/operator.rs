//! The operator's command as a process whose lines are heard.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use field_clock::Clock;
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc;

use super::{Access, BootstrapOptions};

/// Which of the two a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line that the command printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorLine {
    /// Where it came from.
    pub stream: Stream,
    /// The line without its end.
    pub text: String,
}

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorEnd {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
    /// The harness ended it: it took longer than its ceiling.
    TookTooLong,
}

/// The command could not be run.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// No program was named.
    #[error("run the operator's command: it is empty")]
    Empty,
    /// The program did not start.
    #[error("start the operator's command `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Its end could not be seen.
    #[error("wait for the operator's command")]
    Wait(#[source] io::Error),
}

/// What the command installs onto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// A cluster that is there.
    Cluster,
    /// A machine, which it makes a cluster of.
    Machine,
}

/// The operator's command, ready to run.
#[derive(Debug, Clone)]
pub struct OperatorCommand {
    argv: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl OperatorCommand {
    /// `program… bootstrap …` for what is there; `home` becomes the command's home and configuration directory.
    pub fn bootstrap(
        program: Vec<String>,
        onto: Onto,
        access: &Access,
        options: &BootstrapOptions,
        home: &Path,
    ) -> Self {
        let mut argv: Vec<OsString> = program.into_iter().map(OsString::from).collect();
        argv.push("bootstrap".into());
        let mut flag = |name: &str, value: OsString| argv.extend([OsString::from(name), value]);
        if onto == Onto::Cluster {
            flag("--kubeconfig", access.kubeconfig.clone().into());
        }
        flag("--bootstrap-mode", options.mode.name().into());
        flag("--release-version", options.release.clone().into());
        flag("--profile", options.profile.clone().into());
        flag("--node-ip", access.node_ip.to_string().into());
        flag("--app-url", access.app_url.clone().into());
        flag("--config-dir", Self::configuration(home).into());
        if !options.dns_servers.is_empty() {
            flag("--dns-servers", options.dns_servers.join(",").into());
        }
        argv.extend(options.arguments.iter().map(OsString::from));
        Self { argv, environment: vec![("HOME".into(), home.into())] }
    }

    /// Where it keeps what it knows of its sites.
    pub fn configuration(home: &Path) -> PathBuf {
        home.join("config")
    }

    /// Adds a variable to its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Adds arguments at the end.
    #[must_use]
    pub fn args(mut self, more: impl IntoIterator<Item = OsString>) -> Self {
        self.argv.extend(more);
        self
    }

    /// Runs it to its end, for `ceiling` at most, and sends its lines; `started` hears its process id.
    ///
    /// # Errors
    /// See [`OperatorError`].
    ///
    /// # Cancel safety
    /// Dropping the future kills the process and its group.
    pub async fn run(
        &self,
        clock: &Clock,
        options: &BootstrapOptions,
        lines: mpsc::UnboundedSender<OperatorLine>,
        started: impl FnOnce(u32),
    ) -> Result<OperatorEnd, OperatorError> {
        let mut child = self.spawn()?;
        let pid = child.id();
        let _tracked = pid.map(|pid| clock.track_process(pid));
        if let Some(pid) = pid {
            started(pid);
        }
        let stdout = child.stdout().take();
        let stderr = child.stderr().take();
        let heard = async {
            futures::join!(
                forward(stdout, Stream::Stdout, lines.clone()),
                forward(stderr, Stream::Stderr, lines.clone()),
            );
            child.wait().await
        };
        let ended = clock.timeout(options.ceiling, heard).await;
        match ended {
            Ok(status) => Ok(end_of(status.map_err(OperatorError::Wait)?)),
            Err(field_clock::Elapsed) => {
                // It may have ended in this very moment; then there is nothing to kill.
                let _ = Box::into_pin(child.kill()).await;
                Ok(OperatorEnd::TookTooLong)
            }
        }
    }

    fn spawn(&self) -> Result<Box<dyn ChildWrapper>, OperatorError> {
        let (program, arguments) = self.argv.split_first().ok_or(OperatorError::Empty)?;
        let mut command = CommandWrap::with_new(program, |command| {
            command
                .args(arguments)
                .envs(self.environment.iter().map(|(k, v)| (k, v)))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
        });
        command.wrap(ProcessGroup::leader()).wrap(KillOnDrop);
        command.spawn().map_err(|source| OperatorError::Start {
            program: program.to_string_lossy().into_owned(),
            source,
        })
    }
}

async fn forward(
    source: Option<impl AsyncRead + Unpin>,
    stream: Stream,
    lines: mpsc::UnboundedSender<OperatorLine>,
) {
    let Some(source) = source else { return };
    let mut reader = BufReader::new(source);
    let mut buffer = Vec::new();
    // A pipe that breaks has ended; what it said until then was heard.
    while let Ok(1..) = reader.read_until(b'\n', &mut buffer).await {
        let text = String::from_utf8_lossy(&buffer).trim_end_matches(['\r', '\n']).to_owned();
        buffer.clear();
        // Nobody listens any more when the scenario is over; the command may go on all the same.
        let _ = lines.send(OperatorLine { stream, text });
    }
}

fn end_of(status: ExitStatus) -> OperatorEnd {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => OperatorEnd::Exited(code),
        (None, signal) => OperatorEnd::Killed(signal.unwrap_or_default()),
    }
}

impl std::fmt::Display for OperatorEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with {code}"),
            Self::Killed(signal) => write!(f, "was killed by signal {signal}"),
            Self::TookTooLong => f.write_str("took too long and was killed"),
        }
    }
}
