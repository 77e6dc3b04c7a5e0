//! What a release needs first: dependencies that are ready, a chart, values.

use std::sync::Arc;

use cluster_api::{Res, kinds, object};
use serde_json::Value;

use super::release::Desired;
use super::{DEPENDENCY_INTERVAL, Releases, values};
use crate::render::Chart;
use crate::status::{Subject, is_true, observed};
use crate::work::Verdict;

pub(super) enum Prerequisites {
    Met(Box<Desired>),
    Missing(Verdict),
}

/// Kind, resource, namespace and name of a chart's source.
struct Source {
    kind: String,
    res: Res,
    namespace: String,
    name: String,
}

impl Source {
    fn of(release: &Value) -> Option<Self> {
        let reference = &release["spec"]["chartRef"];
        if reference.is_object() {
            let kind = reference["kind"].as_str()?;
            let res = if kind == "HelmChart" { kinds::HELM_CHARTS } else { kinds::OCI_REPOSITORIES };
            let namespace = reference["namespace"].as_str().unwrap_or_else(|| object::namespace(release));
            let name = reference["name"].as_str()?.to_owned();
            return Some(Self { kind: kind.to_owned(), res, namespace: namespace.to_owned(), name });
        }
        let (namespace, name) = release["status"]["helmChart"].as_str()?.split_once('/')?;
        Some(Self {
            kind: "HelmChart".to_owned(),
            res: kinds::HELM_CHARTS,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// Why a source cannot be used, in its own words where it has any.
fn unready(source: &Value) -> Option<String> {
    if object::generation(source) != observed(source) {
        let ready = object::condition(source, "Ready").filter(|ready| ready["status"] == "False");
        let own = ready.and_then(|ready| ready["message"].as_str());
        return Some(own.unwrap_or("latest generation of object has not been reconciled").to_owned());
    }
    if is_true(source, "Stalled") {
        let own = object::condition(source, "Stalled").and_then(|stalled| stalled["message"].as_str());
        return Some(own.unwrap_or_default().to_owned());
    }
    (!source["status"]["artifact"].is_object()).then(|| "does not have an artifact".to_owned())
}

/// The version under which a chart is released: that of an OCIRepository's artifact carries twelve digits of its digest.
fn released_version(source: &Value, version: &str) -> String {
    let revision = source["status"]["artifact"]["revision"].as_str().unwrap_or_default();
    match revision.rsplit_once("sha256:") {
        Some((_, digest)) if source["kind"] == "OCIRepository" => {
            format!("{version}+{}", digest.get(..12).unwrap_or(digest))
        }
        _ => version.to_owned(),
    }
}

/// Whether the release has been attempted with what the source has now.
pub(super) fn has_attempted(release: &Value, source: &Value) -> bool {
    let attempted = release["status"]["lastAttemptedRevision"].as_str().unwrap_or_default();
    let revision = source["status"]["artifact"]["revision"].as_str().unwrap_or_default();
    match revision.rsplit_once("sha256:") {
        Some((_, digest)) => digest.get(..12).is_some_and(|digest| attempted.ends_with(digest)),
        None => attempted == revision,
    }
}

impl Releases {
    pub(super) async fn prerequisites(&self, subject: &Subject, release: &Value) -> Prerequisites {
        subject.write(|status| status.reconciling("Progressing", "Fulfilling prerequisites"));
        self.keep_chart(subject, release);
        if let Err(message) = self.check_dependencies(release) {
            let line = format!("dependencies do not meet ready condition ({message}): retrying in 30s");
            self.log.info(&subject.namespace, &subject.name, &line);
            self.unmet(subject, "DependencyNotReady", &message);
            self.events.normal(release, "DependencyNotReady", &message);
            return Prerequisites::Missing(Verdict::After(DEPENDENCY_INTERVAL));
        }
        let Some(release) = subject.get() else { return Prerequisites::Missing(Verdict::Settled) };
        let source = match self.source(&release) {
            Ok(source) => source,
            Err(message) => {
                self.unmet(subject, "ArtifactFailed", &message);
                let inner = message.strip_prefix("could not get Source object: ").unwrap_or(&message);
                self.log.error(&subject.namespace, &subject.name, inner);
                return Prerequisites::Missing(Verdict::Retry);
            }
        };
        if let Some(why) = unready(&source) {
            let (kind, name) = (source["kind"].as_str().unwrap_or_default(), object::name(&source));
            let message = format!("{kind} '{}/{name}' is not ready: {why}", object::namespace(&source));
            self.log.info(&subject.namespace, &subject.name, &message);
            self.unmet(subject, "SourceNotReady", &message);
            return Prerequisites::Missing(Verdict::After(DEPENDENCY_INTERVAL));
        }
        match self.desired(&release, &source).await {
            Ok(desired) => Prerequisites::Met(Box::new(desired)),
            Err((reason, message)) => {
                self.unmet(subject, reason, &message);
                self.events.warning(&release, reason, &message);
                self.log.error(&subject.namespace, &subject.name, &message);
                Prerequisites::Missing(Verdict::Retry)
            }
        }
    }

    fn unmet(&self, subject: &Subject, reason: &str, message: &str) {
        subject.write(|status| {
            status.set("Ready", "False", reason, message);
            status.handled();
        });
    }

    fn check_dependencies(&self, release: &Value) -> Result<(), String> {
        let references = release["spec"]["dependsOn"].as_array().map_or(&[][..], Vec::as_slice);
        if references.is_empty() {
            return Ok(());
        }
        let say = |line: &str| self.log.info(object::namespace(release), object::name(release), line);
        say(&format!("checking {} dependencies", references.len()));
        for reference in references {
            let name = reference["name"].as_str().unwrap_or_default();
            let namespace = reference["namespace"].as_str().unwrap_or_else(|| object::namespace(release));
            let Some(dependency) = self.store.get(&kinds::HELM_RELEASES, namespace, name) else {
                return Err(format!(
                    "unable to get '{namespace}/{name}' dependency: helmreleases.helm.toolkit.fluxcd.io \"{name}\" not found"
                ));
            };
            if object::generation(&dependency) != observed(&dependency) || !is_true(&dependency, "Ready") {
                return Err(format!("dependency '{namespace}/{name}' is not ready"));
            }
        }
        say("all dependencies are ready");
        Ok(())
    }

    fn source(&self, release: &Value) -> Result<Arc<Value>, String> {
        let source =
            Source::of(release).ok_or_else(|| "could not get Source object: no chart is named".to_owned())?;
        self.store.get(&source.res, &source.namespace, &source.name).ok_or_else(|| {
            format!(
                "could not get Source object: {}.source.toolkit.fluxcd.io \"{}\" not found",
                source.kind, source.name
            )
        })
    }

    /// Chart and values; otherwise the reason and the words of the condition.
    async fn desired(&self, release: &Value, source: &Value) -> Result<Desired, (&'static str, String)> {
        let values = values::compose(&self.store, release).map_err(|message| ("ValuesError", message))?;
        let path = source["status"]["artifact"]["path"].as_str().unwrap_or_default();
        let archive = self.artifacts.fetch(&self.clock, path).await;
        let archive = archive.ok_or_else(|| {
            ("ArtifactFailed", "Source not ready: artifact not found. Retrying in 30s".to_owned())
        })?;
        let chart = Chart::load(&archive)
            .map_err(|error| ("ArtifactFailed", format!("Could not load chart: {error}")))?;
        let version = released_version(source, &chart.version);
        Ok(Desired::new(release, chart, version, values))
    }
}
