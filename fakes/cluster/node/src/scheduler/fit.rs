//! Whether a pod fits a node: the first check that fails names the reasons.

use cluster_api::object;
use serde_json::Value;

use super::load::{RESOURCES, Taken, requests};
use super::volumes::Claims;
use crate::quantity;

/// Why a pod does not fit a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) reasons: Vec<String>,
    /// Whether even an empty node would not do.
    pub(super) is_final: bool,
}

impl Misfit {
    fn for_good(reason: impl Into<String>) -> Self {
        Self { reasons: vec![reason.into()], is_final: true }
    }
}

/// Checks in the scheduler's order.
pub(super) fn fit(pod: &Value, node: &Value, taken: &Taken, claims: &Claims) -> Result<(), Misfit> {
    if node["spec"]["unschedulable"] == true
        && !tolerates(pod, "node.kubernetes.io/unschedulable", "", "NoSchedule")
    {
        return Err(Misfit::for_good("node(s) were unschedulable"));
    }
    taints(pod, node)?;
    if !matches_selector(pod, node) {
        return Err(Misfit::for_good("node(s) didn't match Pod's node affinity/selector"));
    }
    if taken.collides_with(pod) {
        let reasons = vec!["node(s) didn't have free ports for the requested pod ports".to_owned()];
        return Err(Misfit { reasons, is_final: false });
    }
    resources(pod, node, taken)?;
    if claims.volumes.iter().any(|volume| !volume_allows(volume, node)) {
        return Err(Misfit::for_good("node(s) had volume node affinity conflict"));
    }
    Ok(())
}

fn taints(pod: &Value, node: &Value) -> Result<(), Misfit> {
    for taint in node["spec"]["taints"].as_array().into_iter().flatten() {
        let text = |field: &str| taint[field].as_str().unwrap_or("");
        let (key, value, effect) = (text("key"), text("value"), text("effect"));
        if effect != "PreferNoSchedule" && !tolerates(pod, key, value, effect) {
            return Err(Misfit::for_good("node(s) had untolerated taint(s)"));
        }
    }
    Ok(())
}

fn tolerates(pod: &Value, key: &str, value: &str, effect: &str) -> bool {
    pod["spec"]["tolerations"].as_array().into_iter().flatten().any(|toleration| {
        let text = |field: &str| toleration[field].as_str().unwrap_or("");
        let same_key = text("key") == key || (text("key").is_empty() && text("operator") == "Exists");
        let same_value = text("operator") == "Exists" || text("value") == value;
        let same_effect = text("effect").is_empty() || text("effect") == effect;
        same_key && same_value && same_effect
    })
}

fn matches_selector(pod: &Value, node: &Value) -> bool {
    let labels = object::labels(node);
    let wanted = pod["spec"]["nodeSelector"].as_object().into_iter().flatten();
    let affinity = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    wanted.into_iter().all(|(key, value)| labels.get(key) == Some(value)) && terms_match(affinity, node)
}

fn volume_allows(volume: &Value, node: &Value) -> bool {
    terms_match(&volume["spec"]["nodeAffinity"]["required"], node)
}

/// Whether one of the terms holds; none at all always do.
fn terms_match(selector: &Value, node: &Value) -> bool {
    let Some(terms) = selector["nodeSelectorTerms"].as_array() else { return true };
    let holds = |list: &Value, value_of: &dyn Fn(&str) -> Option<String>| {
        list.as_array().into_iter().flatten().all(|expression| {
            let value = value_of(expression["key"].as_str().unwrap_or(""));
            let listed = || {
                value
                    .as_deref()
                    .is_some_and(|v| expression["values"].as_array().into_iter().flatten().any(|w| w == v))
            };
            match expression["operator"].as_str().unwrap_or("In") {
                "In" => listed(),
                "NotIn" => !listed(),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
    };
    terms.iter().any(|term| {
        holds(&term["matchExpressions"], &|key| object::label(node, key).map(str::to_owned))
            && holds(&term["matchFields"], &|_| Some(object::name(node).to_owned()))
    })
}

fn resources(pod: &Value, node: &Value, taken: &Taken) -> Result<(), Misfit> {
    let allocatable =
        |name: &str| quantity::parse(node["status"]["allocatable"][name].as_str().unwrap_or("0"));
    let mut reasons = Vec::new();
    let mut is_final = false;
    if u128::from(taken.pods) * 1000 >= allocatable("pods") {
        reasons.push("Too many pods".to_owned());
    }
    for ((name, wanted), used) in RESOURCES.into_iter().zip(requests(pod)).zip(taken.requests) {
        if wanted > 0 && wanted + used > allocatable(name) {
            reasons.push(format!("Insufficient {name}"));
            is_final |= wanted > allocatable(name);
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Misfit { reasons, is_final }) }
}

#[cfg(test)]
mod tests {
    use super::{Claims, Taken, fit};
    use serde_json::{Value, json};

    fn node() -> Value {
        json!({"metadata": {"name": "n", "labels": {"kubernetes.io/hostname": "n"}}, "spec": {},
            "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "110"}}})
    }

    fn refusal(pod: &Value, node: &Value) -> String {
        fit(pod, node, &Taken::default(), &Claims::default()).unwrap_err().reasons.join(", ")
    }

    #[test]
    fn a_pod_that_asks_too_much_names_every_shortage() {
        let pod =
            json!({"spec": {"containers": [{"resources": {"requests": {"cpu": "8", "memory": "64Gi"}}}]}});
        assert_eq!(refusal(&pod, &node()), "Insufficient cpu, Insufficient memory");
        assert!(
            fit(&json!({"spec": {"containers": [{}]}}), &node(), &Taken::default(), &Claims::default())
                .is_ok()
        );
    }

    #[test]
    fn taints_selectors_and_cordons_keep_pods_away() {
        let pod = json!({"spec": {"containers": [{}], "nodeSelector": {"disk": "ssd"}}});
        assert_eq!(refusal(&pod, &node()), "node(s) didn't match Pod's node affinity/selector");
        let mut tainted = node();
        tainted["spec"]["taints"] = json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]);
        assert_eq!(refusal(&pod, &tainted), "node(s) had untolerated taint(s)");
        tainted["spec"]["unschedulable"] = json!(true);
        assert_eq!(refusal(&pod, &tainted), "node(s) were unschedulable");
    }
}
