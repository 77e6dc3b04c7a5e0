//! What is wanted, and what was released.

use cluster_api::object;
use serde_json::{Value, json};

use super::policy::Names;
use super::values;
use crate::render::{Chart, Hook};

/// What a HelmRelease wants released.
pub(super) struct Desired {
    pub(super) names: Names,
    pub(super) chart: Chart,
    /// The chart's version as it is released.
    pub(super) version: String,
    pub(super) values: Value,
    pub(super) config_digest: String,
}

impl Desired {
    pub(super) fn new(object: &Value, chart: Chart, version: String, values: Value) -> Self {
        Self::of(Names::of(object), chart, version, values)
    }

    /// The same of a release that has names of its own.
    pub(super) fn of(names: Names, chart: Chart, version: String, values: Value) -> Self {
        let config_digest = values::digest(&values);
        Self { names, chart, version, values, config_digest }
    }

    /// `app@1.0.0`.
    pub(super) fn chart_text(&self) -> String {
        format!("{}@{}", self.chart.name, self.version)
    }

    /// The release without a version, as failures name it.
    pub(super) fn text(&self) -> String {
        format!("{}/{} with chart {}", self.names.namespace, self.names.release, self.chart_text())
    }
}

/// One version of a release, as its Secret holds it.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) version: u64,
    pub(super) status: String,
    pub(super) description: String,
    pub(super) first_deployed: String,
    pub(super) last_deployed: String,
    pub(super) deleted: Option<String>,
    /// `Chart.yaml`, with the version as released.
    pub(super) chart: Value,
    pub(super) config: Value,
    /// All manifests as YAML.
    pub(super) manifest: String,
    pub(super) hooks: Vec<Hook>,
    pub(super) notes: String,
}

impl Release {
    /// `msp/app.v1 with chart app@1.0.0`.
    pub(super) fn text(&self) -> String {
        let part = |field: &str| self.chart[field].as_str().unwrap_or_default();
        format!(
            "{}/{}.v{} with chart {}@{}",
            self.namespace,
            self.name,
            self.version,
            part("name"),
            part("version")
        )
    }

    pub(super) fn is_pending(&self) -> bool {
        self.status.starts_with("pending-")
    }

    /// Whether it was made from what is wanted now.
    pub(super) fn matches(&self, desired: &Desired) -> bool {
        self.chart["name"] == desired.chart.name
            && self.chart["version"] == desired.version
            && values::digest(&self.config) == desired.config_digest
    }

    /// How it differs from what is wanted.
    pub(super) fn difference(&self, desired: &Desired) -> &'static str {
        let same_chart = self.chart["name"] == desired.chart.name && self.chart["version"] == desired.version;
        if same_chart { "release config values changed" } else { "release chart changed" }
    }

    /// As Helm writes it.
    pub(super) fn to_json(&self) -> Value {
        let mut info = json!({
            "first_deployed": self.first_deployed, "last_deployed": self.last_deployed,
            "deleted": self.deleted.as_deref().unwrap_or(""), "description": self.description, "status": self.status,
        });
        if !self.notes.is_empty() {
            info["notes"] = json!(self.notes);
        }
        let hooks: Vec<Value> = self.hooks.iter().map(Hook::to_json).collect();
        json!({
            "name": self.name, "info": info, "chart": {"metadata": self.chart, "lock": null, "templates": [], "values": {}},
            "config": self.config, "manifest": self.manifest, "hooks": hooks, "version": self.version,
            "namespace": self.namespace,
        })
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let info = |field: &str| value["info"][field].as_str().unwrap_or_default().to_owned();
        let deleted = info("deleted");
        Some(Self {
            name: value["name"].as_str()?.to_owned(),
            namespace: value["namespace"].as_str()?.to_owned(),
            version: value["version"].as_u64()?,
            status: info("status"),
            description: info("description"),
            first_deployed: info("first_deployed"),
            last_deployed: info("last_deployed"),
            deleted: (!deleted.is_empty()).then_some(deleted),
            chart: value["chart"]["metadata"].clone(),
            config: value["config"].clone(),
            manifest: value["manifest"].as_str().unwrap_or_default().to_owned(),
            hooks: value["hooks"]
                .as_array()
                .map_or(&[][..], Vec::as_slice)
                .iter()
                .filter_map(Hook::from_json)
                .collect(),
            notes: info("notes"),
        })
    }

    /// As `status.history` lists it.
    pub(super) fn snapshot(&self) -> Value {
        let mut snapshot = json!({
            "apiVersion": "v2", "chartName": self.chart["name"], "chartVersion": self.chart["version"],
            "configDigest": values::digest(&self.config),
            "digest": crate::artifacts::digest(self.to_json().to_string().as_bytes()),
            "firstDeployed": self.first_deployed, "lastDeployed": self.last_deployed, "name": self.name,
            "namespace": self.namespace, "status": self.status, "version": self.version,
        });
        if self.chart["appVersion"].is_string() {
            snapshot["appVersion"] = self.chart["appVersion"].clone();
        }
        if let Some(deleted) = &self.deleted {
            snapshot["deleted"] = json!(deleted);
        }
        snapshot
    }
}

/// The objects of a manifest.
pub(super) fn objects(manifest: &str) -> Result<Vec<Value>, String> {
    let mut documents = crate::yaml::documents(manifest)?;
    documents.retain(|document| !object::name(document).is_empty());
    Ok(documents)
}
