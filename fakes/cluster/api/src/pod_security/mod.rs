//! The pod security standards, as a namespace's labels ask for them.

mod baseline;
mod restricted;

use std::fmt;

use serde_json::Value;

use crate::kind::KindInfo;
use crate::{kinds, object};

/// How much is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Privileged,
    Baseline,
    Restricted,
}

/// A level and the version of the standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) level: Level,
    version: String,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        write!(f, "{level}:{}", self.version)
    }
}

/// What a namespace refuses and what it warns of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) enforce: Mode,
    pub(crate) warn: Mode,
}

impl Policy {
    /// The policy of a namespace; `audit` goes nowhere, as there is no audit log.
    pub(crate) fn of(namespace: &Value) -> Self {
        let enforce = mode(namespace, "enforce")
            .unwrap_or(Mode { level: Level::Privileged, version: "latest".to_owned() });
        // Without a word about warnings, what is refused in pods is warned of in templates.
        let warn = mode(namespace, "warn").unwrap_or_else(|| enforce.clone());
        Self { enforce, warn }
    }
}

fn mode(namespace: &Value, name: &str) -> Option<Mode> {
    let label =
        |suffix: &str| object::label(namespace, &format!("pod-security.kubernetes.io/{name}{suffix}"));
    let level = match label("")? {
        "privileged" => Level::Privileged,
        "baseline" => Level::Baseline,
        // What is misspelt is taken for the strictest.
        _ => Level::Restricted,
    };
    Some(Mode { level, version: label("-version").unwrap_or("latest").to_owned() })
}

/// Metadata and specification of a pod, or of the pods that something makes.
pub(crate) fn pod_of<'a>(info: &KindInfo, value: &'a Value) -> Option<(&'a Value, &'a Value)> {
    let template = if info.res == kinds::PODS {
        value
    } else if info.res == kinds::CRON_JOBS {
        &value["spec"]["jobTemplate"]["spec"]["template"]
    } else if [
        kinds::DEPLOYMENTS,
        kinds::REPLICA_SETS,
        kinds::STATEFUL_SETS,
        kinds::DAEMON_SETS,
        kinds::JOBS,
        kinds::REPLICATION_CONTROLLERS,
    ]
    .contains(&info.res)
    {
        &value["spec"]["template"]
    } else {
        return None;
    };
    template["spec"].is_object().then(|| (&template["metadata"], &template["spec"]))
}

/// What a pod does that a level does not allow, in one line.
pub(crate) fn violations(level: Level, meta: &Value, spec: &Value) -> Option<String> {
    let mut found = Vec::new();
    if level >= Level::Baseline {
        baseline::check(meta, spec, level, &mut found);
    }
    if level >= Level::Restricted {
        restricted::check(spec, &mut found);
    }
    (!found.is_empty()).then(|| {
        found.sort_by_key(Violation::order);
        found.iter().map(Violation::text).collect::<Vec<_>>().join(", ")
    })
}

/// One thing that is not allowed.
#[derive(Debug)]
struct Violation {
    reason: &'static str,
    detail: String,
}

/// The order in which the real one says it: by the names of its checks.
const ORDER: [&str; 16] = [
    "allowPrivilegeEscalation != false",
    "forbidden AppArmor profile",
    "non-default capabilities",
    "unrestricted capabilities",
    "host namespaces",
    "hostPath volumes",
    "hostPort",
    "privileged",
    "procMount",
    "restricted volume types",
    "runAsNonRoot != true",
    "runAsUser=0",
    "seLinuxOptions",
    "seccompProfile",
    "forbidden sysctls",
    "hostProcess",
];

impl Violation {
    fn order(&self) -> usize {
        ORDER.iter().position(|known| *known == self.reason).unwrap_or(ORDER.len())
    }

    fn text(&self) -> String {
        if self.detail.is_empty() {
            self.reason.to_owned()
        } else {
            format!("{} ({})", self.reason, self.detail)
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|field| list(&spec[field]))
}

fn name(container: &Value) -> &str {
    container["name"].as_str().unwrap_or("")
}

/// `container "a"`, `containers "a", "b"`.
fn plural(word: &str, names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let end = if names.len() == 1 { "" } else { "s" };
    format!("{word}{end} {}", quoted.join(", "))
}

/// The containers of which something holds, if it holds of any.
fn those(spec: &Value, holds: impl Fn(&Value) -> bool) -> Option<Vec<&str>> {
    let names: Vec<&str> = containers(spec).filter(|container| holds(container)).map(name).collect();
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plain_pod_is_fine_for_baseline_and_violates_restricted_in_four_ways() {
        let spec = json!({"containers": [{"name": "a"}]});
        assert_eq!(violations(Level::Baseline, &Value::Null, &spec), None);
        assert_eq!(
            violations(Level::Restricted, &Value::Null, &spec).unwrap(),
            "allowPrivilegeEscalation != false (container \"a\" must set securityContext.allowPrivilegeEscalation=false), \
             unrestricted capabilities (container \"a\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot \
             != true (pod or container \"a\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \
             \"a\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"
        );
        let good = json!({"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]}}}]});
        assert_eq!(violations(Level::Restricted, &Value::Null, &good), None);
    }

    #[test]
    fn what_reaches_for_the_host_violates_the_baseline() {
        let spec = json!({"hostNetwork": true, "hostPID": true,
            "volumes": [{"name": "v", "hostPath": {"path": "/"}}], "containers": [
            {"name": "a", "securityContext": {"privileged": true, "capabilities": {"add": ["NET_ADMIN"]}},
                "ports": [{"hostPort": 80}]},
            {"name": "b", "ports": [{"hostPort": 81}]}]});
        assert_eq!(
            violations(Level::Baseline, &Value::Null, &spec).unwrap(),
            "non-default capabilities (container \"a\" must not include \"NET_ADMIN\" in securityContext.capabilities.add), \
             host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume \"v\"), hostPort (containers \"a\", \
             \"b\" use hostPorts 80, 81), privileged (container \"a\" must not set securityContext.privileged=true)"
        );
    }

    #[test]
    fn labels_choose_the_level_and_what_is_misspelt_is_strict() {
        let namespace = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline",
            "pod-security.kubernetes.io/warn": "restrictd"}}});
        let policy = Policy::of(&namespace);
        assert_eq!(
            (policy.enforce.to_string().as_str(), policy.warn.level),
            ("baseline:latest", Level::Restricted)
        );
        assert_eq!(Policy::of(&json!({})).enforce.level, Level::Privileged);
    }
}
