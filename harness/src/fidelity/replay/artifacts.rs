//! What a case pushes into the laboratory's registry: directories as Flux artifacts, charts, and artifacts that are broken.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use fake_network::{ArtifactLayer, ArtifactSpec, HelmChart, RegistryControl, tar_gz};
use serde_json::{Value, json};

use super::ReplayError;
use super::flux::REGISTRY;
use super::lab::publish;
use super::steps::{documents, unknown};
use crate::fidelity::case::{Action, Case};

const CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
const LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
/// The versions under which the charts beside the cases are published.
const CHART_VERSIONS: [&str; 2] = ["1.0.0", "1.1.0"];
/// By how much the size of a wrong descriptor differs.
const WRONG_BY: u64 = 7;

type Files = BTreeMap<String, Vec<u8>>;

/// Pushes a directory of the case, as the step says.
pub(super) fn push(case: &Case, push: &Value, registry: &RegistryControl) -> Result<(), ReplayError> {
    let text = |name: &str| push[name].as_str().unwrap_or_default();
    let directory = case.directory.join(text("directory"));
    let packed = files(&directory).and_then(tar_gz).map_err(|error| publish(text("directory"), error))?;
    put(registry, text("repository"), text("tag"), packed).map(drop)
}

/// Pushes something that nobody can use, where the case's next source looks for it.
pub(super) fn push_broken(case: &Case, words: &str, registry: &RegistryControl) -> Result<(), ReplayError> {
    let Some((repository, tag)) = first_source(case) else { return Err(unknown(case, words)) };
    if words.contains("gzip") {
        return put(registry, &repository, &tag, "this is no gzip stream\n".repeat(50).into());
    }
    if words.contains("size") {
        put(registry, &repository, &tag, Bytes::from_static(&[b'x'; 100]))?;
        let wrong = registry.misdescribe(&place(&repository), &tag, WRONG_BY);
        return wrong.map(drop).map_err(|error| publish(&repository, error));
    }
    Err(unknown(case, words))
}

/// Repository and tag of the first OCIRepository that the case applies.
fn first_source(case: &Case) -> Option<(String, String)> {
    case.steps.iter().find_map(|step| {
        let Action::Apply(file) = &step.what else { return None };
        let objects = documents(&fs::read_to_string(file).ok()?, file).ok()?;
        let source = objects.into_iter().find(|object| object["kind"] == "OCIRepository")?;
        let (_, repository) = source["spec"]["url"].as_str()?.strip_prefix("oci://")?.split_once('/')?;
        Some((repository.to_owned(), source["spec"]["ref"]["tag"].as_str().unwrap_or("latest").to_owned()))
    })
}

fn place(repository: &str) -> String {
    format!("{REGISTRY}/{repository}")
}

fn put(registry: &RegistryControl, repository: &str, tag: &str, layer: Bytes) -> Result<(), ReplayError> {
    let annotations = [
        ("created", "2026-01-01T00:00:00Z".to_owned()),
        ("revision", format!("{tag}@sha1:0123456789abcdef0123456789abcdef01234567")),
        ("source", "https://example.com/appliance".to_owned()),
    ];
    let spec = ArtifactSpec {
        artifact_type: None,
        config_media_type: CONFIG.to_owned(),
        config: Bytes::from_static(b"{}"),
        layers: vec![ArtifactLayer::new(LAYER, layer)],
        annotations: annotations
            .map(|(key, value)| (format!("org.opencontainers.image.{key}"), value))
            .into(),
    };
    let pushed = registry.push_artifact(&place(repository), tag, &spec);
    pushed.map(drop).map_err(|error| publish(repository, error))
}

/// Every file below a directory, by its path there.
fn files(directory: &Path) -> io::Result<Files> {
    let mut found = Files::new();
    collect(directory, "", &mut found)?;
    Ok(found)
}

fn collect(directory: &Path, below: &str, found: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// Publishes the charts that lie beside the cases, in the versions in which the recorder did.
pub(super) fn publish_charts(case: &Case, registry: &RegistryControl) -> Result<(), ReplayError> {
    let Some(beside) = case.directory.parent().map(|parent| parent.join("charts")) else { return Ok(()) };
    for entry in fs::read_dir(beside).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
        for version in CHART_VERSIONS {
            publish_chart(&entry.path(), version, registry)?;
        }
    }
    Ok(())
}

fn publish_chart(directory: &Path, version: &str, registry: &RegistryControl) -> Result<(), ReplayError> {
    let shown = directory.display().to_string();
    let (metadata, archive) = pack_chart(directory, version)?;
    let name = metadata["name"].as_str().unwrap_or_default().to_owned();
    let pushed = registry.push_chart(&place(&format!("charts/{name}")), &HelmChart { metadata, archive });
    pushed.map(drop).map_err(|error| publish(&shown, error))
}

/// The archive of a chart beside the cases.
pub(super) fn chart(case: &Case, name: &str, version: &str) -> Option<Bytes> {
    let directory = case.directory.parent()?.join("charts").join(name);
    let known = CHART_VERSIONS.contains(&version) && directory.is_dir();
    known.then(|| pack_chart(&directory, version).ok())?.map(|(_, archive)| archive)
}

/// `Chart.yaml` and the archive of a chart, as `helm package --version` makes it.
fn pack_chart(directory: &Path, version: &str) -> Result<(Value, Bytes), ReplayError> {
    let shown = directory.display().to_string();
    let files = files(directory).map_err(|error| publish(&shown, error))?;
    let about = files.get("Chart.yaml").map(|text| String::from_utf8_lossy(text)).unwrap_or_default();
    let mut metadata = documents(&about, directory)?.into_iter().next().unwrap_or_default();
    metadata["version"] = json!(version);
    let name = metadata["name"].as_str().unwrap_or_default().to_owned();
    // Packed charts hold `Chart.yaml` as it was read, not as it was written; JSON is YAML.
    let packed = files.into_iter().map(|(path, content)| {
        let content = if path == "Chart.yaml" { metadata.to_string().into_bytes() } else { content };
        (format!("{name}/{path}"), content)
    });
    let archive = tar_gz(packed).map_err(|error| publish(&shown, error))?;
    Ok((metadata, archive))
}
