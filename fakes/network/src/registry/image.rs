//! What can be pushed from within: images, artifacts, Flux sources, Helm charts.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Value, json};

use super::archive::{gzip, noise, tar, tar_gz, tree};
use super::name::Digest;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const IMAGE_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const FLUX_CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
const FLUX_CONTENT: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const HELM_CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// Nothing here has an age, so that the same content has the same digest.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// A container image.
#[derive(Debug, Clone, Default)]
pub struct ImageSpec {
    /// The program.
    pub entrypoint: Vec<String>,
    /// Its arguments.
    pub cmd: Vec<String>,
    /// Its environment, each `NAME=value`.
    pub env: Vec<String>,
    /// Where it starts.
    pub working_dir: String,
    /// The user that it runs as, such as `1000`.
    pub user: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The files, lowest layer first.
    pub layers: Vec<Layer>,
    /// One more layer of this many bytes, to make a pull as long as it should be.
    pub extra_bytes: usize,
}

/// The files of one layer. Clones are packed once for all.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    files: BTreeMap<String, Bytes>,
    links: BTreeMap<String, String>,
    archive: Option<Bytes>,
    packed: Arc<OnceLock<Packed>>,
}

impl Layer {
    /// Content by path.
    #[must_use]
    pub fn new(files: BTreeMap<String, Bytes>) -> Self {
        Self { files, ..Self::default() }
    }

    /// What a tar archive holds, as it is.
    #[must_use]
    pub fn archive(archive: Bytes) -> Self {
        Self { archive: Some(archive), ..Self::default() }
    }

    /// The same files and symbolic links, each a path and where it leads.
    #[must_use]
    pub fn with_links(self, links: BTreeMap<String, String>) -> Self {
        Self { files: self.files, links, ..Self::default() }
    }

    fn packed(&self) -> io::Result<&Packed> {
        if let Some(packed) = self.packed.get() {
            return Ok(packed);
        }
        let packed = match &self.archive {
            Some(archive) => Packed::of(archive)?,
            None => Packed::of(&tree(&self.files, &self.links)?)?,
        };
        Ok(self.packed.get_or_init(|| packed))
    }
}

/// A layer as it travels.
#[derive(Debug, Clone)]
struct Packed {
    /// The digest of what is in it.
    diff_id: Digest,
    bytes: Bytes,
}

impl Packed {
    fn of(archive: &[u8]) -> io::Result<Self> {
        Ok(Self { diff_id: Digest::of(archive), bytes: gzip(archive)?.into() })
    }
}

