//! Manifests and descriptors.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a registry says about a thing before it is fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// Media type.
    pub media_type: String,
    /// Digest.
    pub digest: String,
    /// Size in bytes.
    pub size: u64,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// For which machine, in an index.
    pub platform: Option<Platform>,
}

/// A machine that an image is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// Processor.
    pub architecture: String,
    /// Operating system.
    pub os: String,
}

/// An image's or artifact's manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// Media type, where it says so.
    pub media_type: String,
    /// The config blob.
    pub config: Descriptor,
    /// The layers.
    pub layers: Vec<Descriptor>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// An index of manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Index {
    /// What it lists.
    pub manifests: Vec<Descriptor>,
}

impl Index {
    /// The manifest for a 64-bit PC, else the first.
    pub fn choose(&self) -> Option<&Descriptor> {
        let fits = |d: &&Descriptor| {
            d.platform.as_ref().is_some_and(|p| p.os == "linux" && p.architecture == "amd64")
        };
        self.manifests.iter().find(fits).or(self.manifests.first())
    }
}

impl Descriptor {
    /// Whether this is an index.
    pub fn is_index(&self) -> bool {
        self.media_type.contains("image.index") || self.media_type.contains("manifest.list")
    }
}

/// What a client accepts when it asks for a manifest.
pub(super) const ACCEPTED: &str = "application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, */*";
