//! `appliance bootstrap` for a machine that has no cluster yet, with a recorded dialogue in the place of `talosctl`: the words are
//! those of a real machine (`talosctl.sh`), the time is a simulated cluster's, and that cluster is what the machine becomes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use smoke_harness::world::{BootRequest, BootstrapOptions, OperatorEnd, Stream, World};
use tokio::sync::mpsc;

use crate::empty;

const TALOSCTL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/talos/talosctl.sh");
const OPERATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/talos/operator.sh");
/// In field time; nothing that is waited for takes longer.
const LONGEST: Duration = Duration::from_secs(7200);

#[test]
fn a_machine_in_maintenance_mode_becomes_an_appliance() {
    play(async |site| {
        site.is(&[("stage", "maintenance"), ("waits", "3"), ("early", "2"), ("etcd", "2")]);
        let ran = site.bootstrap(&["--dns-servers", "1.1.1.1,8.8.8.8", "--hostname", "box"]).await;
        assert_eq!(ran.ended, OperatorEnd::Exited(0), "{ran}");
        ran.said_in_order(&[
            "[Flux] Source ",
            "[Talos] Using talosctl v1.11.0",
            "[Talos] The machine is in maintenance mode",
            "DNS 1.1.1.1, 8.8.8.8; host name box, disk /dev/vda",
            "[Talos] Waiting for the secure Talos API on ",
            "[Talos] etcd is healthy",
            " is Ready",
            "[Kubernetes] Creating namespaces",
            "Appliance status UI (submitted):",
            "Appliance is installed:",
        ]);
        let patch = site.kept("machine-patch.yaml");
        assert!(patch.contains("\"1.1.1.1\"") && patch.contains("\"8.8.8.8\""), "{patch}");
        for secret in ["secrets.yaml", "talosconfig", "controlplane.yaml", "kubeconfig"] {
            let mode = fs::metadata(site.site().join(secret)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{secret} is its owner's alone");
        }
        assert_eq!(site.calls("apply-config"), 1);
    });
}

#[test]
fn a_second_run_brings_the_machine_up_to_date_and_keeps_its_secrets_and_credentials() {
    play(async |site| {
        site.is(&[("stage", "maintenance")]);
        assert_eq!(site.bootstrap(&[]).await.ended, OperatorEnd::Exited(0));
        let (secrets, credentials) = (site.kept("secrets.yaml"), site.kept("talosconfig"));
        let ran = site.bootstrap(&["--dns-servers", "9.9.9.9"]).await;
        assert_eq!(ran.ended, OperatorEnd::Exited(0), "{ran}");
        ran.said_in_order(&[
            "The machine is configured already, and knows these credentials",
            "DNS 9.9.9.9",
            "etcd is healthy",
        ]);
        assert_eq!((site.kept("secrets.yaml"), site.kept("talosconfig")), (secrets, credentials));
        assert_eq!(site.calls("gen secrets"), 1);
    });
}

#[test]
fn a_machine_that_starts_again_in_the_middle_is_waited_for() {
    play(async |site| {
        // As many calls as a restart of two minutes takes.
        site.is(&[("stage", "maintenance"), ("waits", "60")]);
        let ran = site.bootstrap(&[]).await;
        assert_eq!(ran.ended, OperatorEnd::Exited(0), "{ran}");
    });
}

#[test]
fn a_machine_that_starts_again_without_its_configuration_is_given_it_again() {
    play(async |site| {
        site.is(&[("stage", "maintenance"), ("waits", "3"), ("forgets", "1")]);
        let ran = site.bootstrap(&[]).await;
        assert_eq!(ran.ended, OperatorEnd::Exited(0), "{ran}");
        ran.said_in_order(&[
            "The machine started again and has no configuration; applying it again",
            "etcd is healthy",
        ]);
        assert_eq!(site.calls("apply-config"), 2);
    });
}

#[test]
fn each_cause_below_kubernetes_is_told_in_its_own_words() {
    let lookup = "127.0.0.1: user: warning: [2026-11-21T11:21:00.6Z]: level=info msg=fetch failed error=failed to do request: Head \
        \"https://gcr.io/v2/etcd-development/etcd/manifests/v3.6.4\": dial tcp: lookup gcr.io on 10.0.2.3:53: connection refused host=gcr.io\n";
    let registry = "127.0.0.1: user: warning: [2026-11-21T11:21:00.6Z]: [talos] retrying error: failed to pull image \"gcr.io/etcd-development/etcd:v3.6.4\": \
        failed to resolve reference \"gcr.io/etcd-development/etcd:v3.6.4\": failed to do request: Head \"https://gcr.io/v2/\": dial tcp 10.0.2.100:443: connect: no route to host\n";
    let trouble = |state: &[(&'static str, &'static str)], failure, cause| Trouble {
        state: state.to_vec(),
        failure,
        cause,
    };
    let maintenance = "Timed out waiting for Talos maintenance API on ";
    let etcd = "Timed out waiting for etcd on ";
    let stuck = |dmesg| vec![("stage", "maintenance"), ("etcd", "never"), ("dmesg", dmesg)];
    let cases = [
        trouble(&[("stage", "silent")], maintenance, "no answer within 20 s"),
        trouble(&[("stage", "refusing")], maintenance, "connection refused"),
        trouble(
            &[("stage", "configured"), ("authority", "somebody-else")],
            "Failed at signing in to the machine at ",
            "it was configured with other secrets than those of ",
        ),
        trouble(
            &stuck(lookup),
            etcd,
            "lookup gcr.io on 10.0.2.3:53: connection refused. Configure explicit DNS servers",
        ),
        trouble(
            &stuck(registry),
            etcd,
            "dial tcp 10.0.2.100:443: connect: no route to host. Make the registry reachable",
        ),
        trouble(&stuck(""), etcd, "etcd is Preparing: Running pre state"),
    ];
    for Trouble { state, failure, cause } in cases {
        play(async |site| {
            site.is(&state);
            let ran = site.bootstrap(&[]).await;
            assert_eq!(ran.ended, OperatorEnd::Exited(1), "{ran}");
            for told in [failure, cause, "Failure layer: host"] {
                assert!(ran.complaint.contains(told), "nothing like {told:?} in {ran}");
            }
        });
    }
}

#[test]
fn credentials_that_are_there_are_never_written_over() {
    let foreign = "context: other\ncontexts:\n    other:\n        endpoints: []\n        ca: elsewhere\n        crt: AAAA\n        key: BBBB\n";
    play(async |site| {
        let path = site.home.path().join("their-talosconfig");
        fs::write(&path, foreign).expect("a file");
        let named = ["--talosconfig", path.to_str().expect("a path")];
        // A new machine would need secrets that nobody here has.
        site.is(&[("stage", "maintenance")]);
        let ran = site.bootstrap(&named).await;
        assert_eq!(ran.ended, OperatorEnd::Exited(1), "{ran}");
        assert!(ran.complaint.contains("belongs to a machine whose secrets are not in "), "{ran}");
        // A machine that they belong to is used as it is.
        site.is(&[("stage", "configured"), ("authority", "elsewhere")]);
        let ran = site.bootstrap(&named).await;
        assert_eq!(ran.ended, OperatorEnd::Exited(0), "{ran}");
        assert_eq!(site.calls("apply-config"), 0);
        assert_eq!(fs::read_to_string(&path).expect("a file"), foreign);
        // What is none is put aside, and said so.
        site.is(&[("stage", "maintenance")]);
        fs::write(&path, "half a file {").expect("a file");
        let ran = site.bootstrap(&named).await;
        ran.said_in_order(&["is no talosconfig; it was put aside as "]);
        assert_eq!(
            fs::read_to_string(path.with_file_name("their-talosconfig.unreadable")).expect("a file"),
            "half a file {"
        );
    });
}

#[test]
fn what_is_missing_on_this_machine_or_in_the_command_is_told_before_anything_is_done() {
    let run = |arguments: &[&str]| {
        let home = tempfile::tempdir().expect("a place for files");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_appliance"));
        command.arg("bootstrap").args(arguments).arg("--config-dir").arg(home.path().join("config"));
        let output = command.env("APPLIANCE_TALOSCTL", "/nonexistent/talosctl").output().expect("it runs");
        assert!(!home.path().join("config").exists(), "nothing was written");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&[]);
    assert!(code == Some(2) && said.contains("neither a machine nor a cluster was given"), "{said}");
    let (code, said) = run(&["--node-ip", "127.0.0.1"]);
    assert!(
        code == Some(1) && said.contains("run /nonexistent/talosctl") && said.contains("Install talosctl"),
        "{said}"
    );
    let (code, said) = run(&["--node-ip", "127.0.0.1", "--network-mode", "static"]);
    assert!(code == Some(2) && said.contains("--static-address such as"), "{said}");
}

/// What a machine is like, and what the command has to say of it.
struct Trouble {
    state: Vec<(&'static str, &'static str)>,
    failure: &'static str,
    cause: &'static str,
}

/// What the command said and how it ended.
struct Ran {
    ended: OperatorEnd,
    said: String,
    complaint: String,
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}\n{}{}", self.ended, self.said, self.complaint)
    }
}

