//! HelmCharts: a chart archive per version.

use std::sync::Arc;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use serde_json::{Value, json};

use super::chart_pull::ChartFailure;
use super::storage::{NewArtifact, latest_url};
use super::{Begin, Sources, interval};
use crate::status::{Subject, is_requested, is_true, observed};
use crate::work::{Key, Reconciler, Verdict};

pub(super) struct Charts(pub(super) Arc<Sources>);

#[async_trait]
impl Reconciler for Charts {
    async fn reconcile(&self, key: &Key) -> Verdict {
        let subject = self.0.subject(kinds::HELM_CHARTS, key);
        match self.0.begin(&subject) {
            Begin::End(verdict) => verdict,
            Begin::GoOn(chart) => self.fetch(&subject, &chart).await,
        }
    }
}

impl Charts {
    async fn fetch(&self, subject: &Subject, chart: &Value) -> Verdict {
        self.announce(subject, chart);
        crate::pace::spend(&self.0.clock, 12, &subject.name).await;
        match self.0.pull_chart(chart).await {
            Ok(None) => {
                if !is_true(chart, "Ready")
                    || is_requested(chart)
                    || object::generation(chart) != observed(chart)
                {
                    self.succeed(subject, chart, chart["status"]["artifact"].clone());
                }
                Verdict::After(interval(chart))
            }
            Ok(Some(found)) => {
                let message = format!("pulled '{}' chart with version '{}'", found.name, found.version);
                subject.write(|status| {
                    let building = format!("building artifact: {message}");
                    status.reconciling("Progressing", &building);
                    status.set("Ready", "Unknown", "Progressing", &building);
                    let outdated =
                        status.get("artifact")["revision"].as_str().is_some_and(|old| old != found.version);
                    if outdated {
                        status.set("ArtifactOutdated", "True", "NewChart", &message);
                    }
                });
                crate::pace::spend(&self.0.clock, 20, &subject.name).await;
                let new = NewArtifact {
                    file: format!("{}-{}.tgz", found.name, found.version),
                    revision: found.version.clone(),
                    content: found.content,
                    metadata: Value::Null,
                };
                let artifact = self.0.keep(chart, new);
                self.0.events.normal(chart, "ChartPullSucceeded", &message);
                self.0.log.info(&subject.namespace, &subject.name, &message);
                subject.write(|status| status.field("observedChartName", json!(found.name)));
                self.succeed(subject, chart, artifact);
                Verdict::After(interval(chart))
            }
            Err(failure) => {
                self.fail(subject, chart, &failure);
                Verdict::Retry
            }
        }
    }

    fn announce(&self, subject: &Subject, chart: &Value) {
        let generation = object::generation(chart);
        if generation == observed(chart) && is_requested(chart) {
            subject.write(|status| status.reconciling("Progressing", "reconciliation in progress"));
        }
        if generation != observed(chart) {
            let message = format!("processing object: new generation {} -> {generation}", observed(chart));
            subject.write(|status| {
                status.reconciling("Progressing", &message);
                if status.condition("Ready").is_none() {
                    status.set("Ready", "Unknown", "Progressing", &message);
                }
            });
        }
        if !self.0.is_kept(chart) {
            let gone = chart["status"]["artifact"].is_object();
            let message =
                if gone { "building artifact: disappeared from storage" } else { "building artifact" };
            subject.write(|status| {
                status.reconciling("Progressing", message);
                status.set("Ready", "Unknown", "Progressing", message);
                status.drop(&["ArtifactInStorage"]);
            });
        }
    }

    fn succeed(&self, subject: &Subject, chart: &Value, artifact: Value) {
        subject.write(|status| {
            let name = status.get("observedChartName").as_str().unwrap_or_default().to_owned();
            let version = artifact["revision"].as_str().unwrap_or_default();
            let message = format!("pulled '{name}' chart with version '{version}'");
            status.field("artifact", artifact);
            status.drop(&["Reconciling", "Stalled", "FetchFailed", "ArtifactOutdated"]);
            status.set("ArtifactInStorage", "True", "ChartPullSucceeded", &message);
            status.set("Ready", "True", "ChartPullSucceeded", &message);
            status.field("url", latest_url(chart));
            status.observe();
            status.handled();
        });
    }

    fn fail(&self, subject: &Subject, chart: &Value, failure: &ChartFailure) {
        let ChartFailure { reason, message } = failure;
        self.0.events.warning(chart, reason, message);
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
