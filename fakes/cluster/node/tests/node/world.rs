//! A small world around one node.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use cluster_api::kinds::{EVENTS, PODS};
use cluster_api::tokens::Tokens;
use cluster_api::{Store, object};
use cluster_node::programs::SystemPrograms;
use cluster_node::{
    Addresses, ApiAccess, DEFAULT_MAX_PODS, Node, NodeConfig, PreloadedImage, Resolvers, Wire,
};
use fake_network::{Authority, DnsConfig, DnsServer, ImageSpec, Registry, RegistryConfig, Zone};
use field_clock::{Clock, FieldRuntime, Options};
use serde_json::{Value, json};

use crate::ceiling::{View, guarded};
use crate::stub::Stub;

static NEXT: AtomicU8 = AtomicU8::new(1);

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) node: Node,
    pub(crate) registry: Registry,
    pub(crate) dns: DnsServer,
    pub(crate) stub: Arc<Stub>,
    pub(crate) wire: Wire,
    pub(crate) ip: IpAddr,
    pub(crate) dir: tempfile::TempDir,
}

/// No test needs a tenth of it, on the busiest machine.
pub(crate) const CEILING: Duration = Duration::from_secs(60);

/// Runs a test in a world of its own.
pub(crate) fn in_world<F: Future<Output = ()>>(test: impl FnOnce(World) -> F + Send + 'static) {
    in_world_for(CEILING, test);
}

/// As [`in_world`], for so long of the machine's time at most.
pub(crate) fn in_world_for<F: Future<Output = ()>>(
    most: Duration,
    test: impl FnOnce(World) -> F + Send + 'static,
) {
    guarded(most, move |guard| {
        let runtime = FieldRuntime::start(Options::default()).unwrap();
        let clock = runtime.clock().clone();
        runtime.block_on(async {
            let world = World::start(clock).await;
            guard.shows(world.view());
            tokio::select! {
                biased;
                () = guard.given_up() => {}
                () = test(world) => {}
            }
        });
    });
}

impl World {
    async fn start(clock: Clock) -> Self {
        let third = NEXT.fetch_add(1, Ordering::Relaxed);
        let second = 100 + u8::try_from(std::process::id() % 100).unwrap();
        let base = Ipv4Addr::new(127, second, third, 2);
        let ip = IpAddr::V4(base);
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(clock.clone()).with_service_range(base);
        let outside = IpAddr::V4(Ipv4Addr::new(127, second, third, 3));
        let authority = Authority::new("Test authority").unwrap();
        let tls = authority.server(&["ghcr.io"]).unwrap();
        let registry = Registry::start(RegistryConfig {
            clock: clock.clone(),
            listen: (outside, 0).into(),
            tls: Some(tls),
        })
        .await
        .unwrap();
        let zone = Zone::new().with("ghcr.io", [outside]);
        let dns =
            DnsServer::start(DnsConfig { clock: clock.clone(), listen: (ip, 0).into(), zone }).await.unwrap();
        let wire = Wire::new();
        wire.map((ip, 53).into(), dns.address());
        wire.map((outside, 443).into(), registry.address());
        let resolvers = Resolvers::new(vec![(ip, 53).into()]);
        let stub = Arc::new(Stub::default());
        let volumes = dir.path().join("volumes");
        *stub.system.lock().unwrap() = Some(SystemPrograms {
            store: store.clone(),
            wire: wire.clone(),
            resolvers: resolvers.clone(),
            volumes: volumes.clone(),
        });
        let preloaded =
            ["serve", "sleep", "fail", "done", "oom", "coredns", "local-path-provisioner"].map(|name| {
                PreloadedImage { name: format!("test/{name}:1"), entrypoint: vec![format!("/{name}")] }
            });
        let node = Node::start(NodeConfig {
            store: store.clone(),
            clock: clock.clone(),
            name: "appliance".into(),
            ip,
            addresses: Addresses::around(base),
            max_pods: DEFAULT_MAX_PODS,
            pace: cluster_node::Pace::default(),
            volumes,
            resolvers,
            wire: wire.clone(),
            trust: vec![authority.pem()],
            mirrors: cluster_node::oci::Mirrors::default(),
            runtime: Arc::clone(&stub) as Arc<dyn cluster_node::Runtime>,
            api: ApiAccess { host: ip, port: 6443, ca_pem: authority.pem() },
            tokens: Tokens::new(),
            preloaded: preloaded.to_vec(),
        })
        .unwrap();
        Self { clock, store, node, registry, dns, stub, wire, ip, dir }
    }

