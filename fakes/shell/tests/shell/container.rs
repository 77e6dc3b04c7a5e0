//! A container to try things in.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use cluster_node::{
    Access, Container, ContainerSpec, ExecIo, ExecOutcome, ExecTarget, ImageConfig, LogSink, Mount,
    PodNetwork, Runtime, StartError, Wire,
};
use fake_shell::ShellRuntime;
use field_clock::Clock;
use tempfile::TempDir;

/// A runtime with one container in it.
pub(crate) struct Field {
    pub(crate) runtime: Arc<ShellRuntime>,
    pub(crate) directory: TempDir,
    pub(crate) spec: ContainerSpec,
}

/// What came of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) output: String,
    pub(crate) code: i32,
}

impl Field {
    pub(crate) fn new(argv: &[&str]) -> Self {
        Self::at("127.88.1.20", argv)
    }

    pub(crate) fn at(ip: &str, argv: &[&str]) -> Self {
        let ip: IpAddr = ip.parse().expect("an address");
        let directory = TempDir::new().expect("a directory");
        let clock = Clock::wall();
        let server = "127.88.1.9:53".parse().expect("an address");
        let spec = ContainerSpec {
            namespace: "ns".into(),
            pod: "pod".into(),
            pod_uid: "uid".into(),
            container: "app".into(),
            service_account: "default".into(),
            image: "kindlab/busybox:1".into(),
            image_config: ImageConfig::default(),
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            working_dir: String::new(),
            memory_limit: None,
            env: vec![("HOSTNAME".into(), "pod".into()), ("A".into(), "from the pod".into())],
            mounts: Vec::new(),
            ip,
            ports: Vec::new(),
            network: PodNetwork::of_pod(clock.clone(), Wire::new(), ip, server, "ns"),
            log: LogSink::new(clock.clone()),
            clock,
            service_account_dir: None,
        };
        Self { runtime: Arc::new(ShellRuntime::new(directory.path().join("roots"))), directory, spec }
    }

    /// A volume at a path inside.
    pub(crate) fn mount(&mut self, path: &str, access: Access) -> std::path::PathBuf {
        let host = self.directory.path().join(path.trim_start_matches('/').replace('/', "-"));
        std::fs::create_dir_all(&host).expect("it can be made");
        self.spec.mounts.push(Mount { path: path.into(), host: host.clone(), access });
        host
    }

    pub(crate) async fn start(&self) -> Result<Box<dyn Container>, StartError> {
        self.runtime.start(self.spec.clone()).await
    }

    pub(crate) fn target(&self) -> ExecTarget {
        ExecTarget {
            namespace: "ns".into(),
            pod: "pod".into(),
            pod_uid: "uid".into(),
            container: "app".into(),
            ip: self.spec.ip,
        }
    }

    pub(crate) async fn exec(&self, argv: &[&str]) -> Ran {
        let (io, output) = ExecIo::captured();
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        match self.runtime.exec(self.target(), argv, io).await {
            ExecOutcome::Ran { code } => Ran { output: output.text(), code },
            other => panic!("not started: {other:?}"),
        }
    }

    /// Runs a script in a running container.
    pub(crate) async fn sh(&self, script: &str) -> Ran {
        self.exec(&["sh", "-c", script]).await
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.spec.log.lines()
    }
}

/// Runs a script as the first process of a container; its output and its exit.
pub(crate) async fn run(script: &str) -> Ran {
    let field = Field::new(&["sh", "-c", script]);
    let mut container = field.start().await.expect("a shell can be started");
    let exit = container.wait().await;
    let lines = field.log();
    Ran { output: lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect(), code: exit.code }
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .expect("it is there")
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
