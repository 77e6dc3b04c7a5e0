//! What no ordinary pod may do.

use serde_json::Value;

use super::{Level, Violation, containers, list, name, plural, those};

const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
const SYSCTLS: [&str; 9] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_syncookies",
];

/// Adds what a pod does wrong; the restricted level has words of its own for some of it.
pub(super) fn check(meta: &Value, spec: &Value, level: Level, found: &mut Vec<Violation>) {
    let mut add = |reason, detail: String| found.push(Violation { reason, detail });
    let namespaces: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .into_iter()
        .filter(|field| spec[*field] == true)
        .map(|field| format!("{field}=true"))
        .collect();
    if !namespaces.is_empty() {
        add("host namespaces", namespaces.join(", "));
    }
    if let Some(names) = those(spec, |c| c["securityContext"]["privileged"] == true) {
        add(
            "privileged",
            format!("{} must not set securityContext.privileged=true", plural("container", &names)),
        );
    }
    if level == Level::Baseline
        && let Some(detail) = capabilities(spec)
    {
        add("non-default capabilities", detail);
    }
    let paths: Vec<&str> =
        list(&spec["volumes"]).iter().filter(|volume| volume["hostPath"].is_object()).map(name).collect();
    if level == Level::Baseline && !paths.is_empty() {
        add("hostPath volumes", plural("volume", &paths));
    }
    if let Some(detail) = host_ports(spec) {
        add("hostPort", detail);
    }
    if let Some(names) =
        those(spec, |c| c["securityContext"]["procMount"].as_str().is_some_and(|m| m != "Default"))
    {
        let text = "must not set securityContext.procMount to \"Unmasked\"";
        add("procMount", format!("{} {text}", plural("container", &names)));
    }
    let unconfined = |holder: &Value| holder["securityContext"]["seccompProfile"]["type"] == "Unconfined";
    let text = "must not set securityContext.seccompProfile.type to \"Unconfined\"";
    if level == Level::Baseline {
        match (unconfined(spec), those(spec, unconfined)) {
            (true, _) => add("seccompProfile", format!("pod {text}")),
            (false, Some(names)) => add("seccompProfile", format!("{} {text}", plural("container", &names))),
            (false, None) => {}
        }
    }
    let app_armor = |holder: &Value| holder["securityContext"]["appArmorProfile"]["type"] == "Unconfined";
    if app_armor(spec) || those(spec, app_armor).is_some() || has_unconfined_annotation(meta) {
        add("forbidden AppArmor profile", "unconfined".to_owned());
    }
    let sysctls: Vec<&str> = list(&spec["securityContext"]["sysctls"])
        .iter()
        .map(name)
        .filter(|sysctl| !SYSCTLS.contains(sysctl))
        .collect();
    if !sysctls.is_empty() {
        add("forbidden sysctls", sysctls.join(", "));
    }
}

fn has_unconfined_annotation(meta: &Value) -> bool {
    let annotations = meta["annotations"].as_object().into_iter().flatten();
    annotations.into_iter().any(|(key, value)| {
        key.starts_with("container.apparmor.security.beta.kubernetes.io/") && *value == "unconfined"
    })
}

fn capabilities(spec: &Value) -> Option<String> {
    let extra = |container: &Value| -> Vec<String> {
        let added =
            list(&container["securityContext"]["capabilities"]["add"]).iter().filter_map(Value::as_str);
        added.filter(|added| !CAPABILITIES.contains(added)).map(str::to_owned).collect()
    };
    let names = those(spec, |container| !extra(container).is_empty())?;
    let mut added: Vec<String> = containers(spec).flat_map(extra).map(|name| format!("\"{name}\"")).collect();
    added.sort();
    added.dedup();
    let text = format!("must not include {} in securityContext.capabilities.add", added.join(", "));
    Some(format!("{} {text}", plural("container", &names)))
}

fn host_ports(spec: &Value) -> Option<String> {
    let ports = |container: &Value| -> Vec<u64> {
        list(&container["ports"])
            .iter()
            .filter_map(|port| port["hostPort"].as_u64())
            .filter(|port| *port > 0)
            .collect()
    };
    let names = those(spec, |container| !ports(container).is_empty())?;
    let mut all: Vec<u64> = containers(spec).flat_map(ports).collect();
    all.sort_unstable();
    all.dedup();
    let shown: Vec<String> = all.iter().map(u64::to_string).collect();
    let verb = if names.len() == 1 { "uses" } else { "use" };
    let noun = if all.len() == 1 { "hostPort" } else { "hostPorts" };
    Some(format!("{} {verb} {noun} {}", plural("container", &names), shown.join(", ")))
}