impl Ran {
    fn said_in_order(&self, texts: &[&str]) {
        let mut rest = self.said.as_str();
        for text in texts {
            let at =
                rest.find(text).unwrap_or_else(|| panic!("nothing like {text:?} in its place in {self}"));
            rest = &rest[at + text.len()..];
        }
    }
}

/// A world whose machine is not installed yet.
struct Site<'a> {
    world: &'a dyn World,
    home: &'a tempfile::TempDir,
    machine: PathBuf,
}

impl Site<'_> {
    /// Makes the machine one like this.
    fn is(&self, state: &[(&str, &str)]) {
        let _ = fs::remove_dir_all(&self.machine);
        fs::create_dir(&self.machine).expect("a folder");
        for (file, text) in state {
            fs::write(self.machine.join(file), text).expect("a file");
        }
    }

    async fn bootstrap(&self, flags: &[&str]) -> Ran {
        let options = BootstrapOptions {
            release: empty::RELEASE.to_owned(),
            profile: empty::PROFILE.to_owned(),
            ceiling: LONGEST,
            arguments: flags.iter().map(|it| (*it).to_owned()).collect(),
            ..BootstrapOptions::default()
        };
        let (lines, mut heard) = mpsc::unbounded_channel();
        let ended = self.world.run_bootstrap(&options, lines).await.expect("it runs");
        let (mut said, mut complaint) = (String::new(), String::new());
        while let Ok(line) = heard.try_recv() {
            let to = if line.stream == Stream::Stderr { &mut complaint } else { &mut said };
            to.push_str(&line.text);
            to.push('\n');
        }
        Ran { ended, said, complaint }
    }

    fn site(&self) -> PathBuf {
        self.home.path().join("config/appliance")
    }

    fn kept(&self, name: &str) -> String {
        fs::read_to_string(self.site().join(name)).expect("a file")
    }

    /// How often the program was called like this.
    fn calls(&self, head: &str) -> usize {
        let calls = fs::read_to_string(self.machine.join("calls")).expect("a file");
        calls.lines().filter(|call| call.starts_with(head)).count()
    }
}

/// Plays in an empty world.
fn play(story: impl AsyncFnOnce(Site<'_>)) {
    let home = tempfile::tempdir().expect("a place for files");
    let machine = home.path().join("machine");
    let text = |path: &Path| path.to_str().expect("a path").to_owned();
    let appliance = PathBuf::from(env!("CARGO_BIN_EXE_appliance"));
    let operator =
        ["sh".to_owned(), OPERATOR.to_owned(), text(&machine), TALOSCTL.to_owned(), text(&appliance)];
    let request = BootRequest { operator_command: Some(operator.into()), ..empty::request(home.path()) };
    let home = &home;
    empty::play(&request, async move |world| story(Site { world, home, machine }).await);
}
