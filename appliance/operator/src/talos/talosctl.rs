//! The program `talosctl`: which calls are made, and what comes back.

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use appliance_collect::Clock;
use serde_json::Value;
use tokio::process::Command;

use super::answer::Answer;
use super::files::Files;
use crate::failure::{Failure, Layer};

/// Which program; the one on the search path where nothing is said.
const PROGRAM: &str = "APPLIANCE_TALOSCTL";
/// A call that has no answer by then has none: addresses that swallow everything are common.
const CALL: Duration = Duration::from_secs(20);

/// Who we are to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum As {
    /// Whoever comes by, as in maintenance mode.
    Anybody,
    /// The holder of its credentials.
    Us,
}

/// The program, for one machine.
pub(super) struct Talosctl {
    program: OsString,
    node: IpAddr,
    credentials: PathBuf,
    clock: Clock,
    /// What it says of itself.
    pub(super) version: String,
}

/// Where a machine is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// `maintenance`, `installing`, `booting`, `running`, …
    pub(super) name: String,
    /// What it says is missing.
    pub(super) unmet: Vec<String>,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if self.unmet.is_empty() { Ok(()) } else { write!(f, " ({})", self.unmet.join(", ")) }
    }
}

/// How a service of the machine is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    state: String,
    health: String,
    event: String,
}

impl Service {
    pub(super) fn is_healthy(&self) -> bool {
        self.state == "Running" && self.health == "OK"
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.state, self.event)
    }
}

impl Talosctl {
    /// Finds the program.
    ///
    /// # Errors
    /// Where there is none, or it is not one.
    pub(super) async fn find(node: IpAddr, credentials: PathBuf, clock: Clock) -> Result<Self, Failure> {
        let program =
            std::env::var_os(PROGRAM).filter(|it| !it.is_empty()).unwrap_or_else(|| "talosctl".into());
        let mut talosctl = Self { program, node, credentials, clock, version: String::new() };
        let client = ["version", "--client", "--short"].map(OsStr::new);
        let said = talosctl.run(&client).await.map_err(|answer| {
            let remedy = format!("Install talosctl of the machine's Talos version (https://www.talos.dev), or name it in {PROGRAM}.");
            Failure::new(Layer::Host, format!("run {}", talosctl.program.display()), remedy).because(answer.to_string())
        })?;
        let version = said.split_whitespace().find(|word| word.starts_with('v'));
        talosctl.version = version.unwrap_or("of an unknown version").to_owned();
        Ok(talosctl)
    }

    /// Where the machine is on its way.
    pub(super) async fn stage(&self, who: As) -> Result<Stage, Answer> {
        let said = self.call(who, &["get", "machinestatus", "-o", "json"]).await?;
        stage(&said).ok_or_else(|| Answer::said(&format!("the machine's status cannot be read: {said}")))
    }

    /// Its disks, one JSON document after the other.
    pub(super) async fn disks(&self, who: As) -> Result<Vec<Value>, Answer> {
        let said = self.call(who, &["get", "disks", "-o", "json"]).await?;
        Ok(serde_json::Deserializer::from_str(&said).into_iter().map_while(Result::ok).collect())
    }

    /// New secrets of a machine, into a file that is not there.
    pub(super) async fn secrets(&self, path: &Path) -> Result<String, Answer> {
        self.run(&["gen".as_ref(), "secrets".as_ref(), "--output-file".as_ref(), path.as_os_str()]).await
    }

    /// The configuration of a machine with these secrets, changed by the patch.
    pub(super) async fn configuration(&self, files: &Files, disk: &str) -> Result<String, Answer> {
        let mut patch = OsString::from("@");
        patch.push(files.patch());
        let own =
            ["--install-disk".as_ref(), OsStr::new(disk), "--config-patch-control-plane".as_ref(), &patch];
        self.generate(files, "controlplane", &own).await
    }

    /// Credentials for a machine with these secrets.
    pub(super) async fn credentials(&self, files: &Files) -> Result<String, Answer> {
        self.generate(files, "talosconfig", &[]).await
    }

    async fn generate(&self, files: &Files, what: &str, own: &[&OsStr]) -> Result<String, Answer> {
        let endpoint = format!("https://{}", SocketAddr::new(self.node, 6443));
        let (secrets, node) = (files.secrets(), self.node.to_string());
        let mut arguments: Vec<&OsStr> = ["gen", "config", files.name(), &endpoint].map(OsStr::new).into();
        arguments.extend([OsStr::new("--with-secrets"), secrets.as_os_str()]);
        let rest = [
            "--additional-sans",
            &node,
            "--output-types",
            what,
            "--output",
            "-",
            "--with-docs=false",
            "--with-examples=false",
        ];
        arguments.extend(rest.map(OsStr::new));
        arguments.extend(own);
        self.run(&arguments).await
    }

