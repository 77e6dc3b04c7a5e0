//! The runner as a process, with places of its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use field_clock::Clock;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::program::{LIMIT, finish};

/// `smoke`, as this build made it.
pub(crate) const SMOKE: &str = env!("CARGO_BIN_EXE_smoke");

/// Places for one test: worlds, reports, scenario files.
pub(crate) struct Desk {
    home: TempDir,
}

/// What a runner said, and how it ended.
pub(crate) struct Ran {
    code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::Builder::new().prefix("smoke-system-").tempdir().expect("a place for files") }
    }

    /// A place on it.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Where worlds have their directories.
    pub(crate) fn worlds(&self) -> PathBuf {
        self.at("worlds")
    }

    /// Where the report is.
    pub(crate) fn report(&self) -> PathBuf {
        self.at("report")
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Writes a scenario into a folder of them.
    pub(crate) fn scenario(&self, folder: &str, name: &str, rest: &str) {
        let text = format!("name: {name}\nstory: A test wrote it.\n{rest}");
        self.write(&format!("{folder}/{name}.yaml"), &text);
    }

    /// A runner that only knows what this test tells it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(SMOKE);
        command.args(arguments);
        self.at_home(&mut command);
        command
    }

    /// What [`Desk::command`] does for any program.
    pub(crate) fn at_home(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SMOKE_") || name.to_string_lossy().starts_with("NEXTEST") {
                command.env_remove(name);
            }
        }
        command
            .env("SMOKE_RUN_DIR", self.worlds())
            .env("SMOKE_REPORT", self.report())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .kill_on_drop(true);
    }

    /// Runs `smoke` to its end.
    pub(crate) async fn smoke(&self, arguments: &[&str]) -> Ran {
        Ran::of(finish(self.command(arguments)).await)
    }

    /// `report.json`.
    pub(crate) fn read_report(&self) -> Value {
        let path = self.report().join("report.json");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).expect("JSON")
    }

    /// What the report says of one scenario.
    pub(crate) fn scenario_report(&self, name: &str) -> Value {
        let report = self.read_report();
        let scenarios = report["scenarios"].as_array().cloned().unwrap_or_default();
        let found = scenarios.into_iter().find(|entry| entry["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not in {report:#}"))
    }

    /// Names of the worlds that are there, or were left behind.
    pub(crate) fn worlds_left(&self) -> Vec<PathBuf> {
        let entries =
            std::fs::read_dir(self.worlds()).map(|entries| entries.flatten().map(|e| e.path()).collect());
        entries.unwrap_or_default()
    }
}

impl Ran {
    pub(crate) fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It ended with this code.
    #[track_caller]
    pub(crate) fn ended(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// It said this to people.
    #[track_caller]
    pub(crate) fn said(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "nothing like {text:?} in {self}");
        self
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.out, self.err)
    }
}

/// A runner that keeps its worlds until it is told to let go.
pub(crate) struct Keeper {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    heard: String,
    /// The kept world's kubeconfig.
    pub(crate) kubeconfig: PathBuf,
    /// Its status page, without a path, and the token.
    pub(crate) status: (String, String),
    /// Its application.
    pub(crate) app: String,
}

impl Keeper {
    /// Starts it and waits until the world is there for everybody.
    pub(crate) async fn start(desk: &Desk, arguments: &[&str]) -> Self {
        let mut command = desk.command(arguments);
        command.args(["--keep", "always"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("smoke starts");
        let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let empty = (String::new(), String::new());
        let (kubeconfig, app) = (PathBuf::new(), String::new());
        let mut keeper = Self { child, lines, heard: String::new(), kubeconfig, status: empty, app };
        Clock::wall()
            .timeout(LIMIT, keeper.listen())
            .await
            .unwrap_or_else(|_| panic!("no kept world within {LIMIT:?}"));
        keeper
    }

    async fn listen(&mut self) {
        while let Some(line) = self.lines.next_line().await.expect("UTF-8") {
            self.heard.push_str(&line);
            self.heard.push('\n');
            if let Some(path) = line.strip_prefix("export KUBECONFIG=") {
                self.kubeconfig = path.into();
            } else if let Some((url, token)) =
                line.strip_prefix("status page: ").and_then(|u| u.split_once("/?token="))
            {
                self.status = (url.to_owned(), token.to_owned());
            } else if let Some(url) = line.strip_prefix("application: ") {
                url.clone_into(&mut self.app);
            } else if line.trim_start().starts_with("Waiting") {
                return;
            }
        }
        panic!("the runner ended and kept nothing: {}", self.heard);
    }

    /// Tells it to let go, as Ctrl-C does, and waits for its end.
    pub(crate) async fn let_go(mut self) -> Ran {
        let pid = i32::try_from(self.child.id().expect("it runs")).expect("process ids are small");
        kill(Pid::from_raw(pid), Signal::SIGINT).expect("it runs");
        let mut err = self.heard;
        let clock = Clock::wall();
        let ended = clock.timeout(LIMIT, async {
            // Errors and the end of a pipe come to the same here: the exit code is what counts.
            let _ = self.lines.get_mut().read_to_string(&mut err).await;
            self.child.wait().await
        });
        let status =
            ended.await.unwrap_or_else(|_| panic!("it did not let go within {LIMIT:?}")).expect("it ended");
        Ran { code: status.code(), out: String::new(), err }
    }
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
