//! Whoever calls a machine: the real program, with a folder of its own.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use field_clock::Clock;

/// The program beside a machine.
pub(crate) struct Caller {
    pub(crate) clock: Clock,
    pub(crate) program: PathBuf,
    pub(crate) home: tempfile::TempDir,
    /// Where the machine is called.
    pub(crate) address: IpAddr,
}

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Ended well.
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Ended with 1 and said this.
    #[track_caller]
    pub(crate) fn failed(self, with: &str) -> Self {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert!(self.err.contains(with), "nothing like {with:?} in {self:?}");
        self
    }
}

impl Caller {
    /// A path in the site's folder, as text.
    pub(crate) fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs the program by itself. Meanwhile time does not jump: it reads more from its file than it computes, which looks idle.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        let _hold = self.clock.hold("the program");
        self.let_run(arguments).await
    }

    /// Runs the program while time passes as it likes.
    pub(crate) async fn let_run(&self, arguments: &[&str]) -> Ran {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(arguments).env("HOME", self.home.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().unwrap();
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Calls the machine as whoever comes by.
    pub(crate) async fn anybody(&self, arguments: &[&str]) -> Ran {
        let address = self.address.to_string();
        self.run(&[arguments, &["--nodes", &address, "--insecure"]].concat()).await
    }

    /// Calls the machine with credentials of this name.
    pub(crate) async fn with(&self, credentials: &str, arguments: &[&str]) -> Ran {
        let (address, path) = (self.address.to_string(), self.path(credentials));
        let whom = ["--nodes", &address, "--endpoints", &address, "--talosconfig", &path];
        self.run(&[arguments, &whom[..]].concat()).await
    }

    /// Makes secrets, credentials and a configuration of this name.
    pub(crate) async fn generate(&self, name: &str) {
        let secrets = self.path(&format!("{name}-secrets.yaml"));
        self.run(&["gen", "secrets", "--output-file", &secrets]).await.well();
        let address = self.address.to_string();
        let endpoint = format!("https://{address}:6443");
        for (kind, path) in [("controlplane", format!("{name}.yaml")), ("talosconfig", name.to_owned())] {
            let made =
                ["gen", "config", name, &endpoint, "--with-secrets", &secrets, "--additional-sans", &address];
            let rest = ["--install-disk", "/dev/vda", "--output-types", kind, "--output", &self.path(&path)];
            self.run(&[&made[..], &rest[..]].concat()).await.well();
        }
    }

    /// Calls until it ends well; returns that.
    pub(crate) async fn until_well(&self, credentials: &str, arguments: &[&str]) -> Ran {
        loop {
            let ran = self.with(credentials, arguments).await;
            if ran.code == Some(0) {
                return ran;
            }
            self.clock.sleep(Duration::from_secs(5)).await;
        }
    }

    /// Returns after that many seconds of field time.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// Waits for something to be seen.
    pub(crate) async fn until(&self, mut met: impl AsyncFnMut() -> bool) {
        while !met().await {
            self.clock.sleep(Duration::from_secs(5)).await;
        }
    }
}
