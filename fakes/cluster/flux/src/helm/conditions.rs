//! How actions show in conditions, events and the status.

use cluster_api::object;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Releases;
use super::policy::{Action, timeout};
use super::release::{Desired, Release};
use super::secrets::Records;
use crate::duration;
use crate::status::Subject;

/// What the steps of one reconciliation share.
pub(super) struct Run<'a> {
    pub(super) subject: &'a Subject,
    pub(super) desired: &'a Desired,
    pub(super) records: Records<'a>,
}

impl Run<'_> {
    /// The object as it is now.
    pub(super) fn object(&self) -> Value {
        self.subject.get().map(|object| Value::clone(&object)).unwrap_or_default()
    }

    /// Writes what is known of the release's versions.
    pub(super) fn write_history(&self, action: &str) {
        let all = self.records.all();
        let mut history: Vec<Value> = all.iter().take(5).map(Release::snapshot).collect();
        if let Some(latest) = history.first_mut()
            && let Some(latest) = latest.as_object_mut()
        {
            latest.insert("action".to_owned(), json!(action));
        }
        if !history.is_empty() {
            self.subject.write(|status| status.field("history", json!(history)));
        }
    }
}

/// An action that is under way.
pub(super) struct Running {
    pub(super) action: Action,
    pub(super) start: Timestamp,
}

impl Releases {
    /// Says that an action runs.
    pub(super) fn announce(&self, run: &Run<'_>, action: Action) -> Running {
        let object = run.object();
        let limit = duration::text(timeout(&object, action));
        let message = format!("Running '{}' action with timeout of {limit}", action.word());
        self.log.info(&run.subject.namespace, &run.subject.name, &message);
        run.subject.write(|status| {
            status.reconciling("Progressing", &message);
            if matches!(action, Action::Install | Action::Upgrade) {
                status.drop(&["Remediated"]);
                status.set("Ready", "Unknown", "Progressing", &message);
                status.field("lastAttemptedReleaseAction", json!(action.word()));
            }
        });
        Running { action, start: self.clock.now() }
    }

    fn note_duration(&self, run: &Run<'_>, running: &Running) {
        let took = self.clock.now().duration_since(running.start).try_into().unwrap_or_default();
        run.subject
            .write(|status| status.field("lastAttemptedReleaseActionDuration", json!(duration::text(took))));
    }

    /// An install or upgrade that succeeded.
    pub(super) fn succeeded(
        &self,
        run: &Run<'_>,
        running: &Running,
        release: &Release,
        targets: &[crate::apply::Target],
    ) {
        let word = running.action.word();
        let reason = if running.action == Action::Install { "InstallSucceeded" } else { "UpgradeSucceeded" };
        let message = format!("Helm {word} succeeded for release {}", release.text());
        let entries: Vec<Value> = targets.iter().map(crate::apply::Target::entry).collect();
        run.write_history(word);
        self.note_duration(run, running);
        run.subject.write(|status| {
            status.drop(&["Remediated", "Drifted"]);
            status.set("Released", "True", reason, &message);
            status.set("Ready", "True", reason, &message);
            status.field("inventory", json!({"entries": entries}));
            for counter in ["failures", "installFailures", "upgradeFailures"] {
                status.field(counter, Value::Null);
            }
        });
        self.events.normal(&run.object(), reason, &message);
    }

    /// An install or upgrade that failed; `counted` says whether it got as far as a record.
    pub(super) fn failed(&self, run: &Run<'_>, running: &Running, failure: &ActionFailure) {
        let word = running.action.word();
        let reason = if running.action == Action::Install { "InstallFailed" } else { "UpgradeFailed" };
        let message = format!("Helm {word} failed for release {}: {}", run.desired.text(), failure.message());
        run.write_history(word);
        self.note_duration(run, running);
        run.subject.write(|status| {
            status.set("Released", "False", reason, &message);
            status.set("Ready", "False", reason, &message);
            status.count("failures");
            if matches!(failure, ActionFailure::Recorded { .. }) {
                status.count(running.action.failures());
            }
            status.handled();
        });
        let mut told = message.clone();
        if let ActionFailure::Recorded { log, .. } = failure
            && !log.is_empty()
        {
            told += &format!("\n\nLast Helm logs:\n\n{}", log.join("\n"));
        }
        self.events.warning(&run.object(), reason, &told);
        self.log.error(&run.subject.namespace, &run.subject.name, &message);
    }