impl ImageSpec {
    /// An image with this entrypoint and nothing else.
    pub fn program(entrypoint: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { entrypoint: entrypoint.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// Anything that is kept in a registry.
#[derive(Debug, Clone)]
pub struct ArtifactSpec {
    /// What kind of artifact it is, if the manifest says so.
    pub artifact_type: Option<String>,
    /// The media type of the configuration.
    pub config_media_type: String,
    /// The configuration.
    pub config: Bytes,
    /// The content.
    pub layers: Vec<ArtifactLayer>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

/// One piece of an artifact's content.
#[derive(Debug, Clone)]
pub struct ArtifactLayer {
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl ArtifactLayer {
    /// A layer without annotations.
    pub fn new(media_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self { media_type: media_type.to_owned(), bytes: bytes.into(), annotations: BTreeMap::new() }
    }
}

/// A source as `flux push artifact` makes it.
#[derive(Debug, Clone)]
pub struct FluxArtifact {
    /// Content by path.
    pub files: BTreeMap<String, Bytes>,
    /// Where the files come from, such as a repository's URL.
    pub source: String,
    /// Their revision there, such as `1.0-rc5@sha1:…`.
    pub revision: String,
}

/// A chart as `helm push` makes it.
#[derive(Debug, Clone)]
pub struct HelmChart {
    /// `Chart.yaml` as JSON.
    pub metadata: Value,
    /// The packed chart, whose paths begin with the chart's name.
    pub archive: Bytes,
}

/// Blobs and the manifest that names them: what a push brings to a registry.
#[derive(Debug)]
pub struct Package {
    /// The configuration and the layers.
    pub blobs: Vec<Bytes>,
    /// The manifest.
    pub manifest: Bytes,
}

impl Package {
    /// An image; `name` only makes its extra bytes its own.
    ///
    /// # Errors
    /// The files do not fit into an archive.
    pub fn image(name: &str, spec: &ImageSpec) -> io::Result<Self> {
        Ok(pack(&image(name, spec)?))
    }

    /// A Flux source.
    ///
    /// # Errors
    /// The files do not fit into an archive.
    pub fn flux(artifact: &FluxArtifact) -> io::Result<Self> {
        Ok(pack(&flux(artifact)?))
    }

    /// A Helm chart.
    #[must_use]
    pub fn chart(chart: &HelmChart) -> Self {
        pack(&self::chart(chart))
    }
}

impl HelmChart {
    /// The tag under which it is published: its version, with `_` for `+`.
    #[must_use]
    pub fn tag(&self) -> String {
        self.metadata["version"].as_str().unwrap_or_default().replace('+', "_")
    }
}

/// The same specification gives the same bytes; `name` only makes the extra bytes this image's own.
pub(crate) fn image(name: &str, spec: &ImageSpec) -> io::Result<ArtifactSpec> {
    let mut packed = Vec::new();
    for layer in &spec.layers {
        packed.push(layer.packed()?.clone());
    }
    if spec.extra_bytes > 0 {
        packed.push(Packed::of(&tar([("var/lib/extra", noise(name, spec.extra_bytes))])?)?);
    }
    let diff_ids: Vec<&Digest> = packed.iter().map(|layer| &layer.diff_id).collect();
    let history: Vec<Value> =
        diff_ids.iter().map(|_| json!({ "created": CREATED, "created_by": "COPY . /" })).collect();
    let mut config = json!({ "Env": spec.env, "Entrypoint": spec.entrypoint });
    for (key, value) in [
        ("Cmd", json!(spec.cmd)),
        ("WorkingDir", json!(spec.working_dir)),
        ("User", json!(spec.user)),
        ("Labels", json!(spec.labels)),
    ] {
        let empty = [json!([]), json!({}), json!("")].contains(&value);
        if !empty {
            config[key] = value;
        }
    }
    let config = json!({
        "created": CREATED, "architecture": "amd64", "os": "linux", "config": config,
        "rootfs": { "type": "layers", "diff_ids": diff_ids }, "history": history,
    });
    let layers = packed.into_iter().map(|layer| ArtifactLayer::new(IMAGE_LAYER, layer.bytes)).collect();
    Ok(ArtifactSpec {
        artifact_type: None,
        config_media_type: IMAGE_CONFIG.to_owned(),
        config: config.to_string().into(),
        layers,
        annotations: BTreeMap::new(),
    })
}

pub(crate) fn flux(artifact: &FluxArtifact) -> io::Result<ArtifactSpec> {
    let archive = tar(&artifact.files)?;
    let config = json!({
        "architecture": "", "created": CREATED, "history": [{ "created": CREATED }], "os": "",
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&archive)] }, "config": {},
    });
    let annotations = [
        ("org.opencontainers.image.created", CREATED),
        ("org.opencontainers.image.revision", &artifact.revision),
        ("org.opencontainers.image.source", &artifact.source),
    ];
    Ok(ArtifactSpec {
        artifact_type: None,
        config_media_type: FLUX_CONFIG.to_owned(),
        config: config.to_string().into(),
        layers: vec![ArtifactLayer::new(FLUX_CONTENT, tar_gz(&artifact.files)?)],
        annotations: annotations.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    })
}

pub(crate) fn chart(chart: &HelmChart) -> ArtifactSpec {
    let field = |name: &str| chart.metadata[name].as_str().map(str::to_owned);
    let titles = [("title", "name"), ("version", "version"), ("description", "description"), ("url", "home")];
    let mut annotations: BTreeMap<String, String> = titles
        .into_iter()
        .filter_map(|(key, name)| Some((format!("org.opencontainers.image.{key}"), field(name)?)))
        .collect();
    annotations.insert("org.opencontainers.image.created".to_owned(), CREATED.to_owned());
    ArtifactSpec {
        artifact_type: None,
        config_media_type: HELM_CONFIG.to_owned(),
        config: chart.metadata.to_string().into(),
        layers: vec![ArtifactLayer::new(HELM_CHART, chart.archive.clone())],
        annotations,
    }
}

/// The blobs and the manifest of an artifact.
pub(crate) fn pack(spec: &ArtifactSpec) -> Package {
    let descriptor = |media_type: &str, bytes: &Bytes, annotations: &BTreeMap<String, String>| {
        let mut descriptor =
            json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() });
        if !annotations.is_empty() {
            descriptor["annotations"] = json!(annotations);
        }
        descriptor
    };
    let layers: Vec<Value> = spec
        .layers
        .iter()
        .map(|layer| descriptor(&layer.media_type, &layer.bytes, &layer.annotations))
        .collect();
    let mut manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST });
    if let Some(artifact_type) = &spec.artifact_type {
        manifest["artifactType"] = json!(artifact_type);
    }
    manifest["config"] = descriptor(&spec.config_media_type, &spec.config, &BTreeMap::new());
    manifest["layers"] = json!(layers);
    if !spec.annotations.is_empty() {
        manifest["annotations"] = json!(spec.annotations);
    }
    let mut blobs = vec![spec.config.clone()];
    blobs.extend(spec.layers.iter().map(|layer| layer.bytes.clone()));
    Package { blobs, manifest: manifest.to_string().into() }
}
