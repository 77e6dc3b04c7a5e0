//! kubectl with a kubeconfig and a home of its own, and a cluster for it.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use cluster_node::{ExecIo, ExecOutcome, ExecTarget};
use fake_cluster::{Clock, Cluster, ClusterConfig, Container, ContainerSpec, Programs, Runtime, StartError};
use tokio::process::Command;

/// Programs whose containers also run commands: as processes of this machine.
struct WithCommands(Programs);

#[async_trait]
impl Runtime for WithCommands {
    async fn start(&self, spec: ContainerSpec) -> Result<Box<dyn Container>, StartError> {
        self.0.start(spec).await
    }

    async fn exec(&self, _: ExecTarget, argv: Vec<String>, mut io: ExecIo) -> ExecOutcome {
        let Some((program, arguments)) = argv.split_first() else { return ExecOutcome::Unsupported };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut child) = command.kill_on_drop(true).spawn() else {
            return ExecOutcome::NotStarted(StartError::not_found(program));
        };
        let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdout), Some(mut stderr)) = (stdout, stderr) else { return ExecOutcome::Unsupported };
        let feed = async {
            if let Some(stdin) = &mut stdin {
                let _ = tokio::io::copy(&mut io.stdin, stdin).await;
            }
            drop(stdin.take());
        };
        let work = async {
            let out = tokio::io::copy(&mut stdout, &mut io.stdout);
            let err = tokio::io::copy(&mut stderr, &mut io.stderr);
            let _ = tokio::join!(out, err);
            child.wait().await
        };
        let mut feed = std::pin::pin!(feed);
        let mut work = std::pin::pin!(work);
        let ended = tokio::select! {
            ended = &mut work => ended,
            () = &mut feed => work.await,
        };
        ExecOutcome::Ran { code: ended.ok().and_then(|status| status.code()).unwrap_or(137) }
    }
}

/// A line on the test's own standard output, where the test harness does not capture it.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush());
}

/// Where kubectl is; says so when it is nowhere.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|file| file.is_file());
    if found.is_none() {
        say("lanes: kubectl did not run (there is no kubectl on the path)");
    }
    found
}

/// A cluster with the images `web:1`, `web:2` and `job:1`, and kubectl for it.
pub(crate) struct Desk {
    pub(crate) cluster: Cluster,
    home: tempfile::TempDir,
}

impl Desk {
    pub(crate) async fn start() -> Self {
        let programs = Programs::new().pause("web:1").pause("web:2").image("job:1", |process| async move {
            process.log.line("done");
            0
        });
        let mut config = ClusterConfig::new(&Clock::wall()).expect("a place for a cluster");
        config.images.extend(programs.images());
        let cluster = Cluster::start(config, Arc::new(WithCommands(programs))).await.expect("a cluster");
        let home = tempfile::tempdir().expect("a directory");
        std::fs::write(home.path().join("config"), cluster.kubeconfig()).expect("a kubeconfig");
        Self { cluster, home }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env("KUBECONFIG", self.at("config")).env("HOME", self.home.path()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.command("kubectl").args(arguments).output().await.expect("kubectl runs")
    }

    pub(crate) async fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "kubectl {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(!output.status.success(), "kubectl {arguments:?} should be refused");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// A pod that runs.
    pub(crate) async fn pod(&self, name: &str) {
        self.ok(&["run", name, "--image=web:1", "--restart=Never"]).await;
        self.ok(&["wait", "--for=condition=Ready", &format!("pod/{name}"), "--timeout=30s"]).await;
    }
}

/// A free port of this machine.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
