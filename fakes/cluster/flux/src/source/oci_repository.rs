//! OCIRepositories: an artifact per digest.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cluster_api::{kinds, object};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::pull_error::PullError;
use super::registry::{Conversation, Place, Pulled, Security};
use super::storage::{NewArtifact, latest_url};
use super::{Begin, Sources, interval, semver};
use crate::status::{Subject, is_requested, is_true, observed};
use crate::work::{Key, Reconciler, Verdict};

pub(super) struct Repositories(pub(super) Arc<Sources>);

/// Why a source has no new artifact: the reason and the words of its conditions.
struct Failure {
    reason: &'static str,
    message: String,
}

impl Failure {
    fn pull(prefix: &str, error: &PullError) -> Self {
        Self { reason: "OCIArtifactPullFailed", message: format!("{prefix}: {error}") }
    }

    fn layer(prefix: &str, error: &dyn std::fmt::Display) -> Self {
        Self { reason: "OCIArtifactLayerOperationFailed", message: format!("{prefix}: {error}") }
    }
}

#[async_trait]
impl Reconciler for Repositories {
    async fn reconcile(&self, key: &Key) -> Verdict {
        let subject = self.0.subject(kinds::OCI_REPOSITORIES, key);
        match self.0.begin(&subject) {
            Begin::End(verdict) => verdict,
            Begin::GoOn(source) => self.fetch(&subject, &source).await,
        }
    }
}

impl Repositories {
    async fn fetch(&self, subject: &Subject, source: &Value) -> Verdict {
        let generation = object::generation(source);
        if generation == observed(source) && is_requested(source) {
            subject.write(|status| status.reconciling("Progressing", "reconciliation in progress"));
        }
        if generation != observed(source) {
            let message = format!("processing object: new generation {} -> {generation}", observed(source));
            subject.write(|status| {
                status.reconciling("Progressing", &message);
                if status.condition("Ready").is_none() {
                    status.set("Ready", "Unknown", "Progressing", &message);
                }
            });
        }
        if !self.0.is_kept(source) {
            let gone = source["status"]["artifact"].is_object();
            let message =
                if gone { "building artifact: disappeared from storage" } else { "building artifact" };
            subject.write(|status| {
                status.reconciling("Progressing", message);
                status.set("Ready", "Unknown", "Progressing", message);
                status.drop(&["ArtifactInStorage"]);
            });
        }
        crate::pace::spend(&self.0.clock, 40, &subject.name).await;
        let timeout = crate::duration::field(&source["spec"]["timeout"]).unwrap_or(Duration::from_secs(60));
        match self.pull(subject, source, timeout).await {
            Ok(artifact) => {
                self.succeed(subject, source, artifact);
                Verdict::After(interval(source))
            }
            Err(failure) => {
                self.fail(subject, source, &failure);
                Verdict::Retry
            }
        }
    }

    /// The new artifact, or nothing when the old one is still right.
    async fn pull(
        &self,
        subject: &Subject,
        source: &Value,
        timeout: Duration,
    ) -> Result<Option<Value>, Failure> {
        let url = source["spec"]["url"].as_str().unwrap_or_default();
        let place = Place::of(url).ok_or_else(|| Failure {
            reason: "URLInvalid",
            message: format!("URL must be in format 'oci://<domain>/<org>/<repo>', got '{url}'"),
        })?;
        let mut registry = self.0.registry.open(&place);
        let pulled_from =
            |error: PullError| Failure::pull(&format!("failed to pull artifact from '{url}'"), &error);
        let (target, revision, shown) = self.resolve(&mut registry, source, &place).await?;
        let up_to_date = source["status"]["artifact"]["revision"] == revision.as_str()
            && self.0.is_kept(source)
            && object::generation(source) == observed(source);
        if up_to_date {
            return Ok(None);
        }
        let message = format!("building artifact: new revision '{revision}' for '{shown}'");
        subject.write(|status| {
            status.reconciling("Progressing", &message);
            status.set("Ready", "Unknown", "Progressing", &message);
            let outdated = status.get("artifact")["revision"].as_str().is_some_and(|old| old != revision);
            if outdated {
                let message = format!("new revision '{revision}' for '{shown}'");
                status.set("ArtifactOutdated", "True", "NewRevision", &message);
            }
        });
        crate::pace::spend(&self.0.clock, 28, &subject.name).await;
        let download = async {
            let pulled = registry.manifest(&target).await.map_err(pulled_from)?;
            let content = self.layer(&mut registry, source, &pulled).await?;
            Ok((pulled, content))
        };
        // Only the download has to keep the source's timeout; who cannot be reached is tried for as long as it takes.
        let (pulled, content) = match self.0.clock.timeout(timeout, download).await {
            Ok(outcome) => outcome?,
            Err(_) => return Err(pulled_from(PullError::Timeout)),
        };
        let metadata = json!(pulled.manifest.annotations);
        let file = format!("{}.tar.gz", pulled.digest);
        Ok(Some(self.0.keep(source, NewArtifact { file, revision, content, metadata })))
    }

