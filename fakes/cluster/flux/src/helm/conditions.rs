//! How actions show in conditions, events and the status.

use cluster_api::object;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Releases;
use super::engine::{Engine, Failure};
use super::policy::{Action, Tests, timeout};
use super::release::{Desired, Release};
use crate::duration;
use crate::status::{Status, Subject};

/// How many versions the history tells of.
const KEPT: usize = 5;

/// What the steps of one reconciliation share.
pub(super) struct Run<'a> {
    pub(super) subject: &'a Subject,
    pub(super) desired: &'a Desired,
    pub(super) engine: Engine<'a>,
    /// The generation that this reconciliation is about, whatever comes meanwhile.
    pub(super) generation: i64,
}

impl Run<'_> {
    /// The object as it is now.
    pub(super) fn object(&self) -> Value {
        self.subject.get().map(|object| Value::clone(&object)).unwrap_or_default()
    }

    /// Writes what is known of the release's versions: the newest, and those that were known before.
    pub(super) fn write_history(&self, action: &str) {
        let all = self.engine.records().all();
        let newest = all.first().map(|release| release.version);
        self.subject.write(|status| {
            let known = status.get("history").as_array().cloned().unwrap_or_default();
            let old = |version: u64| known.iter().find(|entry| entry["version"] == version);
            let told = all
                .iter()
                .filter(|release| Some(release.version) == newest || old(release.version).is_some());
            let mut history: Vec<Value> = told
                .take(KEPT)
                .map(|release| {
                    let mut entry = release.snapshot();
                    for field in ["testHooks", "action"] {
                        if let Some(said) =
                            old(release.version).map(|old| &old[field]).filter(|said| !said.is_null())
                        {
                            entry[field] = said.clone();
                        }
                    }
                    entry
                })
                .collect();
            if let Some(latest) = history.first_mut().and_then(Value::as_object_mut)
                && !latest.contains_key("action")
            {
                latest.insert("action".to_owned(), json!(action));
            }
            if !history.is_empty() {
                status.field("history", json!(history));
            }
        });
    }
}

