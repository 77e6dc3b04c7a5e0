//! Disruption budgets, as evictions respect them. They are counted when somebody asks; nobody keeps their status.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::kinds::{POD_DISRUPTION_BUDGETS, PODS};
use crate::{ApiError, Store, object, selector};

/// Refuses an eviction that a budget does not permit.
pub(super) fn permit(store: &Store, pod: &Value) -> Result<(), ApiError> {
    let finished = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed" | "Pending"));
    if finished || object::is_deleting(pod) {
        return Ok(());
    }
    let namespace = object::namespace(pod);
    let budgets = store.list(&POD_DISRUPTION_BUDGETS, Some(namespace));
    let about: Vec<&Arc<Value>> = budgets
        .iter()
        .filter(|budget| selector::matches(&budget["spec"]["selector"], object::labels(pod)))
        .collect();
    match about.as_slice() {
        [] => Ok(()),
        [budget] => check(store, budget, pod),
        _ => Err(ApiError::internal(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        )),
    }
}

fn check(store: &Store, budget: &Value, pod: &Value) -> Result<(), ApiError> {
    let pods: Vec<Arc<Value>> = store
        .list(&PODS, Some(object::namespace(budget)))
        .into_iter()
        .filter(|pod| selector::matches(&budget["spec"]["selector"], object::labels(pod)))
        .collect();
    let healthy = pods.iter().filter(|pod| is_healthy(pod)).count();
    let wanted = wanted(&budget["spec"], pods.len());
    // A pod that is not ready takes nothing from a budget that is met.
    if healthy > wanted || (healthy >= wanted && !is_healthy(pod)) {
        return Ok(());
    }
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    let name = object::name(budget);
    let cause =
        format!("The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently");
    let mut error = ApiError::new(429, "TooManyRequests", message);
    error.details = Some(Box::new(json!({"causes": [{"reason": "DisruptionBudget", "message": cause}]})));
    Err(error)
}

fn is_healthy(pod: &Value) -> bool {
    let ready = object::condition(pod, "Ready").is_some_and(|condition| condition["status"] == "True");
    ready && !object::is_deleting(pod)
}

/// How many pods the budget wants healthy, of this many.
fn wanted(spec: &Value, pods: usize) -> usize {
    match (spec.get("minAvailable"), spec.get("maxUnavailable")) {
        (Some(least), _) => amount(least, pods),
        (None, Some(most)) => pods.saturating_sub(amount(most, pods)),
        (None, None) => pods.saturating_sub(1),
    }
}

/// A number, or a share of all, rounded up.
fn amount(value: &Value, of: usize) -> usize {
    let share = value.as_str().and_then(|text| text.strip_suffix('%')?.parse::<usize>().ok());
    match share {
        Some(percent) => (percent * of).div_ceil(100),
        None => value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use field_clock::Clock;

    fn store(ready: &[bool]) -> Store {
        let store = Store::new(Clock::wall());
        for (at, ready) in ready.iter().enumerate() {
            let pod = json!({"metadata": {"name": format!("p{at}"), "namespace": "default", "labels": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]}});
            store.create(&PODS, pod).unwrap();
            let status = if *ready { "True" } else { "False" };
            store
                .modify(&PODS, "default", &format!("p{at}"), |pod| {
                    pod["status"] =
                        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": status}]});
                })
                .unwrap();
        }
        let budget = json!({"metadata": {"name": "pdb", "namespace": "default"},
            "spec": {"minAvailable": 2, "selector": {"matchLabels": {"a": "b"}}}});
        store.create(&POD_DISRUPTION_BUDGETS, budget).unwrap();
        store
    }

    #[test]
    fn a_budget_refuses_the_eviction_that_would_break_it() {
        let refused = |ready: &[bool], at: &str| {
            let store = store(ready);
            permit(&store, &store.get(&PODS, "default", at).unwrap()).err().map(|error| error.code)
        };
        assert_eq!(refused(&[true, true, true], "p0"), None);
        assert_eq!(refused(&[true, true], "p0"), Some(429));
        assert_eq!(refused(&[true, true, false], "p2"), None);
        assert_eq!(refused(&[true, false, false], "p2"), Some(429));
    }

    #[test]
    fn shares_are_rounded_up() {
        assert_eq!(wanted(&json!({"minAvailable": "50%"}), 3), 2);
        assert_eq!(wanted(&json!({"maxUnavailable": 1}), 3), 2);
    }
}
