//! Charts: reading them, and rendering them. The only place that knows the chart renderer.

use std::collections::BTreeMap;
use std::io::Read;

use cluster_api::{Store, object};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::yaml;

/// What a release is rendered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    Install,
    Upgrade,
}

/// A manifest that is made at a certain moment, and not kept with the release.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hook {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) path: String,
    /// `pre-install` and the like.
    pub(crate) events: Vec<String>,
    pub(crate) weight: i64,
    pub(crate) policies: Vec<String>,
    pub(crate) manifest: String,
}

impl Hook {
    /// The hook that a manifest with the annotation `helm.sh/hook` is.
    pub(crate) fn of(object: &Value, path: &str, manifest: &str) -> Option<Self> {
        let list = |name: &str| -> Vec<String> {
            let text = object::annotation(object, name).unwrap_or_default();
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let events = list("helm.sh/hook");
        (!events.is_empty()).then(|| Self {
            name: object::name(object).to_owned(),
            kind: object["kind"].as_str().unwrap_or_default().to_owned(),
            path: path.to_owned(),
            events,
            weight: object::annotation(object, "helm.sh/hook-weight").and_then(|text| text.parse().ok()).unwrap_or(0),
            policies: list("helm.sh/hook-delete-policy"),
            manifest: manifest.to_owned(),
        })
    }

    /// Whether a delete policy holds; without any, what an earlier run left behind is deleted.
    pub(crate) fn deletes(&self, policy: &str) -> bool {
        match self.policies.is_empty() {
            true => policy == "before-hook-creation",
            false => self.policies.iter().any(|known| known == policy),
        }
    }

    /// As Helm writes it into a release.
    pub(crate) fn to_json(&self) -> Value {
        json!({"name": self.name, "kind": self.kind, "path": self.path, "manifest": self.manifest, "events": self.events,
            "weight": self.weight, "delete_policies": self.policies})
    }

    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let list = |field: &str| -> Vec<String> {
            let items = value[field].as_array().map_or(&[][..], Vec::as_slice);
            items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        Some(Self {
            name: value["name"].as_str()?.to_owned(),
            kind: text("kind"),
            path: text("path"),
            events: list("events"),
            weight: value["weight"].as_i64().unwrap_or(0),
            policies: list("delete_policies"),
            manifest: text("manifest"),
        })
    }
}

/// A rendered chart.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// All manifests but hooks, as YAML.
    pub(crate) text: String,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) notes: String,
}

/// A chart that can be rendered.
pub(crate) struct Chart {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `Chart.yaml`.
    pub(crate) metadata: Value,
    definitions: Vec<Value>,
}

/// Name and version of the chart in an archive.
pub(crate) fn identity(archive: &[u8]) -> Result<(String, String), String> {
    let metadata = metadata(&unpack(archive)?)?;
    let part = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
    Ok((part("name"), part("version")))
}

impl Chart {
    /// Reads an archive.
    pub(crate) fn load(archive: &[u8]) -> Result<Self, String> {
        let files = unpack(archive)?;
        let metadata = metadata(&files)?;
        let part = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let mut definitions = Vec::new();
        for (_, text) in files.iter().filter(|(path, _)| path.starts_with("crds/")) {
            definitions.extend(yaml::documents(text)?);
        }
        Ok(Self { name: part("name"), version: part("version"), metadata, definitions })
    }

    /// The CRDs that come with it.
    pub(crate) fn definitions(&self) -> Vec<Value> {
        self.definitions.clone()
    }

    /// Renders all templates; the error is in Helm's words.
    pub(crate) fn render(
        &self,
        store: &Store,
        release: &str,
        namespace: &str,
        revision: u64,
        occasion: Occasion,
        values: &Value,
    ) -> Result<Rendered, String> {
        let _ = (store, release, namespace, revision, occasion, values);
        Err("charts cannot be rendered yet".to_owned())
    }
}

fn metadata(files: &BTreeMap<String, String>) -> Result<Value, String> {
    let text = files.get("Chart.yaml").ok_or_else(|| "Chart.yaml file is missing".to_owned())?;
    yaml::document(text).map_err(|error| format!("cannot load Chart.yaml: {error}"))
}

/// The files of an archive, without the directory that they are all in.
fn unpack(archive: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path().map_err(|error| error.to_string())?.to_string_lossy().into_owned();
        let Some((_, path)) = path.trim_start_matches("./").split_once('/') else { continue };
        if path != "Chart.yaml" && !path.starts_with("crds/") {
            continue;
        }
        let path = path.to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).map_err(|error| error.to_string())?;
        files.insert(path, text);
    }
    Ok(files)
}