impl Run<'_> {
    /// What came before the last version that was good, other than the newest, is history no more.
    pub(super) fn truncate_history(&self) {
        let is_good = |entry: &Value| entry["status"] == "deployed" || entry["status"] == "superseded";
        self.subject.write(|status| {
            let history = status.get("history").as_array().cloned().unwrap_or_default();
            let good = history.iter().skip(1).position(is_good).map(|place| place + 2);
            if let Some(kept) = good.filter(|kept| *kept < history.len()) {
                status.field("history", json!(history[..kept]));
            }
        });
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
        run.engine.journal.clear();
        let message = format!("Running '{}' action with timeout of {limit}", action.word());
        self.log.info(&run.subject.namespace, &run.subject.name, &lowered(&message));
        run.subject.write(|status| {
            status.reconciling("Progressing", &message);
            if matches!(action, Action::Install | Action::Upgrade) {
                status.set("Ready", "Unknown", "Progressing", &message);
            } else if status.condition("Ready").is_none_or(is_about_prerequisites) {
                status.set("Ready", "Unknown", "Progressing", "reconciliation in progress");
            }
        });
        Running { action, start: self.clock.now() }
    }

    fn note_duration(&self, run: &Run<'_>, running: &Running) {
        let took = self.clock.now().duration_since(running.start).try_into().unwrap_or_default();
        run.subject.write(|status| {
            status.field("lastAttemptedReleaseAction", json!(running.action.word()));
            status.field("lastAttemptedReleaseActionDuration", json!(duration::text(took)));
        });
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
        let tests = Tests::of(&run.object());
        let awaiting = format!("Helm release {} is awaiting tests", release.text());
        run.subject.write(|status| {
            status.drop(&["Remediated", "Drifted", "TestSuccess"]);
            status.set("Released", "True", reason, &message);
            if tests != Tests::Off {
                status.set("TestSuccess", "Unknown", "AwaitingTests", &awaiting);
            }
            if tests == Tests::Matter {
                status.set("Ready", "Unknown", "AwaitingTests", &awaiting);
            } else {
                status.set("Ready", "True", reason, &message);
            }
        });
        run.write_history(word);
        self.note_duration(run, running);
        run.subject.write(|status| {
            status.field("inventory", json!({"entries": entries}));
            for counter in ["failures", "installFailures", "upgradeFailures"] {
                status.field(counter, Value::Null);
            }
        });
        self.events.normal(&run.object(), reason, &message);
    }

    /// An install or upgrade that failed; `counted` says whether it got as far as a record.
    pub(super) fn failed(&self, run: &Run<'_>, running: &Running, failure: &Failure) {
        let word = running.action.word();
        let reason = if running.action == Action::Install { "InstallFailed" } else { "UpgradeFailed" };
        let message = format!("Helm {word} failed for release {}: {}", run.desired.text(), failure.message());
        let told = format!("{message}{}", run.engine.journal.told());
        if run.engine.interrupt.is_cancelled() {
            // Whoever is told to end gets to write no status any more.
            self.events.warning(&run.object(), reason, &told);
            return;
        }
        run.subject.write(|status| {
            status.drop(&["Remediated", "TestSuccess"]);
            status.set("Released", "False", reason, &message);
            status.set("Ready", "False", reason, &message);
        });
        run.write_history(word);
        self.note_duration(run, running);
        run.subject.write(|status| {
            status.count("failures");
            if matches!(failure, Failure::Recorded(_)) {
                status.count(running.action.failures());
            }
            status.handled();
        });
        self.events.warning(&run.object(), reason, &told);
    }

    /// The release is what is wanted.
    pub(super) fn settle(&self, run: &Run<'_>, latest: Option<&Release>) {
        let object = run.object();
        run.subject.write(|status| {
            status.drop(&["Reconciling", "Stalled"]);
            if let (None, Some(latest)) =
                (status.condition("Released").filter(|c| c["status"] == "True"), latest)
            {
                let message = format!("Helm upgrade succeeded for release {}", latest.text());
                status.set("Released", "True", "UpgradeSucceeded", &message);
            }
            let deciding = if Tests::of(&object) == Tests::Matter {
                ["TestSuccess", "Released"]
            } else {
                ["Released"; 2]
            };
            let told = deciding.into_iter().find_map(|kind| status.condition(kind).cloned());
            if let Some(told) = told {
                copy_to_ready(status, &told);
            }
            status.field("observedGeneration", json!(run.generation));
            status.handled();
        });
    }

    /// The release has failed too often.
    pub(super) fn stall(&self, run: &Run<'_>, action: Action, why: &str) {
        let attempts = super::policy::failures(&run.object(), action);
        let message = format!("Failed to {} after {attempts} attempt(s)", action.word());
        run.subject.write(|status| {
            status.stalled("RetriesExceeded", &message);
            // Prerequisites that were not met for a moment are forgotten; what came of the release is not.
            let said: Vec<Value> = ["Remediated", "TestSuccess", "Released"]
                .into_iter()
                .filter_map(|kind| status.condition(kind).cloned())
                .collect();
            let known = status
                .condition("Ready")
                .is_some_and(|ready| said.iter().any(|told| told["message"] == ready["message"]));
            if let Some(told) = said.first().filter(|_| !known) {
                copy_to_ready(status, told);
            }
            status.field("observedGeneration", json!(run.generation));
            status.handled();
        });
        self.log.error(&run.subject.namespace, &run.subject.name, why);
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

/// `Ready` says what another condition says; what was made good is not ready.
fn copy_to_ready(status: &mut Status<'_>, told: &Value) {
    let text = |field: &str| told[field].as_str().unwrap_or_default().to_owned();
    let says = if told["type"] == "Remediated" { "False".to_owned() } else { text("status") };
    let generation = status.generation();
    let same = status.condition("Ready").is_some_and(|ready| {
        // What is true of a new generation is said of it, in the words of the old one.
        ready["observedGeneration"] == generation
            && ready["status"] == says
            && ready["reason"] == told["reason"]
            && ready["message"] == told["message"]
    });
    if !same {
        status.set("Ready", &says, &text("reason"), &text("message"));
    }
}

/// Whether a condition tells of what a release needs first.
fn is_about_prerequisites(ready: &Value) -> bool {
    let reasons = ["SourceNotReady", "DependencyNotReady", "ArtifactFailed", "ValuesError"];
    ready["reason"].as_str().is_some_and(|reason| reasons.contains(&reason))
}

/// Log lines begin with a small letter.
fn lowered(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
