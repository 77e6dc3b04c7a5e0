//! What a hardened pod has to say of itself.

use serde_json::Value;

use super::{Violation, list, name, plural, those};

const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "image",
];

/// Adds what a pod does wrong or leaves unsaid.
pub(super) fn check(spec: &Value, found: &mut Vec<Violation>) {
    let mut add = |reason, detail: String| found.push(Violation { reason, detail });
    let context = |container: &Value, field: &str| container["securityContext"][field].clone();
    if let Some(names) = those(spec, |c| context(c, "allowPrivilegeEscalation") != false) {
        let text = "must set securityContext.allowPrivilegeEscalation=false";
        add("allowPrivilegeEscalation != false", format!("{} {text}", plural("container", &names)));
    }
    if let Some(detail) = capabilities(spec) {
        add("unrestricted capabilities", detail);
    }
    if let Some(detail) = volumes(spec) {
        add("restricted volume types", detail);
    }
    let pod_says = spec["securityContext"]["runAsNonRoot"] == true;
    let unsaid = |container: &Value| match context(container, "runAsNonRoot") {
        Value::Bool(says) => !says,
        _ => !pod_says,
    };
    if let Some(names) = those(spec, unsaid) {
        let text = "must set securityContext.runAsNonRoot=true";
        add("runAsNonRoot != true", format!("pod or {} {text}", plural("container", &names)));
    }
    if spec["securityContext"]["runAsUser"] == 0 {
        add("runAsUser=0", "pod must not set runAsUser=0".to_owned());
    } else if let Some(names) = those(spec, |c| context(c, "runAsUser") == 0) {
        add("runAsUser=0", format!("{} must not set runAsUser=0", plural("container", &names)));
    }
    let good = |profile: &Value| matches!(profile["type"].as_str(), Some("RuntimeDefault" | "Localhost"));
    let pod_good = good(&spec["securityContext"]["seccompProfile"]);
    let bad = |container: &Value| match context(container, "seccompProfile") {
        Value::Null => !pod_good,
        profile => !good(&profile),
    };
    if let Some(names) = those(spec, bad) {
        let text = "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"";
        add("seccompProfile", format!("pod or {} {text}", plural("container", &names)));
    }
}

fn capabilities(spec: &Value) -> Option<String> {
    let part = |container: &Value, which: &str| -> Vec<String> {
        let listed = list(&container["securityContext"]["capabilities"][which]).iter();
        listed.filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let keeps = |container: &Value| !part(container, "drop").iter().any(|name| name == "ALL");
    let adds = |container: &Value| part(container, "add").iter().any(|name| name != "NET_BIND_SERVICE");
    let mut texts = Vec::new();
    if let Some(names) = those(spec, keeps) {
        let text = "must set securityContext.capabilities.drop=[\"ALL\"]";
        texts.push(format!("{} {text}", plural("container", &names)));
    }
    if let Some(names) = those(spec, adds) {
        let mut added: Vec<String> = super::containers(spec)
            .flat_map(|container| part(container, "add"))
            .filter(|name| name != "NET_BIND_SERVICE")
            .map(|name| format!("\"{name}\""))
            .collect();
        added.sort();
        added.dedup();
        let text = format!("must not include {} in securityContext.capabilities.add", added.join(", "));
        texts.push(format!("{} {text}", plural("container", &names)));
    }
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn volumes(spec: &Value) -> Option<String> {
    let kind = |volume: &Value| -> Option<String> {
        let map = volume.as_object()?;
        let kind = map.keys().find(|key| *key != "name")?;
        (!VOLUMES.contains(&kind.as_str())).then(|| kind.clone())
    };
    let bad: Vec<&Value> = list(&spec["volumes"]).iter().filter(|volume| kind(volume).is_some()).collect();
    if bad.is_empty() {
        return None;
    }
    let names: Vec<&str> = bad.iter().map(|volume| name(volume)).collect();
    let mut types: Vec<String> =
        bad.iter().filter_map(|volume| kind(volume)).map(|kind| format!("\"{kind}\"")).collect();
    types.sort();
    types.dedup();
    let verb = if names.len() == 1 { "uses" } else { "use" };
    let noun = if types.len() == 1 { "type" } else { "types" };
    Some(format!("{} {verb} restricted volume {noun} {}", plural("volume", &names), types.join(", ")))
}
