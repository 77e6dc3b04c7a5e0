//! One attempt: fetch, build, apply, prune, wait.

use cluster_api::object;
use jiff::Timestamp;
use serde_json::Value;

use super::build::Builder;
use super::tree::Tree;
use super::{DEPENDENCY_INTERVAL, Kustomizations, interval, retry_interval, timeout};
use crate::apply::Target;
use crate::duration;
use crate::pace;
use crate::status::{Subject, is_true};
use crate::wait::{self, Jobs};
use crate::work::Verdict;

/// Why an attempt failed: the reason and the words of the conditions.
pub(super) struct Failure {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// What the steps of an attempt share.
pub(super) struct Attempt<'a> {
    pub(super) subject: &'a Subject,
    pub(super) kustomization: &'a Value,
    pub(super) source: &'a Value,
    pub(super) revision: &'a str,
    pub(super) start: Timestamp,
}

impl Kustomizations {
    pub(super) async fn attempt(&self, subject: &Subject, kustomization: &Value, source: &Value) -> Verdict {
        let revision = source["status"]["artifact"]["revision"].as_str().unwrap_or_default();
        let attempt = Attempt { subject, kustomization, source, revision, start: self.clock.now() };
        let path = source["status"]["artifact"]["path"].as_str().unwrap_or_default();
        self.announce(&attempt, "Fetching manifests");
        let Some(archive) = self.artifacts.fetch(&self.clock, path).await else {
            self.fail(
                &attempt,
                &Failure::new("ArtifactFailed", "Source artifact not found, retrying in 30s"),
            );
            return Verdict::After(DEPENDENCY_INTERVAL);
        };
        match self.steps(&attempt, &archive).await {
            Ok(()) => {
                self.succeed(&attempt);
                Verdict::After(interval(kustomization))
            }
            Err(failure) => {
                self.fail(&attempt, &failure);
                Verdict::After(retry_interval(kustomization))
            }
        }
    }

    async fn steps(&self, attempt: &Attempt<'_>, archive: &[u8]) -> Result<(), Failure> {
        let root =
            format!("/tmp/kustomization-{}", attempt.start.as_nanosecond().unsigned_abs() % 4_294_967_291);
        pace::spend(&self.clock, 10, &attempt.subject.name).await;
        let tree = Tree::unpack(archive).map_err(|error| Failure::new("ArtifactFailed", error))?;
        let path = attempt.kustomization["spec"]["path"].as_str().unwrap_or("./");
        let Some(directory) = tree.directory(path) else {
            let shown = path.trim_start_matches("./");
            let message =
                format!("kustomization path not found: stat {root}/{shown}: no such file or directory");
            return Err(Failure::new("ArtifactFailed", message));
        };
        pace::spend(&self.clock, 15, &attempt.subject.name).await;
        self.announce(attempt, "Building manifests");
        attempt.subject.write(|status| status.field("lastAttemptedRevision", attempt.revision.into()));
        let builder = Builder { tree: &tree, root: &root, store: &self.store };
        let objects = builder
            .of_kustomization(attempt.kustomization, &directory)
            .map_err(|message| Failure::new("BuildFailed", message))?;
        let objects = self
            .substitute(attempt.kustomization, objects)
            .map_err(|message| Failure::new("BuildFailed", message))?;
        pace::spend(&self.clock, 110, &attempt.subject.name).await;
        self.announce(attempt, "Detecting drift");
        pace::spend(&self.clock, 60, &attempt.subject.name).await;
        let digest = super::history::digest(&objects);
        self.apply_and_check(attempt, objects).await.inspect_err(|failure| {
            self.remember(attempt, &digest, failure.reason);
        })?;
        self.remember(attempt, &digest, "ReconciliationSucceeded");
        Ok(())
    }

    async fn apply_and_check(&self, attempt: &Attempt<'_>, objects: Vec<Value>) -> Result<(), Failure> {
        let applied = self.apply(attempt, objects).await?;
        self.prune(attempt, &applied.targets)?;
        self.check_health(attempt, &applied.targets, !applied.changes.is_empty()).await
    }

    async fn check_health(
        &self,
        attempt: &Attempt<'_>,
        applied: &[Target],
        drifted: bool,
    ) -> Result<(), Failure> {
        let targets = self.health_targets(attempt.kustomization, applied);
        if targets.is_empty() {
            attempt.subject.write(|status| status.drop(&["Healthy"]));
            return Ok(());
        }
        let was_healthy = is_true(attempt.kustomization, "Healthy");
        let is_new = attempt.kustomization["status"]["lastAppliedRevision"] != attempt.revision;
        let limit = timeout(attempt.kustomization);
        let message = progress_message("Running health checks", attempt);
        attempt.subject.write(|status| {
            status.reconciling("Progressing", &message);
            status.set("Healthy", "Unknown", "Progressing", &message);
        });
        let start = self.clock.now();
        pace::spend(&self.clock, 30, &attempt.subject.name).await;
        let wait = wait::until_current(&self.store, &self.clock, &targets, limit, Jobs::Wait);
        let outcome = self.interrupt.run_until_cancelled(wait).await;
        let took = duration::text(self.since(start));
        let Some(outcome) = outcome else {
            return Err(Failure::new(
                "HealthCheckFailed",
                format!("health check failed after {took}: context canceled"),
            ));
        };
        if let Err(error) = outcome {
            let inner = error.to_string();
            attempt.subject.write(|status| status.set("Healthy", "False", "HealthCheckFailed", &inner));
            return Err(Failure::new(
                "HealthCheckFailed",
                format!("health check failed after {took}: {inner}"),
            ));
        }
        let passed = format!("Health check passed in {took}");
        if !was_healthy || (is_new && drifted) {
            self.events.normal(attempt.kustomization, "Progressing", &passed);
        }
        attempt.subject.write(|status| status.set("Healthy", "True", "Succeeded", &passed));
        Ok(())
    }

    /// What the health of the Kustomization rests on: all that was applied, or what it lists.
    fn health_targets(&self, kustomization: &Value, applied: &[Target]) -> Vec<Target> {
        if kustomization["spec"]["wait"] == true {
            return applied.to_vec();
        }
        let listed = kustomization["spec"]["healthChecks"].as_array().map_or(&[][..], Vec::as_slice);
        let targets = listed.iter().filter_map(|check| {
            let text = |field: &str| check[field].as_str().unwrap_or_default();
            let namespace = if text("namespace").is_empty() {
                object::namespace(kustomization)
            } else {
                text("namespace")
            };
            Target::new(&self.store, text("apiVersion"), text("kind"), namespace, text("name")).ok()
        });
        targets.collect()
    }

    pub(super) fn since(&self, start: Timestamp) -> std::time::Duration {
        self.clock.now().duration_since(start).try_into().unwrap_or_default()
    }

    fn announce(&self, attempt: &Attempt<'_>, step: &str) {
        let message = progress_message(step, attempt);
        attempt.subject.write(|status| {
            status.reconciling("Progressing", &message);
            status.set("Ready", "Unknown", "Progressing", "Reconciliation in progress");
        });
    }
}

fn progress_message(step: &str, attempt: &Attempt<'_>) -> String {
    let limit = duration::text(timeout(attempt.kustomization));
    format!("{step} for revision {} with a timeout of {limit}", attempt.revision)
}
