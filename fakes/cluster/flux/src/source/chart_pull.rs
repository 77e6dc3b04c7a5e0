//! Pulling a chart from an OCI HelmRepository.

use bytes::Bytes;
use cluster_api::{kinds, object};
use serde_json::Value;

use super::pull_error::PullError;
use super::registry::{Conversation, Place, Security};
use super::{Sources, semver};
use crate::render;
use crate::status::observed;

const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// Why there is no chart: the reason and the words of the conditions.
pub(super) struct ChartFailure {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl ChartFailure {
    pub(super) fn pull(message: &str) -> Self {
        Self { reason: "ChartPullError", message: format!("chart pull error: {message}") }
    }
}

/// A chart that was pulled.
pub(super) struct FoundChart {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) content: Bytes,
}

impl Sources {
    /// The chart that the object asks for, or nothing when the one that is kept is still right.
    pub(super) async fn pull_chart(&self, chart: &Value) -> Result<Option<FoundChart>, ChartFailure> {
        let (place, security) = self.place_of(chart)?;
        let wanted = chart["spec"]["version"].as_str().unwrap_or("*");
        let mut registry = self.registry.open_for_chart(&place, security);
        let version = if semver::is_exact(wanted) {
            wanted.to_owned()
        } else {
            let prefix = "failed to get chart version for remote reference";
            let tags = registry.tags().await.map_err(|error| {
                ChartFailure::pull(&format!("{prefix}: could not get tags for \"{}\": {error}", place.name()))
            })?;
            let found = semver::highest(&tags, wanted).map(str::to_owned);
            found.ok_or_else(|| {
                let words = format!("could not locate a version matching provided version string {wanted}");
                ChartFailure::pull(&format!("{prefix}: {words}"))
            })?
        };
        let current = chart["status"]["artifact"]["revision"] == version.as_str()
            && self.is_kept(chart)
            && object::generation(chart) == observed(chart);
        if current {
            return Ok(None);
        }
        let reference = format!("{}:{}", place.name(), version.replace('+', "_"));
        let content = download(&mut registry, &version.replace('+', "_")).await.map_err(|error| {
            let words =
                format!("failed to perform \"FetchReference\" on source: {}", error.as_chart(&reference));
            ChartFailure::pull(&format!(
                "failed to download chart for remote reference: failed to get 'oci://{reference}': {words}"
            ))
        })?;
        let (name, version) = render::identity(&content).map_err(|error| ChartFailure::pull(&error))?;
        Ok(Some(FoundChart { name, version, content }))
    }

    fn place_of(&self, chart: &Value) -> Result<(Place, Security), ChartFailure> {
        let source = &chart["spec"]["sourceRef"];
        let (kind, name) = (
            source["kind"].as_str().unwrap_or("HelmRepository"),
            source["name"].as_str().unwrap_or_default(),
        );
        let unavailable = |words: String| ChartFailure {
            reason: "SourceUnavailable",
            message: format!("failed to get source: {words}"),
        };
        if kind != "HelmRepository" {
            return Err(unavailable(format!("unsupported source kind '{kind}'")));
        }
        let repository = self
            .store
            .get(&kinds::HELM_REPOSITORIES, object::namespace(chart), name)
            .ok_or_else(|| unavailable(format!("{kind}.source.toolkit.fluxcd.io \"{name}\" not found")))?;
        let url = repository["spec"]["url"].as_str().unwrap_or_default();
        let place = Place::of(url).ok_or_else(|| unavailable(format!("unsupported URL '{url}'")))?;
        let place = place.below(chart["spec"]["chart"].as_str().unwrap_or_default());
        Ok((place, Security::of(&repository)))
    }
}

async fn download(registry: &mut Conversation, tag: &str) -> Result<Bytes, PullError> {
    let pulled = registry.manifest(tag).await?;
    let layers = &pulled.manifest.layers;
    let layer = layers.iter().find(|layer| layer.media_type == CHART_LAYER).or(layers.first());
    let layer = layer.ok_or_else(|| PullError::Words("manifest does not contain a layer".to_owned()))?;
    registry.layer(layer).await
}
