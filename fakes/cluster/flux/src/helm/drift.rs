//! Objects of a release that somebody has changed or taken away.

use serde_json::{Value, json};

use super::Releases;
use super::conditions::Run;
use super::policy::{Action, Drift};
use super::release::{Release, objects};
use crate::apply::Target;

const IN_SYNC: &str = "release in-sync with desired state";
const MODE: &str = "helm.toolkit.fluxcd.io/driftDetection";

/// One object that is not as the release made it.
struct Drifted {
    target: Target,
    wanted: Value,
    /// Nothing when the object is gone.
    changes: Option<Changes>,
}

/// How many fields differ.
#[derive(Default)]
struct Changes {
    additions: usize,
    changes: usize,
}

impl Drifted {
    fn text(&self) -> String {
        match &self.changes {
            None => format!("{} removed", self.target),
            Some(Changes { additions, changes }) => {
                format!("{} changed ({additions} additions, {changes} changes, 0 removals)", self.target)
            }
        }
    }
}

impl Releases {
    /// Looks for drift and does about it what the HelmRelease says; whether something was corrected.
    pub(super) async fn keep_from_drifting(&self, run: &Run<'_>, latest: &Release) -> bool {
        let object = run.object();
        let mode = Drift::of(&object);
        if mode == Drift::Ignored {
            run.subject.write(|status| status.drop(&["Drifted"]));
            self.log.info(&run.subject.namespace, &run.subject.name, IN_SYNC);
            return false;
        }
        crate::pace::spend(&self.clock, 100, &run.subject.name).await;
        let drifted = self.drifted(run, latest);
        if drifted.is_empty() {
            let words = "No drift detected against the cluster state";
            run.subject.write(|status| status.set("Drifted", "False", "NoDriftDetected", words));
            self.log.info(&run.subject.namespace, &run.subject.name, IN_SYNC);
            return false;
        }
        let removed = drifted.iter().filter(|drifted| drifted.changes.is_none()).count();
        let changed = drifted.len() - removed;
        let line =
            format!("detected changes in cluster state: removed: {removed}, changed: {changed}, excluded: 0");
        self.log.info(&run.subject.namespace, &run.subject.name, &line);
        let lines: Vec<String> = drifted.iter().map(Drifted::text).collect();
        let message = format!(
            "Cluster state of release {} has drifted from the desired state:\n{}",
            latest_name(latest),
            lines.join("\n")
        );
        self.events.warning(&object, "DriftDetected", &message);
        run.subject.write(|status| status.set("Drifted", "True", "DriftDetected", &message));
        if mode == Drift::Warned {
            return false;
        }
        self.announce(run, Action::CorrectDrift);
        run.subject.write(|status| status.set("Ready", "Unknown", "Progressing", "correcting cluster drift"));
        let done: Vec<String> = drifted
            .into_iter()
            .filter_map(|drifted| {
                let word = if drifted.changes.is_some() { "configured" } else { "created" };
                drifted.target.apply(&self.store, drifted.wanted, run.engine.manager).ok()?;
                Some(format!("{} {word}", drifted.target))
            })
            .collect();
        let message = format!(
            "Cluster state of release {} has been corrected:\n{}",
            latest_name(latest),
            done.join("\n")
        );
        self.events.normal(&object, "DriftCorrected", &message);
        self.log.info(&run.subject.namespace, &run.subject.name, IN_SYNC);
        run.subject.write(|status| status.handled());
        true
    }

    fn drifted(&self, run: &Run<'_>, latest: &Release) -> Vec<Drifted> {
        let wanted = objects(&latest.manifest).and_then(|objects| run.engine.prepared(objects));
        wanted
            .unwrap_or_default()
            .into_iter()
            .filter(|(_, wanted)| cluster_api::object::annotation(wanted, MODE) != Some("disabled"))
            .filter_map(|(target, wanted)| {
                let Some(found) = target.get(&self.store) else {
                    return Some(Drifted { target, wanted, changes: None });
                };
                let mut changes = Changes::default();
                compare(&wanted, &found, &mut changes);
                let differs = changes.additions + changes.changes > 0;
                differs.then_some(Drifted { target, wanted, changes: Some(changes) })
            })
            .collect()
    }
}

/// Counts what is wanted and is not so; what nobody wants may be as it is.
fn compare(wanted: &Value, found: &Value, changes: &mut Changes) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, wanted) in wanted.iter().filter(|(_, wanted)| !is_nothing(wanted)) {
                match found.get(key) {
                    Some(found) => compare(wanted, found, changes),
                    None => changes.additions += 1,
                }
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            wanted.iter().zip(found).for_each(|(wanted, found)| compare(wanted, found, changes));
        }
        _ if wanted == found => {}
        _ => changes.changes += 1,
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || *value == json!({}) || *value == json!([])
}

/// `msp/app.v1`.
fn latest_name(latest: &Release) -> String {
    format!("{}/{}.v{}", latest.namespace, latest.name, latest.version)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Changes, compare};

    #[test]
    fn what_the_cluster_adds_is_no_drift_and_what_it_changes_is() {
        let wanted = json!({"spec": {"replicas": 1, "ports": [{"port": 80}], "empty": {}}});
        let mut changes = Changes::default();
        compare(
            &wanted,
            &json!({"spec": {"replicas": 1, "ports": [{"port": 80, "protocol": "TCP"}]}}),
            &mut changes,
        );
        assert_eq!((changes.additions, changes.changes), (0, 0));
        compare(&wanted, &json!({"spec": {"replicas": 2}}), &mut changes);
        assert_eq!((changes.additions, changes.changes), (1, 1));
    }
}
