//! Installing a release.

use cluster_api::{kinds, object};
use serde_json::json;

use super::Releases;
use super::conditions::{ActionFailure, Run};
use super::policy::{Action, timeout, waits};
use super::release::Release;
use crate::apply::Target;
use crate::render::{Circumstances, Occasion, Rendered};
use crate::wait;

impl Releases {
    pub(super) async fn install(&self, run: &Run<'_>, history: &[Release]) -> Result<(), ActionFailure> {
        let running = self.announce(run, Action::Install);
        let outcome = self.try_install(run, history).await;
        match &outcome {
            Ok((release, targets)) => self.succeeded(run, &running, release, targets),
            Err(failure) => self.failed(run, &running, failure),
        }
        outcome.map(drop)
    }

    async fn try_install(
        &self,
        run: &Run<'_>,
        history: &[Release],
    ) -> Result<(Release, Vec<Target>), ActionFailure> {
        let object = run.object();
        let desired = run.desired;
        let version = history.first().map_or(0, |latest| latest.version) + 1;
        let mut rendered = self.render(run, version, Occasion::Install)?;
        if object["spec"]["install"]["crds"] != "Skip" {
            self.install_definitions(std::mem::take(&mut rendered.definitions));
        }
        let objects = self
            .prepared(run.subject, &desired.names, std::mem::take(&mut rendered.objects))
            .map_err(ActionFailure::Unrecorded)?;
        if object["spec"]["install"]["createNamespace"] == true {
            self.create_namespace(run);
        }
        let mut release = self.record(run, version, "pending-install", "Initial install underway", rendered);
        run.records
            .create(&release)
            .map_err(|error| ActionFailure::Unrecorded(format!("create: failed to create: {error}")))?;
        let targets: Vec<Target> = objects.iter().map(|(target, _)| target.clone()).collect();
        let mut log = self.log_lines(&targets);
        let limit = timeout(&object, Action::Install);
        let outcome = async {
            if object["spec"]["install"]["disableHooks"] != true {
                self.run_hooks(run, &release.hooks, "pre-install", limit).await?;
            }
            self.apply(objects)?;
            if let Some(jobs) = waits(&object, Action::Install) {
                let waited = wait::until_current(&self.store, &self.clock, &targets, limit, jobs).await;
                waited.map_err(|error| error.to_string())?;
            }
            if object["spec"]["install"]["disableHooks"] != true {
                self.run_hooks(run, &release.hooks, "post-install", limit).await?;
            }
            Ok::<(), String>(())
        }
        .await;
        match outcome {
            Ok(()) => {
                "deployed".clone_into(&mut release.status);
                "Helm install complete".clone_into(&mut release.description);
                self.update(run, &release);
                Ok((release, targets))
            }
            Err(message) => {
                "failed".clone_into(&mut release.status);
                release.description = format!("Release {:?} failed: {message}", release.name);
                self.update(run, &release);
                log.push(format!("{}: {message}", self.clock.now()));
                Err(ActionFailure::Recorded { message, log })
            }
        }
    }

    /// Renders the chart; what it refuses to render leaves no trace.
    pub(super) fn render(
        &self,
        run: &Run<'_>,
        version: u64,
        occasion: Occasion,
    ) -> Result<Rendered, ActionFailure> {
        let desired = run.desired;
        let names = &desired.names;
        let what = Circumstances {
            store: &self.store,
            release: &names.release,
            namespace: &names.namespace,
            revision: version,
            occasion,
            values: &desired.values,
        };
        desired.chart.render(&what).map_err(ActionFailure::Unrecorded)
    }

    /// A new version of the release.
    pub(super) fn record(
        &self,
        run: &Run<'_>,
        version: u64,
        status: &str,
        description: &str,
        rendered: Rendered,
    ) -> Release {
        let now = object::timestamp(self.clock.now());
        let desired = run.desired;
        let mut chart = desired.chart.metadata.clone();
        chart["version"] = json!(desired.version);
        Release {
            name: desired.names.release.clone(),
            namespace: desired.names.namespace.clone(),
            version,
            status: status.to_owned(),
            description: description.to_owned(),
            first_deployed: now.clone(),
            last_deployed: now,
            deleted: None,
            chart,
            config: desired.values.clone(),
            manifest: rendered.text,
            hooks: rendered.hooks,
            notes: rendered.notes,
        }
    }

    pub(super) fn update(&self, run: &Run<'_>, release: &Release) {
        if let Err(error) = run.records.update(release) {
            self.log.error(&run.subject.namespace, &run.subject.name, &error.to_string());
        }
    }

    /// The lines Helm writes about what it makes.
    pub(super) fn log_lines(&self, targets: &[Target]) -> Vec<String> {
        let now = self.clock.now();
        let mut lines = vec![format!("{now}: creating resource(s): {{\"resources\":{}}}", targets.len())];
        lines.extend(targets.iter().map(|target| {
            let (group, version, kind) = (&target.info.res.group, &target.info.version, &target.info.kind);
            let what = json!({"gvk": format!("{group}/{version}, Kind={kind}"), "name": target.name, "namespace": target.namespace});
            format!("{now}: Created resource via patch: {what}")
        }));
        lines
    }

    fn create_namespace(&self, run: &Run<'_>) {
        let name = &run.desired.names.namespace;
        if self.store.get(&kinds::NAMESPACES, "", name).is_some() {
            return;
        }
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"name": name}}});
        if let Err(error) = self.store.create(&kinds::NAMESPACES, namespace) {
            self.log.error(&run.subject.namespace, &run.subject.name, &error.to_string());
        }
    }

    /// The chart's CRDs, before anything else; those that exist stay as they are.
    pub(super) fn install_definitions(&self, definitions: Vec<serde_json::Value>) {
        for definition in definitions {
            if let Err(error) = self.store.create(&kinds::CRDS, definition)
                && !error.is_already_exists()
            {
                tracing::debug!(%error, "create a chart's CRD");
            }
        }
    }
}