    /// Hands the machine its configuration.
    pub(super) async fn apply(&self, configuration: &Path, who: As) -> Result<String, Answer> {
        self.call(who, &["apply-config".as_ref(), "--file".as_ref(), configuration.as_os_str()]).await
    }

    /// Makes the machine the first of its cluster.
    pub(super) async fn bootstrap(&self) -> Result<String, Answer> {
        self.call(As::Us, &["bootstrap"]).await
    }

    /// Writes the cluster's kubeconfig.
    pub(super) async fn kubeconfig(&self, path: &Path) -> Result<String, Answer> {
        self.call(
            As::Us,
            &["kubeconfig".as_ref(), path.as_os_str(), "--force".as_ref(), "--merge=false".as_ref()],
        )
        .await
    }

    /// How a service is doing.
    pub(super) async fn service(&self, name: &str) -> Result<Service, Answer> {
        self.call(As::Us, &["service", name]).await.map(|said| service(&said))
    }

    /// What the machine's kernel and its own services have said.
    pub(super) async fn dmesg(&self) -> Result<String, Answer> {
        self.call(As::Us, &["dmesg"]).await
    }

    /// What a service has said of late.
    pub(super) async fn logs(&self, name: &str) -> Result<String, Answer> {
        self.call(As::Us, &["logs", name, "--tail", "200"]).await
    }

    async fn call<A: AsRef<OsStr>>(&self, who: As, arguments: &[A]) -> Result<String, Answer> {
        let node = self.node.to_string();
        let mut all: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        all.extend(["--nodes", &node, "--endpoints", &node].map(OsStr::new));
        match who {
            As::Anybody => all.push("--insecure".as_ref()),
            As::Us => all.extend([OsStr::new("--talosconfig"), self.credentials.as_os_str()]),
        }
        self.run(&all).await
    }

    async fn run(&self, arguments: &[&OsStr]) -> Result<String, Answer> {
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::select! {
            biased;
            output = command.output() => output.map_err(|error| Answer::said(&error.to_string()))?,
            () = self.clock.sleep(CALL) => return Err(Answer::silence(CALL.as_secs())),
        };
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        // With one machine a warning means that this one did not answer, whatever the exit code says.
        let warned = [&said, &complaint].iter().any(|it| it.contains("WARNING: 1 error occurred"));
        if output.status.success() && !warned {
            return Ok(said.into_owned());
        }
        Err(Answer::said(&format!("{said}\n{complaint}")))
    }
}

fn stage(said: &str) -> Option<Stage> {
    let status: Value = serde_json::from_str(said).ok()?;
    let name = status["spec"]["stage"].as_str()?.to_owned();
    let unmet = status["spec"]["status"]["unmetConditions"].as_array().into_iter().flatten();
    let unmet = unmet.filter_map(|it| it["reason"].as_str().map(str::to_owned)).collect();
    Some(Stage { name, unmet })
}

fn service(said: &str) -> Service {
    let field = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        line.map(|it| it.trim().to_owned()).unwrap_or_default()
    };
    let event = field("EVENTS");
    // How long ago it was is another every time.
    let event = event.rsplit_once(" (").map_or(event.as_str(), |(event, _)| event);
    let event = event.split_once("]: ").map_or(event, |(_, event)| event).to_owned();
    Service { state: field("STATE"), health: field("HEALTH"), event }
}

#[cfg(test)]
mod tests {
    use super::{service, stage};

    #[test]
    fn a_service_is_read_as_the_real_program_prints_it() {
        let preparing = service(
            "NODE     127.0.0.1\nID       etcd\nSTATE    Preparing\nHEALTH   ?\n\
             EVENTS   [Preparing]: Running pre state (3m39s ago)\n         [Starting]: Starting service (3m39s ago)\n",
        );
        assert_eq!(
            (preparing.to_string().as_str(), preparing.is_healthy()),
            ("Preparing: Running pre state", false)
        );
        let up = service(
            "NODE     127.0.0.1\nID       etcd\nSTATE    Running\nHEALTH   OK\nEVENTS   [Running]: Health check successful (1m8s ago)\n",
        );
        assert!(up.is_healthy());
    }

    #[test]
    fn a_machine_says_where_it_is_and_what_is_missing() {
        let said = r#"{"node": "127.0.0.1", "spec": {"stage": "booting", "status": {"ready": false, "unmetConditions":
            [{"name": "services", "reason": "kubelet not running, etcd not running"}]}}}"#;
        let stage = stage(said).unwrap();
        assert_eq!(
            (stage.name.as_str(), stage.unmet.as_slice()),
            ("booting", &["kubelet not running, etcd not running".to_owned()][..])
        );
        assert!(super::stage("rpc error").is_none());
    }
}
