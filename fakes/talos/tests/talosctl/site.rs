//! A machine with a resolver and a registry, and the real program beside it.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use cluster_node::oci::Client;
use cluster_node::{PodNetwork, Resolvers, Wire};
use fake_network::{Authority, DnsConfig, DnsServer, ImageSpec, Registry, RegistryConfig, Zone};
use fake_talos::{Cluster, Disk, Machine, Memory, Parts, Power, Server};
use field_clock::{Clock, FieldRuntime, Options};

use crate::caller::Caller;

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
    pub(crate) caller: Caller,
    _server: Server,
}

impl Deref for Site {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
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
        let (cluster, memory) = (Arc::new(Stub::default()), Memory(4096));
        let parts = Parts { address, clock: clock.clone(), images, resolvers, disks, memory, cluster };
        let machine = Machine::new(parts);
        let server = Server::start(machine.clone(), (address, 50_000).into()).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let power = machine.switch_on();
        Self {
            machine,
            power,
            dns,
            registry,
            caller: Caller { clock, program, home, address },
            _server: server,
        }
    }
}

/// A line for people.
pub(crate) fn say(line: &str) {
    println!("{line}");
}
