//! The laboratory of the recordings, simulated: one node, its default storage class, and a registry beside it.

use std::net::SocketAddr;
use std::path::Path;

use cluster_api::kinds::DEPLOYMENTS;
use cluster_node::oci::{Endpoint, Mirrors, Scheme};
use fake_cluster::{Cluster, ClusterConfig, Pace, PreloadedImage, Resolvers, Wire};
use fake_network::{
    Authority, DnsConfig, DnsEffect, DnsFault, DnsServer, ImageSpec, Registry, RegistryConfig,
    RegistryControl, Zone,
};
use fake_shell::ShellRuntime;
use field_clock::Clock;
use serde_json::Value;

use super::ReplayError;
use super::steps::documents;
use crate::fidelity::case::{Action, Case, Family};
use crate::recording::{Api, ApiError, Kubeconfig};

/// The node of the laboratory.
const NODE: &str = "kindlab-control-plane";
/// Places in the node's network that nobody else has.
const RESOLVER: u8 = 2;
const REGISTRY: u8 = 3;
/// Where name servers are known to be, and where this one is.
const DNS_KNOWN: u16 = 53;
const DNS_ACTUAL: u16 = 5353;
/// Where the laboratory's registry listens on the machine, and where in the cluster.
const MIRROR_PORT: u16 = 5001;
/// Two cores that other work used as well: pods start one after the other.
const LOADED: Pace = Pace { takes: std::time::Duration::from_millis(750), at_once: 1 };
/// The most that the laboratory takes to settle.
const SETTLES_WITHIN: std::time::Duration = std::time::Duration::from_secs(120);
/// What an image weighs there: a Go program, or a small C one.
pub(super) const LARGE: u32 = 13_145_738;
const SMALL: u32 = 1_145_000;

/// A running laboratory.
pub(super) struct Lab {
    pub(super) cluster: Cluster,
    pub(super) dns: DnsServer,
    pub(super) registry: Registry,
    /// The directory of containers; it goes with the laboratory.
    _containers: tempfile::TempDir,
}

impl Lab {
    pub(super) async fn start(case: &Case, seed: u64, clock: &Clock) -> Result<Self, ReplayError> {
        let mut config = ClusterConfig::new(clock).map_err(ReplayError::Room)?;
        let place = config.place.clone().ok_or_else(|| no_room("a cluster without a place"))?;
        let resolver: SocketAddr = (place.host(RESOLVER), DNS_ACTUAL).into();
        let zone = Zone::new();
        let dns = DnsServer::start(DnsConfig { clock: clock.clone(), listen: resolver, zone })
            .await
            .map_err(ReplayError::Room)?;
        let listen = (place.host(REGISTRY), MIRROR_PORT).into();
        let registry = Registry::start(RegistryConfig { clock: clock.clone(), listen, tls: None })
            .await
            .map_err(ReplayError::Room)?;
        let known = SocketAddr::from((place.host(RESOLVER), DNS_KNOWN));
        let wire = Wire::new();
        wire.map(known, dns.address());
        config.node = NODE.to_owned();
        config.seed = seed;
        config.pace = LOADED;
        config.resolvers = Resolvers::new(vec![known]);
        config.wire = wire;
        config.images = images();
        if case.family == Family::Flux {
            config.images.extend(super::flux::images());
        }
        config.trust = vec![Authority::new("nobody").map_err(|e| publish("an authority", e))?.pem()];
        config.mirrors = mirrors(case, registry.address());
        publish_images(case, &registry.control())?;
        let containers = tempfile::Builder::new()
            .prefix("containers-")
            .tempdir_in(place.disk())
            .map_err(ReplayError::Room)?;
        let shell = std::sync::Arc::new(ShellRuntime::new(containers.path()));
        let cluster = Cluster::start(config, shell).await.map_err(ReplayError::Cluster)?;
        let lab = Self { cluster, dns, registry, _containers: containers };
        lab.furnish().await?;
        super::flux::furnish(&lab, case).await?;
        // Nobody asks a question outside: the laboratory's own name server answers none.
        if !is_about_names(case) {
            lab.dns.control().inject(DnsFault::all(DnsEffect::Timeout)).await;
        }
        lab.settle(clock).await;
        Ok(lab)
    }

    /// A client of the cluster.
    pub(super) fn api(&self) -> Result<Api, ReplayError> {
        let kubeconfig = Kubeconfig::parse(&self.cluster.kubeconfig()).map_err(ApiError::from)?;
        Ok(Api::of(&kubeconfig)?)
    }

