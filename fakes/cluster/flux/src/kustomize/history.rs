//! The last results of a Kustomization, as its status lists them: one for each build and outcome.

use cluster_api::object;
use serde_json::{Value, json};

use super::Kustomizations;
use super::attempt::Attempt;
use super::report::ORIGIN;
use crate::{artifacts, duration};

/// How many results are kept.
const KEPT: usize = 5;

/// The digest of what was built.
pub(super) fn digest(objects: &[Value]) -> String {
    let text: String = objects.iter().map(ToString::to_string).collect();
    artifacts::digest(text.as_bytes())
}

impl Kustomizations {
    /// Notes how an attempt ended, first in the list.
    pub(super) fn remember(&self, attempt: &Attempt<'_>, digest: &str, outcome: &str) {
        if self.interrupt.is_cancelled() {
            return;
        }
        let now = object::timestamp(self.clock.now());
        let mut metadata = json!({"revision": attempt.revision});
        if let Some(origin) = attempt.source["status"]["artifact"]["metadata"][ORIGIN].as_str() {
            metadata["originRevision"] = json!(origin);
        }
        let took = duration::text(self.since(attempt.start));
        attempt.subject.write(|status| {
            let mut results = status.get("history").as_array().cloned().unwrap_or_default();
            let same = |result: &Value| result["digest"] == digest && result["lastReconciledStatus"] == outcome;
            let known = results.iter().position(same).map(|place| results.remove(place));
            let first = known.as_ref().map_or_else(|| json!(now), |known| known["firstReconciled"].clone());
            let total = known.as_ref().and_then(|known| known["totalReconciliations"].as_u64()).unwrap_or(0) + 1;
            results.insert(0, json!({
                "digest": digest, "firstReconciled": first, "lastReconciled": now, "lastReconciledDuration": took,
                "lastReconciledStatus": outcome, "metadata": metadata, "totalReconciliations": total,
            }));
            results.truncate(KEPT);
            status.field("history", json!(results));
        });
    }
}
