//! The world outside the appliance: the site's resolver, and the registries of the internet.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use cluster_node::Wire;
use fake_network::{
    Authority, DnsConfig, DnsServer, FluxArtifact, HelmChart, ImageSpec, Registry, RegistryConfig, Zone,
    tar_gz,
};
use field_clock::Clock;
use serde::Deserialize;

use super::addresses::{DNS_ACTUAL, DNS_KNOWN, Network, PROXY_PORT, REGISTRY_ACTUAL, REGISTRY_KNOWN};
use super::builds::Builds;
use super::configuration::Configuration;
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
/// Names of the site itself, which its resolver knows without asking anybody.
const GATEWAY: &str = "gateway.home.arpa";
const PORTAL: &str = "portal.home.arpa";
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
    /// What is wrong with what is published.
    pub(super) builds: Builds,
    /// Those of other releases.
    later: Vec<(String, Image)>,
    /// What the published configuration says otherwise than the fixtures.
    pub(super) configuration: Configuration,
    gateway: Gateway,
    /// Where a portal of the site would be.
    portal: IpAddr,
    clock: Clock,
    wire: Wire,
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
        let site = zone().with_own(GATEWAY, [network.resolver()]).with_own(PORTAL, [network.portal()]);
        let dns = DnsServer::start(DnsConfig { clock: clock.clone(), listen, zone: site }).await?;
        let listen = (network.public_resolver(), DNS_ACTUAL).into();
        let public = DnsServer::start(DnsConfig { clock: clock.clone(), listen, zone: zone() }).await?;
        for known in PUBLIC_RESOLVERS {
            wire.map((known, DNS_KNOWN).into(), public.address());
        }
        wire.map((network.registry(), REGISTRY_KNOWN).into(), registry.address());
        wire.map((network.resolver(), DNS_KNOWN).into(), dns.address());
        let desk = (network.desk(), PROXY_PORT).into();
        let gateway = Gateway::start(desk, &HOSTS, registry.address()).await?;
        let outside = Self {
            dns,
            public,
            registry,
            images: images::all()?,
            builds: Builds::default(),
            later: images::of_other_releases(release)?,
            configuration: Configuration::of(release),
            gateway,
            portal: network.portal(),
            clock: clock.clone(),
            wire: wire.clone(),
            trust: authority.pem(),
        };
        outside.publish()?;
        Ok(outside)
    }

    /// What a machine on this site is told of its network: variables that HTTP clients know.
    pub(super) fn environment(&self, trust: &Path) -> [(&'static str, OsString); 4] {
        [
            ("ALL_PROXY", self.gateway.url().into()),
            ("NO_PROXY", "127.0.0.0/8".into()),
            ("SSL_CERT_FILE", trust.join("registries.pem").into()),
            // Whom this machine trusts is no matter of the world's.
            ("SSL_CERT_DIR", trust.into()),
        ]
    }

    /// Opens the portal at which guests of the site sign in: a web server with a certificate of its own making.
    pub(super) async fn open_portal(&self) -> Result<(IpAddr, Registry), WorldError> {
        let portal = Registry::start(RegistryConfig {
            clock: self.clock.clone(),
            listen: (self.portal, REGISTRY_ACTUAL).into(),
            tls: Some(Authority::new("guest portal")?.server(&[PORTAL])?),
        })
        .await?;
        self.wire.map((self.portal, REGISTRY_KNOWN).into(), portal.address());
        Ok((self.portal, portal))
    }

    /// Whether a client of the registry is the operator's command, which only asks and pulls nothing.
    pub(super) fn is_desk(&self, client: IpAddr) -> bool {
        client == self.gateway.address()
    }

    /// The image that people call so.
    pub(super) fn image(&self, name: &str) -> Option<&Image> {
        self.images.iter().find(|image| image.is_called(name))
    }

    /// The image that people call so, as another release of the appliance names it; the same one where nothing differs.
    pub(super) fn image_of(&self, name: &str, release: &str) -> Option<&Image> {
        let mut later = self.later.iter().filter(|(of, image)| of == release && image.is_called(name));
        later.next().map(|(_, image)| image).or_else(|| self.image(name))
    }

    /// Pushes an image, as its publisher would.
    pub(super) fn push(&self, image: &Image) -> Result<(), WorldError> {
        self.registry.control().push_image(image.repository(), image.tag(), &self.spec(image))?;
        Ok(())
    }

    /// Pushes an image with which nothing is wrong.
    pub(super) fn push_good(&self, image: &Image) -> Result<(), WorldError> {
        self.builds.mend(image.reference());
        self.push(image)
    }

    /// An image as its publisher builds it at present.
    fn spec(&self, image: &Image) -> ImageSpec {
        let mut spec = image.spec();
        spec.env.extend(self.builds.environment(image.reference()));
        spec
    }

    /// Pushes an image with this many bytes more: one whose transfer can be slow, or break in the middle.
    pub(super) fn push_large(&self, image: &Image, bytes: usize) -> Result<(), WorldError> {
        let spec = ImageSpec { extra_bytes: bytes, ..self.spec(image) };
        self.registry.control().push_image(image.repository(), image.tag(), &spec)?;
        Ok(())
    }

    fn publish(&self) -> Result<(), WorldError> {
        for image in self.images.iter().chain(self.later.iter().map(|(_, image)| image)) {
            self.push(image)?;
        }
        self.publish_configuration()?;
        self.publish_charts()
    }

    /// Publishes the configuration of every release as it is to be now; those that are withheld stay away.
    pub(super) fn publish_configuration(&self) -> Result<(), WorldError> {
        let files = self.configuration.files()?;
        for release in self.configuration.published() {
            let (files, source) = (files.clone(), format!("https://{CONFIGURATION}"));
            let artifact = FluxArtifact { files, source, revision: release.clone() };
            let digest = self.registry.control().push_flux(CONFIGURATION, &release, &artifact)?;
            self.configuration.pushed(&digest.to_string());
        }
        Ok(())
    }

    /// The reference under which a release's configuration is published.
    pub(super) fn configuration_of(release: &str) -> String {
        format!("{CONFIGURATION}:{release}")
    }

    /// Publishes a chart under another version, with one more template.
    pub(super) fn publish_other_chart(
        &self,
        chart: &str,
        version: &str,
        template: &str,
    ) -> Result<(), WorldError> {
        let folder = format!("charts/{chart}/");
        let metadata = fixtures::file(&format!("{folder}Chart.yaml")).unwrap_or_default();
        let mut metadata: serde_json::Value = serde_saphyr::from_slice(metadata)?;
        metadata["version"] = version.into();
        let files = fixtures::files(&folder).filter(|(path, _)| !is_chart(path));
        let files =
            files.map(|(path, bytes)| (path.trim_start_matches("charts/").to_owned(), bytes.to_vec()));
        // JSON is YAML.
        let own = [
            (format!("{chart}/Chart.yaml"), serde_json::to_vec(&metadata)?),
            (format!("{chart}/templates/extra.yaml"), template.as_bytes().to_vec()),
        ];
        let archive = tar_gz(files.chain(own))?;
        self.registry.control().push_chart(&format!("{CHARTS}/{chart}"), &HelmChart { metadata, archive })?;
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
