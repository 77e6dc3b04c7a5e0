//! A machine with a resolver and a registry, and the real program beside it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use cluster_node::oci::Client;
use cluster_node::{PodNetwork, Resolvers, Wire};
use fake_network::{Authority, DnsConfig, DnsServer, ImageSpec, Registry, RegistryConfig, Zone};
use fake_talos::{Cluster, Disk, Machine, Parts, Power, Server};
use field_clock::{Clock, FieldRuntime, Options};

static NEXT: AtomicU8 = AtomicU8::new(1);
/// In field time; nothing that is waited for takes longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// A cluster that is there or not, and nothing else.
#[derive(Default)]
pub(crate) struct Stub(AtomicBool);

impl Cluster for Stub {
    fn start(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn stop(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn kubeconfig(&self) -> String {
        "kind: Config\n".to_owned()
    }

    fn unready(&self) -> Option<String> {
        let there = self.0.load(Ordering::Relaxed);
        (!there).then(|| "node \"talos\" status is not available yet".to_owned())
    }
}

/// A machine with a resolver and a registry, and the real program beside it.
pub(crate) struct Site {
    pub(crate) machine: Machine,
    pub(crate) power: Power,
    pub(crate) dns: DnsServer,
    pub(crate) registry: Registry,
    pub(crate) home: tempfile::TempDir,
    clock: Clock,
    program: PathBuf,
    server: Server,
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

/// Plays with a machine that has been switched on.
pub(crate) fn play(program: &Path, story: impl AsyncFnOnce(Site)) {
    let runtime = FieldRuntime::start(Options::default()).unwrap();
    let clock = runtime.clock().clone();
    runtime.block_on(async {
        let site = Site::start(clock.clone(), program.to_owned()).await;
        clock.timeout(LONGEST, story(site)).await.expect("it ends");
    });
}

impl Site {
    async fn start(clock: Clock, program: PathBuf) -> Self {
        let third = NEXT.fetch_add(1, Ordering::Relaxed);
        let second = 100 + u8::try_from(std::process::id() % 100).unwrap();
        let at = |last| IpAddr::V4(Ipv4Addr::new(127, second, third, last));
        let (address, resolver, outside) = (at(1), at(2), at(3));
        let authority = Authority::new("Test authority").unwrap();
        let tls = authority.server(&["ghcr.io", "gcr.io"]).unwrap();
        let listen = (outside, 0).into();
        let registry =
            Registry::start(RegistryConfig { clock: clock.clone(), listen, tls: Some(tls) }).await.unwrap();
        for (repository, tag) in [
            ("ghcr.io/siderolabs/installer", "v1.11.0"),
            ("ghcr.io/siderolabs/kubelet", "v1.34.0"),
            ("gcr.io/etcd-development/etcd", "v3.6.4"),
        ] {
            registry.control().push_image(repository, tag, &ImageSpec::program(["/it"])).unwrap();
        }
        let zone = Zone::new().with("ghcr.io", [outside]).with("gcr.io", [outside]);
        let listen = (resolver, 0).into();
        let dns = DnsServer::start(DnsConfig { clock: clock.clone(), listen, zone }).await.unwrap();
        let wire = Wire::new();
        wire.map((resolver, 53).into(), dns.address());
        wire.map((outside, 443).into(), registry.address());
        let resolvers = Resolvers::new(vec![(resolver, 53).into()]);
        let network = PodNetwork::of_node(clock.clone(), wire, address, resolvers.clone());
        let images = Client::new(network, &[authority.pem()]).unwrap();
        let disks = vec![Disk { path: "/dev/vda".to_owned(), size: 10 << 30 }];
        let cluster = Arc::new(Stub::default());
        let machine =
            Machine::new(Parts { address, clock: clock.clone(), images, resolvers, disks, cluster });
        let server = Server::start(machine.clone(), (address, 50_000).into()).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let power = machine.switch_on();
        Self { machine, power, dns, registry, home, clock, program, server }
    }

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
        let address = self.server.address().ip().to_string();
        self.run(&[arguments, &["--nodes", &address, "--insecure"]].concat()).await
    }

    /// Calls the machine with credentials of this name.
    pub(crate) async fn with(&self, credentials: &str, arguments: &[&str]) -> Ran {
        let (address, path) = (self.server.address().ip().to_string(), self.path(credentials));
        let whom = ["--nodes", &address, "--endpoints", &address, "--talosconfig", &path];
        self.run(&[arguments, &whom[..]].concat()).await
    }

    /// Makes secrets, credentials and a configuration of this name.
    pub(crate) async fn generate(&self, name: &str) {
        let secrets = self.path(&format!("{name}-secrets.yaml"));
        self.run(&["gen", "secrets", "--output-file", &secrets]).await.well();
        let address = self.server.address().ip().to_string();
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

/// A line for people.
pub(crate) fn say(line: &str) {
    println!("{line}");
}
