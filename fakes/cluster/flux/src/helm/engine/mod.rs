//! Helm: what installing, upgrading, rolling back and uninstalling do to a cluster, whoever asks for it.

mod hooks;
mod install;
mod journal;
mod objects;
mod rollback;
mod trial;
mod uninstall;
mod upgrade;

use std::time::Duration;

use cluster_api::{ApiError, Store, object};
use field_clock::Clock;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::policy::Names;
use super::release::{Desired, Release};
use super::secrets::Records;
use crate::apply::Target;
use crate::render::{Circumstances, Occasion, Rendered};
use crate::wait::{self, Jobs};
pub(in crate::helm) use journal::Journal;

/// Helm, about one release.
pub(in crate::helm) struct Engine<'a> {
    pub(in crate::helm) store: &'a Store,
    pub(in crate::helm) clock: &'a Clock,
    pub(in crate::helm) names: &'a Names,
    /// The HelmRelease whose labels the objects get: its namespace and name.
    pub(in crate::helm) owner: Option<(&'a str, &'a str)>,
    /// Who writes the objects.
    pub(in crate::helm) manager: &'static str,
    /// Ends whatever runs.
    pub(in crate::helm) interrupt: &'a CancellationToken,
    pub(in crate::helm) journal: Journal,
    /// How often a wait looks.
    pub(in crate::helm) poll: Duration,
}

/// How an action is to be done.
#[derive(Clone, Copy, Debug)]
pub(in crate::helm) struct Settings {
    pub(in crate::helm) timeout: Duration,
    pub(in crate::helm) waiting: Waiting,
    pub(in crate::helm) hooks: Hooks,
    pub(in crate::helm) crds: Crds,
    pub(in crate::helm) namespace: Namespace,
}

/// Whether the chart's hooks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::helm) enum Hooks {
    Run,
    Skip,
}

/// Whether the chart's definitions are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::helm) enum Crds {
    Create,
    Skip,
}

/// Whether the release's namespace is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::helm) enum Namespace {
    Create,
    Expect,
}

/// How an action waits for what it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::helm) enum Waiting {
    Not,
    /// By the statuses of all objects, as Helm 4 does.
    Watch(Jobs),
    /// As Helm 3 did.
    Legacy(Jobs),
}

/// How an action failed.
#[derive(Debug)]
pub(in crate::helm) enum Failure {
    /// Before the release had a record: nothing counts, and it is tried again for ever.
    Unrecorded(String),
    /// With a record.
    Recorded(String),
}

impl Failure {
    pub(in crate::helm) fn message(&self) -> &str {
        match self {
            Self::Unrecorded(message) | Self::Recorded(message) => message,
        }
    }

    fn create(error: &ApiError) -> Self {
        // A record that nobody can read is not seen before it stands in the way.
        if error.is_already_exists() {
            return Self::Unrecorded("release: already exists".to_owned());
        }
        Self::Unrecorded(format!("create: failed to create: {error}"))
    }
}

/// A new version of a release, and the objects that it consists of.
pub(in crate::helm) type Made = (Release, Vec<Target>);

impl Engine<'_> {
    pub(super) fn records(&self) -> Records<'_> {
        Records { store: self.store, names: self.names }
    }

    /// Renders the chart; what it refuses to render leaves no trace.
    fn render(&self, desired: &Desired, version: u64, occasion: Occasion) -> Result<Rendered, Failure> {
        let what = Circumstances {
            store: self.store,
            release: &self.names.release,
            namespace: &self.names.namespace,
            revision: version,
            occasion,
            values: &desired.values,
        };
        desired.chart.render(&what).map_err(Failure::Unrecorded)
    }

    /// A new version of the release.
    fn record(
        &self,
        desired: &Desired,
        version: u64,
        status: &str,
        description: &str,
        rendered: Rendered,
    ) -> Release {
        let now = object::timestamp(self.clock.now());
        let mut chart = desired.chart.metadata.clone();
        chart["version"] = json!(desired.version);
        Release {
            name: self.names.release.clone(),
            namespace: self.names.namespace.clone(),
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

    pub(super) fn update(&self, release: &Release) {
        if let Err(error) = self.records().update(release) {
            tracing::debug!(%error, "write a release");
        }
    }

    /// The version that a new one takes the place of.
    fn supersede(&self, old: Option<&Release>) {
        if let Some(old) = old {
            let mut old = old.clone();
            "superseded".clone_into(&mut old.status);
            self.update(&old);
        }
    }

    /// Marks a release as failed.
    fn give_up(&self, release: &mut Release, what: &str, message: &str) {
        "failed".clone_into(&mut release.status);
        release.description = format!("{what} {:?} failed: {message}", release.name);
        self.update(release);
    }

    async fn wait(&self, targets: &[Target], settings: &Settings) -> Result<(), String> {
        let wait = async {
            match settings.waiting {
                Waiting::Not => Ok(()),
                Waiting::Watch(jobs) => {
                    let all = wait::Wait { store: self.store, clock: self.clock, poll: self.poll }
                        .until_current(targets, settings.timeout, jobs)
                        .await;
                    all.map_err(|error| error.to_string())
                }
                Waiting::Legacy(jobs) => {
                    wait::until_ready(self.store, self.clock, targets, settings.timeout, jobs).await
                }
            }
        };
        self.unless_interrupted(wait).await
    }

    /// A wait that ends when whoever waits is told to end.
    async fn unless_interrupted(&self, wait: impl Future<Output = Result<(), String>>) -> Result<(), String> {
        self.interrupt.run_until_cancelled(wait).await.unwrap_or_else(|| Err("context canceled".to_owned()))
    }
}
