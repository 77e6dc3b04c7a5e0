//! The one line that reruns a scenario.

use crate::run::{Outcome, Plan};
use crate::world::{ClusterChoice, Lifetime, Speed};

/// The command that reruns a scenario as it was run here, and keeps the appliance up if it does not pass.
pub fn replay(plan: &Plan, outcome: &Outcome) -> String {
    let mut line = format!("cargo run --bin smoke -- run {} --world {}", outcome.name, outcome.world);
    let mut add = |flag: &str, value: String| {
        line.push_str(&format!(" {flag} {value}"));
    };
    if let Some(folder) = plan.scenarios.iter().find(|s| s.name == outcome.name).and_then(|s| s.path.parent())
        && folder.file_name().is_none_or(|name| name != "scenarios")
    {
        add("--scenarios", quoted(&folder.display().to_string()));
    }
    if plan.speed != Speed::UNLIMITED {
        add("--speed", plan.speed.to_string());
    }
    if let Some(image) = &plan.cluster.image {
        add("--node-image", quoted(image));
    }
    if let Some(folder) = &plan.machine.image {
        add("--talos-image", quoted(&folder.display().to_string()));
    }
    let programs = &plan.cluster.programs;
    if outcome.world != "sim" && *programs != ClusterChoice::programs_of(&plan.binaries) {
        add("--programs", quoted(&programs.display().to_string()));
    }
    if let Some(command) = &plan.status_command {
        add("--status-command", quoted(&command.join(" ")));
    }
    if let Some(command) = &plan.operator_command {
        add("--operator-command", quoted(&command.join(" ")));
    }
    add("--seed", outcome.seed.to_string());
    add("--keep", "on-failure".to_owned());
    if plan.cluster.lifetime == Lifetime::Reused {
        line.push_str(" --reuse");
    }
    line
}

fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