    /// Waits until everything is up that was there before the recorder came.
    async fn settle(&self, clock: &Clock) {
        let mut changes = self.cluster.store().changes();
        let settled = async {
            loop {
                let open = self.cluster.store().list(&DEPLOYMENTS, None).into_iter().any(|deployment| {
                    let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
                    deployment["status"]["availableReplicas"].as_u64().unwrap_or(0) < wanted
                });
                // Nobody drops the cluster's sender while the cluster is there.
                if !open || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        // A laboratory that does not settle is recorded as it is.
        let _ = clock.timeout(SETTLES_WITHIN, settled).await;
    }

    /// What kind clusters have besides: the default storage class and its provisioner.
    async fn furnish(&self) -> Result<(), ReplayError> {
        let api = self.api()?;
        for object in documents(include_str!("lab.yaml"), Path::new("lab.yaml"))? {
            super::steps::apply(&self.cluster, &api, &object, "default")
                .await
                .map_err(|message| ReplayError::Manifest { file: "lab.yaml".to_owned(), message })?;
        }
        Ok(())
    }

    pub(super) async fn stop(self) {
        self.cluster.stop().await;
        self.dns.stop().await;
        self.registry.stop().await;
    }
}

/// The images that the node has.
fn images() -> Vec<PreloadedImage> {
    let image = |name: &str, entrypoint: &[&str]| PreloadedImage {
        name: name.to_owned(),
        entrypoint: entrypoint.iter().map(|word| (*word).to_owned()).collect(),
    };
    vec![
        image("docker.io/kindest/local-path-provisioner:v0.0.30", &["/local-path-provisioner"]),
        // Made of a file tree without an entry point, and of one program each.
        image("kindlab/busybox:1", &[]),
        image("kindlab/sleeper:1", &["/usr/local/bin/sleeper"]),
        image("kindlab/dialer:2", &["/usr/local/bin/dialer"]),
    ]
}

/// Whether the case is about the names of the internet.
fn is_about_names(case: &Case) -> bool {
    case.causes.iter().any(|cause| cause.fault.starts_with("dns.") && cause.at.is_none())
}

/// A registry in the clear stands for the hosts of the internet, unless the case is about their names.
fn mirrors(case: &Case, registry: SocketAddr) -> Mirrors {
    let mirrors = Mirrors::default();
    if !is_about_names(case) {
        mirrors.set("ghcr.io", Endpoint::with(Scheme::Http, &registry.to_string()));
    }
    if case.family == Family::Flux {
        mirrors.set("registry.test", Endpoint::with(Scheme::Http, &registry.to_string()));
    }
    mirrors
}

/// Every image that the case's pods name exists, except those that the case says do not.
fn publish_images(case: &Case, registry: &RegistryControl) -> Result<(), ReplayError> {
    // A missing tag is one that is not published: the one that is named, or all of them.
    let is_missing = |image: &str| {
        case.causes.iter().filter(|cause| cause.fault == "registry.missing-tag").any(|cause| {
            let named = cause.parameters.get("image").and_then(Value::as_str);
            named.is_none_or(|named| image == named)
        })
    };
    let mut named = Vec::new();
    for step in &case.steps {
        if let Action::Apply(file) = &step.what {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            for document in documents(&text, file)? {
                collect_images(&document, &mut named);
            }
        }
    }
    for image in named.iter().filter(|image| !is_missing(image) && image.starts_with("ghcr.io/")) {
        let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        let small = name.ends_with("/small");
        let spec = ImageSpec {
            entrypoint: ["/bin/sh", "-c", "echo up; exec sleep 2147483647"].map(str::to_owned).to_vec(),
            extra_bytes: (if small { SMALL } else { LARGE }) as usize,
            ..ImageSpec::default()
        };
        // A name that no registry takes cannot be published; whoever pulls it finds out by himself.
        let _ = registry.push_image(name, tag, &spec);
    }
    Ok(())
}

fn collect_images(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(image) if name == "image" => found.push(image.to_owned()),
                    _ => collect_images(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_images(item, found)),
        _ => {}
    }
}

fn no_room(why: &str) -> ReplayError {
    ReplayError::Room(std::io::Error::other(why.to_owned()))
}

pub(super) fn publish(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> ReplayError {
    ReplayError::Publish { what: what.to_owned(), source: Box::new(source) }
}