    /// What to pull, the revision it makes, and the name it goes by.
    async fn resolve(
        &self,
        registry: &mut Conversation,
        source: &Value,
        place: &Place,
    ) -> Result<(String, String, String), Failure> {
        let reference = &source["spec"]["ref"];
        if let Some(digest) = reference["digest"].as_str() {
            return Ok((digest.to_owned(), digest.to_owned(), format!("{}@{digest}", place.name())));
        }
        let undetermined = |error: PullError| Failure::pull("failed to determine artifact digest", &error);
        registry.greet(Security::of(source)).await.map_err(undetermined)?;
        let tag = match reference["semver"].as_str() {
            Some(range) => {
                let unlisted = |error: PullError| Failure::pull("failed to determine artifact tag", &error);
                let tags = registry.tags().await.map_err(unlisted)?;
                let tag = semver::highest(&tags, range).map(str::to_owned);
                tag.ok_or_else(|| Failure {
                    reason: "OCIArtifactPullFailed",
                    message: format!("failed to determine artifact tag: no match found for semver: {range}"),
                })?
            }
            None => reference["tag"].as_str().unwrap_or("latest").to_owned(),
        };
        let digest = registry.digest_of(&tag).await.map_err(undetermined)?;
        let shown = format!("{}:{tag}", place.name());
        Ok((digest.clone(), format!("{tag}@{digest}"), shown))
    }

    async fn layer(
        &self,
        registry: &mut Conversation,
        source: &Value,
        pulled: &Pulled,
    ) -> Result<Bytes, Failure> {
        let selector = &source["spec"]["layerSelector"];
        let wanted = selector["mediaType"].as_str();
        let layers = &pulled.manifest.layers;
        let layer = match wanted {
            Some(media_type) => layers.iter().find(|layer| layer.media_type == media_type),
            None => layers.first(),
        };
        let Some(layer) = layer else {
            let words = match wanted {
                Some(media_type) => {
                    format!("failed to find layer with media type '{media_type}' in artifact")
                }
                None => "no layers found in artifact".to_owned(),
            };
            return Err(Failure { reason: "OCIArtifactLayerOperationFailed", message: words });
        };
        let content = registry
            .layer(layer)
            .await
            .map_err(|error| Failure::layer("failed to extract the first layer from artifact", &error))?;
        if selector["operation"] != "copy" {
            check_archive(&content)
                .map_err(|error| Failure::layer("failed to extract layer contents from artifact", &error))?;
        }
        Ok(content)
    }

    fn succeed(&self, subject: &Subject, source: &Value, artifact: Option<Value>) {
        let failed = is_true(source, "FetchFailed");
        let stored = artifact.as_ref().unwrap_or(&source["status"]["artifact"]);
        let revision = stored["revision"].as_str().unwrap_or_default();
        if artifact.is_none() {
            let message = format!("artifact up-to-date with remote revision: '{revision}'");
            self.0.events.normal(source, "ArtifactUpToDate", &message);
            self.0.log.info(&subject.namespace, &subject.name, &message);
        }
        if artifact.is_some() || failed {
            let reason = if artifact.is_some() { "NewArtifact" } else { "Succeeded" };
            let message = stored_text(source, stored);
            self.0.events.normal(source, reason, &message);
            self.0.log.info(&subject.namespace, &subject.name, &message);
        }
        if artifact.is_none() && is_true(source, "Ready") && !is_requested(source) {
            return;
        }
        subject.write(|status| {
            if let Some(artifact) = artifact {
                status.field("artifact", artifact);
            }
            let revision = status.get("artifact")["revision"].as_str().unwrap_or_default();
            let message = format!("stored artifact for digest '{revision}'");
            status.drop(&["Reconciling", "Stalled", "FetchFailed", "ArtifactOutdated"]);
            status.set("ArtifactInStorage", "True", "Succeeded", &message);
            status.set("Ready", "True", "Succeeded", &message);
            status.field("url", latest_url(source));
            status.observe();
            status.handled();
        });
    }

    fn fail(&self, subject: &Subject, source: &Value, failure: &Failure) {
        let Failure { reason, message } = failure;
        self.0.events.warning(source, reason, message);
        self.0.log.error(&subject.namespace, &subject.name, message);
        subject.write(|status| {
            if status.condition("Reconciling").is_none() {
                status.reconciling("ProgressingWithRetry", "reconciliation in progress");
            }
            status.with_retry();
            status.set("FetchFailed", "True", reason, message);
            status.set("Ready", "False", reason, message);
            status.handled();
        });
    }
}

/// What was stored, and where it comes from.
fn stored_text(source: &Value, artifact: &Value) -> String {
    let revision = artifact["revision"].as_str().unwrap_or_default();
    let url = source["spec"]["url"].as_str().unwrap_or_default();
    let mut message = format!("stored artifact with revision '{revision}' from '{url}'");
    for (label, annotation) in [("source", "source"), ("revision", "revision")] {
        let key = format!("org.opencontainers.image.{annotation}");
        if let Some(origin) = artifact["metadata"][key.as_str()].as_str() {
            message += &format!(", origin {label} '{origin}'");
        }
    }
    message
}

/// Whether the bytes are a gzipped tar archive, in Go's words.
fn check_archive(content: &[u8]) -> Result<(), String> {
    let mut unpacked = Vec::new();
    GzDecoder::new(content)
        .read_to_end(&mut unpacked)
        .map_err(|_| "requires gzip-compressed body: gzip: invalid header".to_owned())?;
    let mut archive = tar::Archive::new(unpacked.as_slice());
    let entries = archive.entries().map_err(|error| format!("tar error: {error}"))?;
    for entry in entries {
        entry.map_err(|error| format!("tar error: {error}"))?;
    }
    Ok(())
}
