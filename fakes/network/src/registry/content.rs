//! Content that is put in and taken out from within, past the network.

use std::io;

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::control::RegistryControl;
use super::image::{self, ArtifactSpec, FluxArtifact, HelmChart, ImageSpec, Package};
use super::name::{self, Digest, InvalidReference, Repository};
use super::store::Manifest;

/// Content could not be put in or taken out.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// A name is none.
    #[error("name content in the registry")]
    Name(#[from] InvalidReference),
    /// The tag does not exist.
    #[error("no tag {tag} in {repository}")]
    NoTag {
        /// Where it was looked for.
        repository: String,
        /// What was looked for.
        tag: String,
    },
    /// The files do not fit into an archive.
    #[error("pack {image}")]
    Pack {
        /// For which image.
        image: String,
        /// Why not.
        source: io::Error,
    },
    /// The manifest is no manifest.
    #[error("read the manifest of {image}")]
    Manifest {
        /// Of which image.
        image: String,
        /// Why not.
        source: serde_json::Error,
    },
}

/// A tag that was taken out; put it back with [`RegistryControl::restore_tag`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemovedTag {
    repository: String,
    tag: String,
    digest: Digest,
}

impl RemovedTag {
    /// The repository, with its host.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag's name.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// What it stood for.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(crate) fn new(repository: &Repository, tag: &str, digest: Digest) -> Self {
        Self { repository: repository.to_string(), tag: tag.to_owned(), digest }
    }

    pub(crate) fn is(&self, repository: &Repository, tag: &str) -> bool {
        self.tag == tag && self.repository == repository.to_string()
    }
}

/// Repositories are written `host/path`; `docker.io/redis` means `docker.io/library/redis`.
impl RegistryControl {
    /// Puts an image in under a tag. The same specification gives the same digest.
    ///
    /// # Errors
    /// A name is none, or the files do not fit into an archive.
    pub fn push_image(&self, repository: &str, tag: &str, spec: &ImageSpec) -> Result<Digest, RegistryError> {
        let packed = image::image(repository, spec);
        let spec =
            packed.map_err(|source| RegistryError::Pack { image: format!("{repository}:{tag}"), source })?;
        self.push_artifact(repository, tag, &spec)
    }

    /// Puts any artifact in under a tag.
    ///
    /// # Errors
    /// A name is none.
    pub fn push_artifact(
        &self,
        repository: &str,
        tag: &str,
        spec: &ArtifactSpec,
    ) -> Result<Digest, RegistryError> {
        self.push_package(repository, tag, image::pack(spec))
    }

    /// Puts a Flux source in under a tag.
    ///
    /// # Errors
    /// A name is none, or the files do not fit into an archive.
    pub fn push_flux(
        &self,
        repository: &str,
        tag: &str,
        artifact: &FluxArtifact,
    ) -> Result<Digest, RegistryError> {
        let packed = image::flux(artifact);
        let spec =
            packed.map_err(|source| RegistryError::Pack { image: format!("{repository}:{tag}"), source })?;
        self.push_artifact(repository, tag, &spec)
    }

    /// Puts a Helm chart in; the repository ends with the chart's name, and its version (`+` as `_`) is the tag.
    ///
    /// # Errors
    /// The repository's or the version's name is none.
    pub fn push_chart(&self, repository: &str, chart: &HelmChart) -> Result<Digest, RegistryError> {
        self.push_package(repository, &chart.tag(), Package::chart(chart))
    }

    /// Whether a tag exists.
    #[must_use]
    pub fn tag_exists(&self, repository: &str, tag: &str) -> bool {
        self.tag_digest(repository, tag).is_some()
    }

    /// What a tag stands for.
    #[must_use]
    pub fn tag_digest(&self, repository: &str, tag: &str) -> Option<Digest> {
        let repository = Repository::parse(repository).ok()?;
        self.shared().said().store.tag(&repository, tag).cloned()
    }

    /// Every tag of every repository, as `host/path:tag`.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        let said = self.shared().said();
        said.store.all_tags().map(|(repository, tag, _)| format!("{repository}:{tag}")).collect()
    }

    /// Takes a tag out; its content stays and can be had by digest, as in a real registry.
    ///
    /// # Errors
    /// There is no such tag.
    pub fn remove_tag(&self, repository: &str, tag: &str) -> Result<RemovedTag, RegistryError> {
        let repository = Repository::parse(repository)?;
        let removed = self.shared().said().store.remove_tag(&repository, tag);
        let digest = removed.ok_or_else(|| no_tag(&repository, tag))?;
        Ok(RemovedTag::new(&repository, tag, digest))
    }

    /// Puts a tag back, as publishing it again would; what the tag stands for meanwhile is overwritten.
    ///
    /// # Errors
    /// The repository's name is none, which cannot be of a tag that was removed.
    pub fn restore_tag(&self, removed: &RemovedTag) -> Result<(), RegistryError> {
        let repository = Repository::parse(&removed.repository)?;
        self.shared().said().store.set_tag(&repository, &removed.tag, removed.digest.clone());
        Ok(())
    }

    /// Publishes what one tag stands for under another one of the same repository.
    ///
    /// # Errors
    /// There is no such tag, or the new name is none.
    pub fn copy_tag(&self, repository: &str, from: &str, to: &str) -> Result<Digest, RegistryError> {
        let (repository, to) = (Repository::parse(repository)?, name::tag(to)?);
        let store = &mut self.shared().said().store;
        let digest = store.tag(&repository, from).cloned().ok_or_else(|| no_tag(&repository, from))?;
        store.set_tag(&repository, &to, digest.clone());
        Ok(digest)
    }

    /// Publishes what a tag stands for again, with descriptors of layers whose sizes are wrong by so many bytes.
    ///
    /// # Errors
    /// There is no such tag.
    pub fn misdescribe(&self, repository: &str, tag: &str, by: u64) -> Result<Digest, RegistryError> {
        let repository = Repository::parse(repository)?;
        let store = &mut self.shared().said().store;
        let (_, found) = store.manifest(&repository, tag).ok_or_else(|| no_tag(&repository, tag))?;
        let wrong = |source| RegistryError::Manifest { image: format!("{repository}:{tag}"), source };
        let mut manifest: Value = serde_json::from_slice(&found.bytes).map_err(wrong)?;
        for layer in manifest["layers"].as_array_mut().into_iter().flatten() {
            layer["size"] = (layer["size"].as_u64().unwrap_or(0) + by).into();
        }
        let manifest = Manifest::read(image::MANIFEST, manifest.to_string().into()).map_err(wrong)?;
        let digest = store.put_manifest(&repository, manifest);
        store.set_tag(&repository, tag, digest.clone());
        Ok(digest)
    }

    /// Puts what is packed already in under a tag.
    ///
    /// # Errors
    /// A name is none, or the manifest is no manifest.
    pub fn push_package(
        &self,
        repository: &str,
        tag: &str,
        package: Package,
    ) -> Result<Digest, RegistryError> {
        let (repository, tag) = (Repository::parse(repository)?, name::tag(tag)?);
        let manifest = Manifest::read(image::MANIFEST, package.manifest)
            .map_err(|source| RegistryError::Manifest { image: format!("{repository}:{tag}"), source })?;
        let store = &mut self.shared().said().store;
        for blob in package.blobs {
            store.put_blob(&repository, blob);
        }
        let digest = store.put_manifest(&repository, manifest);
        store.set_tag(&repository, &tag, digest.clone());
        Ok(digest)
    }
}

fn no_tag(repository: &Repository, tag: &str) -> RegistryError {
    RegistryError::NoTag { repository: repository.to_string(), tag: tag.to_owned() }
}
