//! Blocker codes, and how they read at services of the generation that had none.

/// A row of the contract's table of blockers.
#[derive(Debug)]
pub struct BlockerCode {
    /// Its name.
    pub name: &'static str,
    /// Layers under which an earlier generation listed it.
    pub layers: &'static [&'static str],
    /// How its next action begins; empty where it goes by cause.
    pub next_action: &'static str,
}

const fn row(name: &'static str, layers: &'static [&'static str], next_action: &'static str) -> BlockerCode {
    BlockerCode { name, layers, next_action }
}

const HOST: &[&str] = &["Talos host reachability", "Kubernetes availability"];
const READINESS: &[&str] = &["workload readiness failure", "Workload readiness failure"];

/// Every code, in the contract's order.
pub static CODES: &[BlockerCode] = &[
    row("dns", &["Platform DNS resolution"], "Configure explicit DNS servers"),
    row(
        "postgres-storage",
        &["Core Postgres storage initialization"],
        "Repair or recreate the Postgres PVC subPath",
    ),
    row("storage-init", &["Core storage initialization"], "Repair or recreate the named volume's subPath"),
    row("image-not-found", &["Image tag availability"], "Publish the missing image tag"),
    row("image-registry", &["Image registry"], ""),
    row("image-pull-interrupted", &["Image pull interruption"], "Wait for automatic retry"),
    row("bootstrap-failed", &["Bootstrap job failure"], ""),
    row("bootstrap-missing", &["Bootstrap job failure"], "Reconcile the alga-core release"),
    row("credentials", &["Credentials"], "Restore the db-credentials Secret"),
    row("temporal-schema", &["Temporal schema initialization"], "Ensure Temporal autosetup"),
    row("service-link", &["Kubernetes service-link environment collision"], "Disable service links"),
    row("config-missing", &["Configuration"], "Restore the named object and key"),
    row("volume-full", &["Storage"], "Free or enlarge the named volume"),
    row("scheduling", &["Scheduling"], ""),
    row("storage-class", &["Storage"], "Install exactly one local-path provisioner"),
    row("node", HOST, ""),
    row("kubernetes", HOST, ""),
    row("host", HOST, ""),
    row("source", &["Flux source/reconcile failure"], ""),
    row("helm-storage", &["Helm release storage issue"], ""),
    row("helm", &["Helm release failure"], "Inspect the release's first failing workload"),
    row("release-missing", &["Release"], "Run Repair Release"),
    row("release-drift", &["Release"], "Run Repair Release"),
    row("login-probe", &["Login"], ""),
    row("workload", READINESS, "Inspect the named container's log"),
    row("background-workload", READINESS, "Inspect the named container's log"),
];

/// Every code's name.
pub fn code_names() -> Vec<&'static str> {
    CODES.iter().map(|code| code.name).collect()
}

/// The codes that a blocker without one may stand for: those of its layer, narrowed by its next action where that tells.
pub fn codes_of(layer: &str, next_action: &str) -> Vec<&'static str> {
    let of_layer: Vec<&BlockerCode> = CODES.iter().filter(|code| code.layers.contains(&layer)).collect();
    let told: Vec<&'static str> = of_layer
        .iter()
        .filter(|code| !code.next_action.is_empty() && next_action.starts_with(code.next_action))
        .map(|code| code.name)
        .collect();
    if told.is_empty() { of_layer.iter().map(|code| code.name).collect() } else { told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_with_one_code_needs_no_next_action() {
        assert_eq!(codes_of("Platform DNS resolution", ""), ["dns"]);
    }

    #[test]
    fn the_next_action_tells_codes_of_one_layer_apart() {
        assert_eq!(codes_of("Storage", "Free or enlarge the named volume."), ["volume-full"]);
        assert_eq!(codes_of("Kubernetes availability", "Look at it."), ["node", "kubernetes", "host"]);
        assert_eq!(codes_of("Release", "Run Repair Release."), ["release-missing", "release-drift"]);
    }

    #[test]
    fn a_layer_that_nobody_knows_stands_for_nothing() {
        assert!(codes_of("Weather", "").is_empty());
    }
}
