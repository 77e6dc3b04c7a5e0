//! The world outside the appliance: the site's resolver, and the registries of the internet.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use bytes::Bytes;
use cluster_node::Wire;
use fake_network::{
    Authority, DnsConfig, DnsServer, FluxArtifact, HelmChart, ImageSpec, Registry, RegistryConfig, Zone,
    tar_gz,
};
use field_clock::Clock;
use serde::Deserialize;

use super::addresses::{DNS_ACTUAL, DNS_KNOWN, Network, PROXY_PORT, REGISTRY_ACTUAL, REGISTRY_KNOWN};
use super::gateway::Gateway;
use super::images::{self, Image};
use crate::world::WorldError;

/// Every name under which the registry is known.
const HOSTS: [&str; 7] = [
    "ghcr.io",
    "docker.io",
    "registry-1.docker.io",
    "index.docker.io",
    "auth.docker.io",
    "registry.k8s.io",
    "quay.io",
];
/// Resolvers that people name when their own does not answer.
const PUBLIC_RESOLVERS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)), IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8))];
/// Where the appliance's configuration is published.
const CONFIGURATION: &str = "ghcr.io/nine-minds/alga-appliance-config";
/// Where its charts are published.
const CHARTS: &str = "ghcr.io/nine-minds/charts";

/// Resolver and registry, with everything published that a release needs.
pub(super) struct Outside {
    pub(super) dns: DnsServer,
    /// The resolvers that everybody can use.
    public: DnsServer,
    pub(super) registry: Registry,
    pub(super) images: Vec<Image>,
    gateway: Gateway,
    /// What clients of the registry have to trust.
    pub(super) trust: String,
}

impl Outside {
    /// Starts both and publishes the release.
    pub(super) async fn start(
        clock: &Clock,
        network: &Network,
        wire: &Wire,
        release: &str,
    ) -> Result<Self, WorldError> {
        let authority = Authority::new("appliance-smoke registries")?;
        let registry = Registry::start(RegistryConfig {
            clock: clock.clone(),
            listen: (network.registry(), REGISTRY_ACTUAL).into(),
            tls: Some(authority.server(&HOSTS)?),
        })
        .await?;
        let zone = || HOSTS.iter().fold(Zone::new(), |zone, host| zone.with(host, [network.registry()]));
        let listen = (network.resolver(), DNS_ACTUAL).into();
        let dns = DnsServer::start(DnsConfig { clock: clock.clone(), listen, zone: zone() }).await?;
        let listen = (network.public_resolver(), DNS_ACTUAL).into();
        let public = DnsServer::start(DnsConfig { clock: clock.clone(), listen, zone: zone() }).await?;
        for known in PUBLIC_RESOLVERS {
            wire.map((known, DNS_KNOWN).into(), public.address());
        }
        wire.map((network.registry(), REGISTRY_KNOWN).into(), registry.address());
        wire.map((network.resolver(), DNS_KNOWN).into(), dns.address());
        let desk = (network.desk(), PROXY_PORT).into();
        let gateway = Gateway::start(desk, &HOSTS, registry.address()).await?;
        let outside = Self { dns, public, registry, images: images::all()?, gateway, trust: authority.pem() };
        outside.publish(release)?;
        Ok(outside)
    }

    /// What a machine on this site is told of its network: variables that HTTP clients know.
    pub(super) fn environment(&self, trust: &Path) -> [(&'static str, OsString); 3] {
        [
            ("ALL_PROXY", self.gateway.url().into()),
            ("NO_PROXY", "127.0.0.0/8".into()),
            ("SSL_CERT_FILE", trust.into()),
        ]
    }

    /// Whether a client of the registry is the operator's command, which only asks and pulls nothing.
    pub(super) fn is_desk(&self, client: IpAddr) -> bool {
        client == self.gateway.address()
    }

    /// The image that people call so.
    pub(super) fn image(&self, name: &str) -> Option<&Image> {
        self.images.iter().find(|image| image.is_called(name))
    }

    /// Pushes an image, as its publisher would.
    pub(super) fn push(&self, image: &Image) -> Result<(), WorldError> {
        self.registry.control().push_image(image.repository(), image.tag(), &image.spec())?;
        Ok(())
    }

    /// Pushes an image with this many bytes more: one whose transfer can be slow, or break in the middle.
    pub(super) fn push_large(&self, image: &Image, bytes: usize) -> Result<(), WorldError> {
        let spec = ImageSpec { extra_bytes: bytes, ..image.spec() };
        self.registry.control().push_image(image.repository(), image.tag(), &spec)?;
        Ok(())
    }

    fn publish(&self, release: &str) -> Result<(), WorldError> {
        for image in &self.images {
            self.push(image)?;
        }
        self.publish_configuration(release)?;
        self.publish_charts()
    }

    fn publish_configuration(&self, release: &str) -> Result<(), WorldError> {
        let files = fixtures::files("flux/")
            .map(|(path, bytes)| (path.trim_start_matches("flux/").to_owned(), Bytes::from_static(bytes)))
            .collect();
        let artifact =
            FluxArtifact { files, source: format!("https://{CONFIGURATION}"), revision: release.to_owned() };
        self.registry.control().push_flux(CONFIGURATION, release, &artifact)?;
        Ok(())
    }

    fn publish_charts(&self) -> Result<(), WorldError> {
        for (path, metadata) in fixtures::files("charts/").filter(|(path, _)| is_chart(path)) {
            let folder = path.trim_end_matches("Chart.yaml");
            let chart: ChartFile = serde_saphyr::from_slice(metadata)?;
            let files = fixtures::files(folder)
                .map(|(path, bytes)| (format!("{}/{}", chart.name, path.trim_start_matches(folder)), bytes));
            let archive = tar_gz(files)?;
            let metadata = serde_saphyr::from_slice(metadata)?;
            self.registry
                .control()
                .push_chart(&format!("{CHARTS}/{}", chart.name), &HelmChart { metadata, archive })?;
        }
        Ok(())
    }

    /// Ends both.
    pub(super) async fn stop(self) {
        self.gateway.stop();
        self.dns.stop().await;
        self.public.stop().await;
        self.registry.stop().await;
    }
}

#[derive(Deserialize)]
struct ChartFile {
    name: String,
}

/// A chart of ours, not one inside another.
fn is_chart(path: &str) -> bool {
    path.ends_with("/Chart.yaml") && path.matches('/').count() == 2
}
