//! Reading pod specs.

use serde_json::Value;

/// The main containers.
pub(super) fn containers(pod: &Value) -> &[Value] {
    pod["spec"]["containers"].as_array().map_or(&[], Vec::as_slice)
}

/// The init containers.
pub(super) fn init_containers(pod: &Value) -> &[Value] {
    pod["spec"]["initContainers"].as_array().map_or(&[], Vec::as_slice)
}

/// Name of a container.
pub(super) fn name(container: &Value) -> &str {
    container["name"].as_str().unwrap_or("")
}

/// An init container that goes on running beside the others.
pub(super) fn is_sidecar(container: &Value) -> bool {
    container["restartPolicy"] == "Always"
}

/// Whether a main container that left with `code` runs again.
pub(super) fn restarts(pod: &Value, code: i32) -> bool {
    match pod["spec"]["restartPolicy"].as_str() {
        Some("Never") => false,
        Some("OnFailure") => code != 0,
        _ => true,
    }
}

/// Whether an init container that left with `code` runs again.
pub(super) fn init_restarts(pod: &Value, container: &Value, code: i32) -> bool {
    is_sidecar(container) || (code != 0 && pod["spec"]["restartPolicy"] != "Never")
}

/// Whether the pod lives in the node's own network.
pub(super) fn on_host_network(pod: &Value) -> bool {
    pod["spec"]["hostNetwork"] == true
}

/// Declared ports of a container.
pub(super) fn ports(container: &Value) -> Vec<u16> {
    let ports = container["ports"].as_array().into_iter().flatten();
    ports.filter_map(|port| u16::try_from(port["containerPort"].as_u64()?).ok()).collect()
}
