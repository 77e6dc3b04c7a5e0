//! Charts: reading them, and rendering them. The only place that knows the chart renderer.

use cluster_api::{Store, kinds};
use fake_chart::{Capabilities, Lookup, LookupError};
use serde_json::{Value, json};

/// What the cluster says it is.
const KUBERNETES: &str = "v1.34.4";
const API_VERSIONS: [&str; 14] = [
    "v1",
    "apps/v1",
    "batch/v1",
    "autoscaling/v2",
    "policy/v1",
    "networking.k8s.io/v1",
    "discovery.k8s.io/v1",
    "storage.k8s.io/v1",
    "coordination.k8s.io/v1",
    "scheduling.k8s.io/v1",
    "rbac.authorization.k8s.io/v1",
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "events.k8s.io/v1",
];

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

impl From<fake_chart::Hook> for Hook {
    fn from(hook: fake_chart::Hook) -> Self {
        Self {
            name: hook.name,
            kind: hook.manifest.kind,
            path: hook.manifest.source,
            events: hook.events,
            weight: hook.weight,
            policies: hook.delete_policies,
            manifest: hook.manifest.content,
        }
    }
}

impl Hook {
    /// Whether a delete policy holds; without any, what an earlier run left behind is deleted.
    pub(crate) fn deletes(&self, policy: &str) -> bool {
        if self.policies.is_empty() {
            return policy == "before-hook-creation";
        }
        self.policies.iter().any(|known| known == policy)
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
    /// The same as objects.
    pub(crate) objects: Vec<Value>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) notes: String,
    /// The CRDs that come with the chart.
    pub(crate) definitions: Vec<Value>,
}

/// A chart that can be rendered.
pub(crate) struct Chart {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `Chart.yaml`.
    pub(crate) metadata: Value,
    chart: fake_chart::Chart,
}

/// What a chart is rendered for and with.
pub(crate) struct Circumstances<'a> {
    pub(crate) store: &'a Store,
    pub(crate) release: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) revision: u64,
    pub(crate) occasion: Occasion,
    pub(crate) values: &'a Value,
}

/// What templates may look up: the cluster's objects.
struct Cluster<'a>(&'a Store);

impl Lookup for Cluster<'_> {
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, LookupError> {
        let info = self.0.resolve_kind(api_version, kind).ok_or_else(|| {
            LookupError(format!("unable to get apiresource from unstructured: {api_version}, Kind={kind}"))
        })?;
        let namespace = if info.namespaced { namespace } else { "" };
        if name.is_empty() {
            let all = (!namespace.is_empty()).then_some(namespace);
            let items: Vec<Value> =
                self.0.list(&info.res, all).iter().map(|object| Value::clone(object)).collect();
            return Ok(json!({"apiVersion": api_version, "kind": info.list_kind(), "items": items}));
        }
        Ok(self.0.get(&info.res, namespace, name).map_or_else(|| json!({}), |object| Value::clone(&object)))
    }
}

/// Name and version of the chart in an archive.
pub(crate) fn identity(archive: &[u8]) -> Result<(String, String), String> {
    let chart = fake_chart::Chart::from_archive(archive).map_err(|error| error.to_string())?;
    Ok((chart.name().to_owned(), chart.version().to_owned()))
}

impl Chart {
    /// Reads an archive.
    pub(crate) fn load(archive: &[u8]) -> Result<Self, String> {
        let chart = fake_chart::Chart::from_archive(archive).map_err(|error| error.to_string())?;
        let mut metadata = json!({"apiVersion": "v2", "name": chart.name(), "version": chart.version()});
        if !chart.app_version().is_empty() {
            metadata["appVersion"] = json!(chart.app_version());
        }
        Ok(Self { name: chart.name().to_owned(), version: chart.version().to_owned(), metadata, chart })
    }

    /// Renders all templates; the error is in Helm's words.
    pub(crate) fn render(&self, what: &Circumstances<'_>) -> Result<Rendered, String> {
        let release = fake_chart::Release {
            name: what.release.to_owned(),
            namespace: what.namespace.to_owned(),
            revision: u32::try_from(what.revision).unwrap_or(u32::MAX),
            action: match what.occasion {
                Occasion::Install => fake_chart::Action::Install,
                Occasion::Upgrade => fake_chart::Action::Upgrade,
            },
            now: what.store.clock().now(),
        };
        let definitions = what.store.list(&kinds::CRDS, None);
        let served = definitions.iter().flat_map(|definition| {
            let group = definition["spec"]["group"].as_str().unwrap_or_default().to_owned();
            let kind = definition["spec"]["names"]["kind"].as_str().unwrap_or_default().to_owned();
            let versions = definition["spec"]["versions"].as_array().cloned().unwrap_or_default();
            versions.into_iter().flat_map(move |version| {
                let version = format!("{group}/{}", version["name"].as_str().unwrap_or_default());
                [format!("{version}/{kind}"), version]
            })
        });
        let capabilities =
            Capabilities::new(KUBERNETES, API_VERSIONS.map(str::to_owned).to_vec()).and_api_versions(served);
        let rendered = self
            .chart
            .render(&release, what.values, &capabilities, &Cluster(what.store))
            .map_err(|error| error.to_string())?;
        let text = rendered
            .manifests
            .iter()
            .map(|manifest| format!("---\n# Source: {}\n{}\n", manifest.source, manifest.content))
            .collect();
        let objects =
            rendered.manifests.into_iter().map(|manifest| manifest.value).filter(|value| !value.is_null());
        Ok(Rendered {
            text,
            objects: objects.collect(),
            hooks: rendered.hooks.into_iter().map(Hook::from).collect(),
            notes: rendered.notes,
            definitions: rendered.crds.into_iter().map(|manifest| manifest.value).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use field_clock::Clock;

    use super::*;

    #[test]
    fn templates_see_objects_of_the_cluster_and_miss_what_is_not_there() {
        let store = Store::new(Clock::wall());
        let cluster = Cluster(&store);
        let found = cluster.lookup("v1", "Namespace", "", "default").unwrap();
        assert_eq!(found["metadata"]["name"], "default");
        assert_eq!(cluster.lookup("v1", "Secret", "default", "none").unwrap(), json!({}));
        assert_eq!(
            cluster.lookup("v1", "Namespace", "", "").unwrap()["items"].as_array().map(Vec::len),
            Some(4)
        );
    }

    #[test]
    fn without_a_policy_a_hook_replaces_what_an_earlier_run_left() {
        let mut hook = Hook::from_json(&json!({"name": "x"})).unwrap();
        assert!(hook.deletes("before-hook-creation") && !hook.deletes("hook-succeeded"));
        hook.policies = vec!["hook-succeeded".to_owned()];
        assert!(!hook.deletes("before-hook-creation") && hook.deletes("hook-succeeded"));
    }
}
