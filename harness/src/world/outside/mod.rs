//! The world outside an appliance, as causes see and change it: what is published, and the ways to resolver and registries.
//!
//! ```text
//!   Outside ── push, publish ──▶ Images ──▶ the registries         images, builds, configuration: what is published in them
//!      │                         Resolver ─▶ the site's resolver   gateway: the way there from the operator's desk
//!      └ Portal: what only some sites have
//! ```
//! Where resolver and registries run is each world's own business.

mod builds;
mod configuration;
pub(super) mod gateway;
mod handles;
mod images;

use std::any::Any;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use fake_network::{FluxArtifact, HelmChart, ImageSpec, Layer, tar_gz};
use serde::Deserialize;

use self::builds::Builds;
pub(super) use self::configuration::{Configuration, Lack};
pub(super) use self::handles::{Images, Resolver};
pub(super) use self::images::Image;
use super::WorldError;

/// Every name under which the registry is known.
pub(super) const HOSTS: [&str; 8] = [
    "ghcr.io",
    "gcr.io",
    "docker.io",
    "registry-1.docker.io",
    "index.docker.io",
    "auth.docker.io",
    "registry.k8s.io",
    "quay.io",
];
/// Where the appliance's configuration is published.
const CONFIGURATION: &str = "ghcr.io/nine-minds/alga-appliance-config";
/// Where its charts are published.
const CHARTS: &str = "ghcr.io/nine-minds/charts";

/// The portal at which guests of a site sign in.
#[async_trait(?Send)]
pub(super) trait Portal {
    /// Opens it, where it answers at once; it is open as long as what keeps it is there.
    async fn open(&self) -> Result<(IpAddr, Box<dyn Any>), WorldError>;
}

/// What a world has outside of its cluster.
pub(super) struct Ways {
    pub(super) resolver: Resolver,
    pub(super) registry: Images,
    /// Where the registry sees the operator's command, which only asks and pulls nothing.
    pub(super) desk: IpAddr,
    pub(super) wares: Arc<Wares>,
    pub(super) portal: Option<Box<dyn Portal>>,
}

/// What is in the images that are published.
#[derive(Default)]
pub(super) struct Wares {
    /// What an image has below its own files, lowest first.
    pub(super) below: Vec<Layer>,
    /// Images that are something of their own, by their reference.
    pub(super) own: BTreeMap<String, ImageSpec>,
}

/// Every image that the appliance pulls, of this release and of others.
pub(super) fn every_image(release: &str) -> Result<Vec<Image>, WorldError> {
    let later = images::of_other_releases(release)?;
    Ok(images::all()?.into_iter().chain(later.into_iter().map(|(_, image)| image)).collect())
}

impl Wares {
    fn of(&self, image: &Image) -> ImageSpec {
        match self.own.get(image.reference()) {
            Some(own) => own.clone(),
            None => ImageSpec { layers: self.below.clone(), ..image.spec() },
        }
    }
}

/// Resolver and registry, with everything published that a release needs.
pub(super) struct Outside {
    ways: Ways,
    pub(super) images: Vec<Image>,
    /// What is wrong with what is published.
    pub(super) builds: Builds,
    /// Those of other releases.
    later: Vec<(String, Image)>,
    /// What the published configuration says otherwise than the fixtures.
    pub(super) configuration: Configuration,
}

impl Outside {
    /// The outside of an appliance of this release; nothing is published yet.
    pub(super) fn new(release: &str, ways: Ways) -> Result<Self, WorldError> {
        Ok(Self {
            ways,
            images: images::all()?,
            builds: Builds::default(),
            later: images::of_other_releases(release)?,
            configuration: Configuration::of(release),
        })
    }

    /// The way to the site's resolver.
    pub(super) fn resolver(&self) -> &Resolver {
        &self.ways.resolver
    }

    /// The way to the registries.
    pub(super) fn registry(&self) -> &Images {
        &self.ways.registry
    }

    /// The portal at which guests sign in, where the site can have one.
    pub(super) fn portal(&self) -> Option<&dyn Portal> {
        self.ways.portal.as_deref()
    }

    /// Whether a client of the registry is the operator's command, which only asks and pulls nothing.
    pub(super) fn is_desk(&self, client: IpAddr) -> bool {
        client == self.ways.desk
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
    pub(super) async fn push(&self, image: &Image) -> Result<(), WorldError> {
        self.push_as(image, self.spec(image)).await
    }

    /// Pushes an image with which nothing is wrong.
    pub(super) async fn push_good(&self, image: &Image) -> Result<(), WorldError> {
        self.builds.mend(image.reference());
        self.push(image).await
    }

    /// Pushes an image with this many bytes more: one whose transfer can be slow, or break in the middle.
    pub(super) async fn push_large(&self, image: &Image, bytes: usize) -> Result<(), WorldError> {
        self.push_as(image, ImageSpec { extra_bytes: bytes, ..self.spec(image) }).await
    }

    async fn push_as(&self, image: &Image, spec: ImageSpec) -> Result<(), WorldError> {
        self.registry().push_image(image.repository(), image.tag(), &spec).await?;
        Ok(())
    }

    /// An image as its publisher builds it at present.
    fn spec(&self, image: &Image) -> ImageSpec {
        let mut spec = self.ways.wares.of(image);
        spec.env.extend(self.builds.environment(image.reference()));
        spec
    }

    /// Publishes everything that this release and the others need.
    pub(super) async fn publish(&self) -> Result<(), WorldError> {
        for image in self.images.iter().chain(self.later.iter().map(|(_, image)| image)) {
            self.push(image).await?;
        }
        self.publish_configuration().await?;
        self.publish_charts().await
    }

    /// Publishes the configuration of every release as it is to be now; those that are withheld stay away.
    pub(super) async fn publish_configuration(&self) -> Result<(), WorldError> {
        let files = self.configuration.files()?;
        for release in self.configuration.published() {
            let (files, source) = (files.clone(), format!("https://{CONFIGURATION}"));
            let artifact = FluxArtifact { files, source, revision: release.clone() };
            let digest = self.registry().push_flux(CONFIGURATION, &release, &artifact).await?;
            self.configuration.pushed(&digest.to_string());
        }
        Ok(())
    }

    /// The reference under which a release's configuration is published.
    pub(super) fn configuration_of(release: &str) -> String {
        format!("{CONFIGURATION}:{release}")
    }

    /// Publishes a chart under another version, with one more template.
    pub(super) async fn publish_other_chart(
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
        self.publish_chart(chart, HelmChart { metadata, archive }).await
    }

    async fn publish_charts(&self) -> Result<(), WorldError> {
        for (path, metadata) in fixtures::files("charts/").filter(|(path, _)| is_chart(path)) {
            let folder = path.trim_end_matches("Chart.yaml");
            let chart: ChartFile = serde_saphyr::from_slice(metadata)?;
            let files = fixtures::files(folder)
                .map(|(path, bytes)| (format!("{}/{}", chart.name, path.trim_start_matches(folder)), bytes));
            let archive = tar_gz(files)?;
            let metadata = serde_saphyr::from_slice(metadata)?;
            self.publish_chart(&chart.name, HelmChart { metadata, archive }).await?;
        }
        Ok(())
    }

    async fn publish_chart(&self, name: &str, chart: HelmChart) -> Result<(), WorldError> {
        self.registry().push_chart(&format!("{CHARTS}/{name}"), &chart).await?;
        Ok(())
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
