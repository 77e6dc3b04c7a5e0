//! The container engine and the `kind` program, as processes with a deadline.

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use field_clock::Clock;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Nothing that the engine is asked here takes longer, but a cluster's creation.
const PATIENCE: Duration = Duration::from_secs(120);
/// Creating a cluster may pull its image.
const CREATION: Duration = Duration::from_secs(600);
/// How much of what a program said is told when it failed.
const LINES: usize = 6;

/// A program that is needed did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::world) enum EngineError {
    /// It is not there.
    #[error("start `{program}`")]
    Start {
        /// Which.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It failed.
    #[error("`{command}`: {said}")]
    Failed {
        /// What was run.
        command: String,
        /// The end of what it said.
        said: String,
    },
    /// It did not end in time.
    #[error("`{command}` did not end within {} s", limit.as_secs())]
    Slow {
        /// What was run.
        command: String,
        /// The limit.
        limit: Duration,
    },
}

/// The programs by which containers and clusters are made.
#[derive(Debug, Clone)]
pub(in crate::world) struct Engine {
    /// The engine's client; `docker` where nothing else is said.
    pub(super) docker: String,
    /// The `kind` program.
    pub(super) kind: String,
    /// The network on which clusters and their helpers are.
    network: String,
}

impl Engine {
    /// The programs that the environment names (`SMOKE_DOCKER`, `SMOKE_KIND`), or those on the path; clusters come on this network.
    pub(super) fn on(network: &str) -> Self {
        let named = |variable: &str, otherwise: &str| {
            std::env::var(variable).ok().filter(|it| !it.is_empty()).unwrap_or_else(|| otherwise.to_owned())
        };
        Self {
            docker: named("SMOKE_DOCKER", "docker"),
            kind: named("SMOKE_KIND", "kind"),
            network: network.to_owned(),
        }
    }

    /// What the engine's client prints.
    pub(super) async fn docker<S: AsRef<str>>(&self, arguments: &[S]) -> Result<String, EngineError> {
        run(&self.docker, arguments, &[], None, PATIENCE).await
    }

    /// The same, with bytes for its standard input.
    pub(super) async fn docker_fed<S: AsRef<str>>(
        &self,
        arguments: &[S],
        input: &[u8],
    ) -> Result<String, EngineError> {
        run(&self.docker, arguments, &[], Some(input), PATIENCE).await
    }

    /// The bytes that the engine's client prints.
    pub(super) async fn docker_bytes<S: AsRef<str>>(&self, arguments: &[S]) -> Result<Vec<u8>, EngineError> {
        Ok(output(&self.docker, arguments, &[], None, PATIENCE).await?.stdout)
    }

    /// Runs a command in a container, as its root.
    pub(super) async fn exec<S: AsRef<str>>(
        &self,
        container: &str,
        command: &[S],
    ) -> Result<String, EngineError> {
        let mut all = vec!["exec".to_owned(), container.to_owned()];
        all.extend(command.iter().map(|it| it.as_ref().to_owned()));
        self.docker(&all).await
    }

    /// Runs a script in a container's shell, with bytes for its standard input.
    pub(super) async fn shell(
        &self,
        container: &str,
        script: &str,
        input: &[u8],
    ) -> Result<String, EngineError> {
        self.docker_fed(&["exec", "-i", container, "sh", "-ec", script], input).await
    }

    /// What the `kind` program prints.
    pub(super) async fn kind<S: AsRef<str>>(
        &self,
        arguments: &[S],
        input: Option<&[u8]>,
    ) -> Result<String, EngineError> {
        let network = [("KIND_EXPERIMENTAL_DOCKER_NETWORK", self.network.as_str())];
        run(&self.kind, arguments, &network, input, CREATION).await
    }
}

async fn run<S: AsRef<str>>(
    program: &str,
    arguments: &[S],
    environment: &[(&str, &str)],
    input: Option<&[u8]>,
    limit: Duration,
) -> Result<String, EngineError> {
    let output = output(program, arguments, environment, input, limit).await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

async fn output<S: AsRef<str>>(
    program: &str,
    arguments: &[S],
    environment: &[(&str, &str)],
    input: Option<&[u8]>,
    limit: Duration,
) -> Result<Output, EngineError> {
    let words: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    // The whole of a script would hide what it was for.
    let command = || {
        let first = words.iter().take(4).copied().collect::<Vec<_>>().join(" ");
        format!("{program} {}", first.lines().next().unwrap_or_default())
    };
    let start = |source| EngineError::Start { program: program.to_owned(), source };
    let mut child = Command::new(program)
        .args(&words)
        .envs(environment.iter().copied())
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    let stdin = child.stdin.take();
    let feed = async move {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // A program that has read enough closes its end; whether it was content its exit code says.
            let _ = stdin.write_all(input).await;
        }
    };
    let work = async { futures::join!(child.wait_with_output(), feed).0 };
    let ended = Clock::wall().timeout(limit, work).await;
    let output = ended.map_err(|_| EngineError::Slow { command: command(), limit })?.map_err(start)?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [&output.stderr, &output.stdout].map(|it| String::from_utf8_lossy(it).trim().to_owned());
    let said = said.into_iter().find(|it| !it.is_empty()).unwrap_or_else(|| output.status.to_string());
    let lines: Vec<&str> = said.lines().rev().take(LINES).collect();
    let said = lines.into_iter().rev().collect::<Vec<_>>().join(" | ");
    Err(EngineError::Failed { command: command(), said })
}
