//! The HelmChart that a HelmRelease makes for its chart.

use cluster_api::{Propagation, kinds, object};
use serde_json::{Value, json};

use super::{Releases, interval};
use crate::duration;
use crate::status::Subject;

const NAME_LABEL: &str = "helm.toolkit.fluxcd.io/name";
const NAMESPACE_LABEL: &str = "helm.toolkit.fluxcd.io/namespace";

/// Whether a HelmRelease takes its chart from this source.
pub(super) fn uses(release: &Value, source: &Value) -> bool {
    let (namespace, name) = (object::namespace(source), object::name(source));
    let reference = &release["spec"]["chartRef"];
    if reference.is_object() {
        let wanted = reference["namespace"].as_str().unwrap_or_else(|| object::namespace(release));
        return reference["kind"] == source["kind"] && wanted == namespace && reference["name"] == name;
    }
    source["kind"] == "HelmChart" && release["status"]["helmChart"] == format!("{namespace}/{name}")
}

fn home(release: &Value) -> (String, String) {
    let source = &release["spec"]["chart"]["spec"]["sourceRef"];
    let namespace = source["namespace"].as_str().unwrap_or_else(|| object::namespace(release));
    (namespace.to_owned(), format!("{}-{}", object::namespace(release), object::name(release)))
}

fn spec(release: &Value) -> Value {
    let chart = &release["spec"]["chart"]["spec"];
    let every = duration::field(&chart["interval"]).unwrap_or_else(|| interval(release));
    let mut spec = json!({
        "chart": chart["chart"], "interval": duration::text(every),
        "reconcileStrategy": chart["reconcileStrategy"].as_str().unwrap_or("ChartVersion"),
        "sourceRef": {"kind": chart["sourceRef"]["kind"], "name": chart["sourceRef"]["name"]},
        "version": chart["version"].as_str().unwrap_or("*"),
    });
    for field in ["valuesFiles", "ignoreMissingValuesFiles", "verify"] {
        if !chart[field].is_null() {
            spec[field] = chart[field].clone();
        }
    }
    spec
}

impl Releases {
    /// Makes or changes the HelmChart; nothing for a release with a `chartRef`.
    pub(super) fn keep_chart(&self, subject: &Subject, release: &Value) {
        if !release["spec"]["chart"].is_object() {
            self.drop_chart(subject, release);
            return;
        }
        let (namespace, name) = home(release);
        let full = format!("{namespace}/{name}");
        if release["status"]["helmChart"].as_str().is_some_and(|old| old != full) {
            self.drop_chart(subject, release);
        }
        let spec = spec(release);
        let source = &release["spec"]["chart"]["spec"]["sourceRef"];
        let shown = |field: &str| source[field].as_str().unwrap_or_default().to_owned();
        let with =
            format!("HelmChart/{full} with SourceRef '{}/{namespace}/{}'", shown("kind"), shown("name"));
        match self.store.get(&kinds::HELM_CHARTS, &namespace, &name) {
            None => {
                let labels = json!({NAME_LABEL: subject.name, NAMESPACE_LABEL: subject.namespace});
                let chart = json!({
                    "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
                    "metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": spec,
                });
                match self.store.create(&kinds::HELM_CHARTS, chart) {
                    Ok(_) => {
                        let message = format!("Created {with}");
                        self.log.info(&subject.namespace, &subject.name, &message);
                        self.events.normal(release, "HelmChartCreated", &message);
                    }
                    Err(error) => self.log.error(&subject.namespace, &subject.name, &error.to_string()),
                }
            }
            Some(chart) if chart["spec"] != spec => {
                let outcome =
                    self.store.modify(&kinds::HELM_CHARTS, &namespace, &name, |chart| chart["spec"] = spec);
                if outcome.is_ok() {
                    let message = format!("Configured {with}");
                    self.log.info(&subject.namespace, &subject.name, &message);
                    self.events.normal(release, "HelmChartConfigured", &message);
                }
            }
            Some(_) => self.log.info(&subject.namespace, &subject.name, &format!("{with} is in-sync")),
        }
        subject.write(|status| status.field("helmChart", json!(full)));
    }

    /// Deletes the HelmChart that the status names.
    pub(super) fn drop_chart(&self, subject: &Subject, release: &Value) {
        let Some((namespace, name)) =
            release["status"]["helmChart"].as_str().and_then(|full| full.split_once('/'))
        else {
            return;
        };
        match self.store.delete(&kinds::HELM_CHARTS, namespace, name, Propagation::Background) {
            Ok(()) => self.events.normal(
                release,
                "HelmChartDeleted",
                &format!("deleted HelmChart '{namespace}/{name}'"),
            ),
            Err(error) if error.is_not_found() => {}
            Err(error) => self.log.error(&subject.namespace, &subject.name, &error.to_string()),
        }
        subject.write(|status| status.field("helmChart", Value::Null));
    }
}
