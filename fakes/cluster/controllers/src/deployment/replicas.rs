//! A Deployment's ReplicaSets: which is the current one, how many pods they have and may have.

use std::sync::Arc;

use cluster_api::{Store, kinds, object};
use serde_json::Value;

use crate::control::{controlled, int};
use crate::hash;

pub(super) const HASH_LABEL: &str = "pod-template-hash";
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";

/// The ReplicaSets of a Deployment, old ones by age.
pub(super) struct Family {
    /// That of the current template.
    pub current: Option<Arc<Value>>,
    /// All others, the oldest first.
    pub old: Vec<Arc<Value>>,
}

impl Family {
    pub(super) fn of(store: &Store, deployment: &Value) -> Self {
        let hash = hash::of(&deployment["spec"]["template"]);
        let mut all = controlled(store, &kinds::REPLICA_SETS, deployment);
        all.sort_by_cached_key(|set| (revision(set), object::name(set).to_owned()));
        let (mut current, old): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|set| object::label(set, HASH_LABEL) == Some(hash.as_str()));
        Self { current: current.pop(), old }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.current.iter().chain(&self.old)
    }

    /// The sum of a counter over all of them.
    pub(super) fn sum(&self, count: impl Fn(&Value) -> i64) -> i64 {
        self.all().map(|set| count(set)).sum()
    }
}

pub(super) fn revision(set: &Value) -> i64 {
    object::annotation(set, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// `spec.replicas`, 1 by default.
pub(super) fn wanted(object: &Value) -> i64 {
    object["spec"]["replicas"].as_i64().unwrap_or(1)
}

pub(super) fn available(set: &Value) -> i64 {
    int(&set["status"]["availableReplicas"])
}

/// How far a rolling update may go beyond and below the wanted number.
#[derive(Debug, PartialEq)]
pub(super) struct Bounds {
    pub surge: i64,
    pub unavailable: i64,
}

impl Bounds {
    pub(super) fn of(deployment: &Value) -> Self {
        if is_recreate(deployment) {
            return Self { surge: 0, unavailable: 0 };
        }
        let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
        let wanted = wanted(deployment);
        let surge = share(&rolling["maxSurge"], wanted, |percent| (percent + 99) / 100);
        let mut unavailable = share(&rolling["maxUnavailable"], wanted, |percent| percent / 100);
        if surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        Self { surge, unavailable: unavailable.min(wanted) }
    }
}

pub(super) fn is_recreate(deployment: &Value) -> bool {
    deployment["spec"]["strategy"]["type"] == "Recreate"
}

/// A number or a percentage of the wanted replicas; 25 % when absent.
fn share(value: &Value, wanted: i64, round: impl Fn(i64) -> i64) -> i64 {
    if let Some(number) = value.as_i64() {
        return number;
    }
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.parse().ok()).unwrap_or(25);
    round(percent * wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quarter_of_one_replica_surges_by_one_and_takes_none_away() {
        assert_eq!(Bounds::of(&json!({"spec": {"replicas": 1}})), Bounds { surge: 1, unavailable: 0 });
    }

    #[test]
    fn bounds_of_zero_let_one_pod_go() {
        let deployment = json!({"spec": {"replicas": 3, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}}});
        assert_eq!(Bounds::of(&deployment), Bounds { surge: 0, unavailable: 1 });
    }
}