    /// Publishes a small image whose program is `/sleep`.
    pub(crate) fn publish(&self, repository: &str, tag: &str, extra_bytes: usize) {
        let spec = ImageSpec { extra_bytes, ..ImageSpec::program(["/sleep"]) };
        self.registry.control().push_image(repository, tag, &spec).unwrap();
    }

    pub(crate) fn create(&self, object: Value) -> Arc<Value> {
        let kind = self
            .store
            .resolve_kind(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap())
            .unwrap();
        self.store.create(&kind.res, object).unwrap()
    }

    /// A pod with one container `app`; `more` is merged into the container.
    pub(crate) fn pod(&self, name: &str, image: &str, more: Value) -> Arc<Value> {
        self.create(pod(name, image, more, json!({})))
    }

    /// Lets field time pass; only for what is not to happen, or for what time itself brings.
    pub(crate) async fn seconds(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// Waits until something in the store is so; fails when it is not after so many seconds of field time.
    pub(crate) async fn until(&self, seconds: u64, what: &str, is_so: impl Fn(&Self) -> bool) {
        let mut changes = self.store.changes();
        let waits = async {
            while !is_so(self) {
                changes.changed().await.unwrap();
            }
        };
        let so = self.clock.timeout(Duration::from_secs(seconds), waits).await;
        assert!(so.is_ok(), "not within {seconds} s: {what}\n{}", self.view());
    }

    pub(crate) async fn until_event(&self, seconds: u64, name: &str, part: &str) {
        self.until(seconds, &format!("an event about {name}: {part}"), |w| w.has_event(name, part)).await;
    }

    pub(crate) async fn until_phase(&self, seconds: u64, pod: &str, phase: &str) {
        self.until(seconds, &format!("{pod} is {phase}"), |w| w.get(pod)["status"]["phase"] == phase).await;
    }

    /// What can be seen of this world from outside.
    pub(crate) fn view(&self) -> View {
        View {
            clock: self.clock.clone(),
            store: self.store.clone(),
            registry: self.registry.control(),
            dns: self.dns.control(),
        }
    }

    pub(crate) fn get(&self, pod: &str) -> Arc<Value> {
        self.store.get(&PODS, "default", pod).unwrap()
    }

    /// `status.containerStatuses[0]`.
    pub(crate) fn container(&self, pod: &str) -> Value {
        self.get(pod)["status"]["containerStatuses"][0].clone()
    }

    pub(crate) fn waiting(&self, pod: &str) -> (String, String) {
        let waiting = self.container(pod)["state"]["waiting"].clone();
        let text = |field: &str| waiting[field].as_str().unwrap_or("").to_owned();
        (text("reason"), text("message"))
    }

    /// `reason ×count: message` of all events about a name.
    pub(crate) fn events(&self, name: &str) -> Vec<String> {
        let events = self.store.list(&EVENTS, None);
        let about = events.iter().filter(|e| e["involvedObject"]["name"] == name);
        about
            .map(|e| {
                format!(
                    "{} ×{}: {}",
                    e["reason"].as_str().unwrap(),
                    e["count"],
                    e["message"].as_str().unwrap()
                )
            })
            .collect()
    }

    pub(crate) fn has_event(&self, name: &str, part: &str) -> bool {
        self.events(name).iter().any(|event| event.contains(part))
    }

    pub(crate) fn condition(&self, pod: &str, kind: &str) -> Value {
        object::condition(&self.get(pod), kind).cloned().unwrap_or_default()
    }

    pub(crate) fn address(&self, port: u16) -> SocketAddr {
        self.wire.actual(SocketAddr::new(self.ip, port))
    }
}

pub(crate) fn pod(name: &str, image: &str, more: Value, spec: Value) -> Value {
    let mut container = json!({"name": "app", "image": image});
    merge(&mut container, more);
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [container]}});
    merge(&mut pod["spec"], spec);
    pod
}

fn merge(into: &mut Value, more: Value) {
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        into[key] = value;
    }
}