    /// The release is what is wanted.
    pub(super) fn settle(&self, run: &Run<'_>, latest: Option<&Release>) {
        run.subject.write(|status| {
            status.drop(&["Reconciling", "Stalled"]);
            let released =
                status.condition("Released").filter(|released| released["status"] == "True").cloned();
            match (released, latest) {
                (Some(released), _) => {
                    let text = |field: &str| released[field].as_str().unwrap_or_default().to_owned();
                    let same = status.condition("Ready").is_some_and(|ready| {
                        ready["status"] == "True" && ready["message"] == released["message"]
                    });
                    if !same
                        || status
                            .condition("Ready")
                            .is_some_and(|ready| ready["reason"] != released["reason"])
                    {
                        status.set("Ready", "True", &text("reason"), &text("message"));
                    }
                }
                (None, Some(latest)) => {
                    let message = format!("Helm upgrade succeeded for release {}", latest.text());
                    status.set("Released", "True", "UpgradeSucceeded", &message);
                    status.set("Ready", "True", "UpgradeSucceeded", &message);
                }
                (None, None) => {}
            }
            for counter in ["failures", "installFailures", "upgradeFailures"] {
                status.field(counter, Value::Null);
            }
            status.observe();
            status.handled();
        });
    }

    /// The release has failed too often.
    pub(super) fn stall(&self, run: &Run<'_>, action: Action) {
        let attempts = super::policy::failures(&run.object(), action);
        let message = format!("Failed to {} after {attempts} attempt(s)", action.word());
        run.subject.write(|status| {
            status.stalled("RetriesExceeded", &message);
            // Prerequisites that were not met for a moment are forgotten; what came of the release is not.
            let told =
                ["Remediated", "Released"].into_iter().find_map(|kind| status.condition(kind).cloned());
            if let Some(told) = told {
                let text = |field: &str| told[field].as_str().unwrap_or_default().to_owned();
                let same = status.condition("Ready").is_some_and(|ready| ready["message"] == told["message"]);
                if !same {
                    status.set("Ready", "False", &text("reason"), &text("message"));
                }
            }
            status.observe();
            status.handled();
        });
        let line = "terminal error: exceeded maximum retries: cannot remediate failed release";
        self.log.error(&run.subject.namespace, &run.subject.name, line);
    }

    /// Writes what this reconciliation attempts.
    pub(super) fn note_attempt(&self, run: &Run<'_>) {
        let desired = run.desired;
        let object = run.object();
        let reset = super::decide::must_reset(&object, desired);
        let generation = object::generation(&object);
        let annotations = object["metadata"]["annotations"].clone();
        run.subject.write(|status| {
            if reset {
                for counter in ["failures", "installFailures", "upgradeFailures"] {
                    status.field(counter, Value::Null);
                }
            }
            if annotations["reconcile.fluxcd.io/resetAt"].is_string() {
                status.field("lastHandledResetAt", annotations["reconcile.fluxcd.io/resetAt"].clone());
            }
            status.field("lastAttemptedGeneration", json!(generation));
            status.field("lastAttemptedRevision", json!(desired.version));
            status.field("lastAttemptedConfigDigest", json!(desired.config_digest));
            status.field("storageNamespace", json!(desired.names.storage));
        });
    }

    /// A request by force is good for one action.
    pub(super) fn note_force(&self, run: &Run<'_>) {
        let force = run.object()["metadata"]["annotations"]["reconcile.fluxcd.io/forceAt"].clone();
        if force.is_string() {
            run.subject.write(|status| status.field("lastHandledForceAt", force));
        }
    }
}

/// How an action failed.
#[derive(Debug)]
pub(super) enum ActionFailure {
    /// Before the release had a record: nothing counts, and it is tried again for ever.
    Unrecorded(String),
    /// With a record.
    Recorded {
        /// What Helm says.
        message: String,
        /// The last lines of Helm's own log.
        log: Vec<String>,
    },
}

impl ActionFailure {
    fn message(&self) -> &str {
        match self {
            Self::Unrecorded(message) | Self::Recorded { message, .. } => message,
        }
    }
}
